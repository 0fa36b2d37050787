/* check_cluster_nodes.c: tests of daemon/cluster/nodes.c: excluded nodes outlive dracod. */
#include "unit.h"

#include <time.h>

#include "cluster_fixture.h"
#include "common/alloc.h"
#include "common/json.h"
#include "daemon/cluster/nodes.h"
#include "daemon/io/loop.h"

static char *directory, *path;

static void setup(void)
{
	cluster_setup();
	directory = unit_directory();
	path = xasprintf("%s/nodes.json", directory);
	cluster.nodes_file = path;
}

static void teardown(void)
{
	cluster_teardown();
	free(directory);
	free(path);
}

static int64_t left_s(const char *name)
{
	int64_t until_ms = bad_nodes_excluded_until_ms(&cluster.nodes, name, loop_now_ms());

	return until_ms ? (until_ms - loop_now_ms()) / 1000 : 0;
}

START_TEST(another_dracod_knows)
{
	bad_nodes_exclude_until(&cluster.nodes, "n1", loop_now_ms() + 1000000);
	bad_nodes_exclude_until(&cluster.nodes, "n2", loop_now_ms() - 1);
	cluster_nodes_save(&cluster);
	bad_nodes_clear(&cluster.nodes);
	cluster_nodes_load(&cluster);
	ck_assert_int_ge(left_s("n1"), 990);
	ck_assert_int_le(left_s("n1"), 1001);
	ck_assert_uint_eq(cluster.nodes.count, 1);
}
END_TEST

START_TEST(forgiven_for_good)
{
	bad_nodes_exclude_until(&cluster.nodes, "n1", loop_now_ms() + 1000000);
	cluster_nodes_save(&cluster);
	ck_assert(cluster_nodes_forgive(&cluster, "for a test"));
	ck_assert(!cluster_nodes_forgive(&cluster, "for a test"));
	cluster_nodes_load(&cluster);
	ck_assert_uint_eq(cluster.nodes.count, 0);
}
END_TEST

/* %lld is an hour from now. */
static const char *const files[] = {
	"",
	"{}",
	"{\"excluded\": 7}",
	"{\"excluded\": [7, {}, {\"node\": \"n1\"}, {\"node\": \"n1\", \"until\": 1}]}",
	"{\"excluded\": [{\"node\": 1, \"until\": %lld}, {\"node\": \"\", \"until\": %lld}]}",
	"{\"excluded\": [{\"node\": \"n1\", \"until\": 99999999999}]}",
};

START_TEST(what_is_wrong_does_not_count)
{
	long long then = (long long)time(NULL) + 3500;
	char *text = xasprintf(files[_i], then, then);

	free(unit_file(directory, "nodes.json", text, strlen(text)));
	free(text);
	cluster_nodes_load(&cluster);
	ck_assert_uint_eq(cluster.nodes.count, 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("cluster_nodes");
	TCase *tests = tcase_create("cluster_nodes");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, another_dracod_knows);
	tcase_add_test(tests, forgiven_for_good);
	tcase_add_loop_test(tests, what_is_wrong_does_not_count, 0, LENGTH(files));
	suite_add_tcase(suite, tests);
	return suite;
}
