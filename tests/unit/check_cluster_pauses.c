/* check_cluster_pauses.c: tests of daemon/cluster/pauses.c: what was learned outlives dracod. */
#include "unit.h"

#include <unistd.h>

#include "cluster_fixture.h"
#include "common/alloc.h"
#include "daemon/cluster/pauses.h"
#include "daemon/policy/hold.h"

static char *directory, *path;
static struct hold_state *hold;

static void setup(void)
{
	cluster_setup();
	directory = unit_directory();
	path = xasprintf("%s/pauses.json", directory);
	cluster.pauses_file = path;
	hold = &cluster.size.fleet.hold;
	hold_init(hold);
}

static void teardown(void)
{
	cluster_teardown();
	free(directory);
	free(path);
}

START_TEST(another_dracod_knows)
{
	/* More than there is room for: the last ones are kept. */
	for (int64_t i = 0; i < HOLD_PAUSES + 3; i++)
		hold_remember(hold, i + 1, 10000 + i);
	cluster_pauses_save(&cluster);
	hold_init(hold);
	cluster_pauses_load(&cluster);
	ck_assert_int_eq(hold->pauses, HOLD_PAUSES);
	ck_assert_int_eq(hold->pause[0].jobs, 4);
	ck_assert_int_eq(hold->pause[0].ms, 10003);
	ck_assert_int_eq(hold->pause[HOLD_PAUSES - 1].ms, 10000 + HOLD_PAUSES + 2);
}
END_TEST

START_TEST(no_pause_no_file)
{
	cluster_pauses_save(&cluster);
	ck_assert_int_ne(access(path, F_OK), 0);
	cluster_pauses_load(&cluster);
	ck_assert_int_eq(hold->pauses, 0);
}
END_TEST

/* How many count. */
static int64_t load(const char *text)
{
	hold_init(hold);
	free(unit_file(directory, "pauses.json", text, strlen(text)));
	cluster_pauses_load(&cluster);
	return hold->pauses;
}

START_TEST(what_is_wrong_does_not_count)
{
	ck_assert_int_eq(load("no JSON"), 0);
	ck_assert_int_eq(load("{\"pauses\": 7}"), 0);
	ck_assert_int_eq(
		load("{\"pauses\": [7, {\"jobs\": 2}, {\"jobs\": -1, \"ms\": 9000}]}"), 0);
	ck_assert_int_eq(load("{\"pauses\": [{}, {\"jobs\": 2, \"ms\": 9000}]}"), 1);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("cluster_pauses");
	TCase *tests = tcase_create("cluster_pauses");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, another_dracod_knows);
	tcase_add_test(tests, no_pause_no_file);
	tcase_add_test(tests, what_is_wrong_does_not_count);
	suite_add_tcase(suite, tests);
	return suite;
}
