/* check_bad_nodes.c: tests of daemon/policy/bad_nodes.c. */
#include "unit.h"

#include <stdlib.h>

#include "common/strv.h"
#include "daemon/policy/bad_nodes.h"

#define T0 1000000

static struct bad_nodes nodes;

static void setup(void)
{
	nodes = (struct bad_nodes){0};
}

static void teardown(void)
{
	bad_nodes_clear(&nodes);
}

static bool blame(const char *name, int64_t at)
{
	return bad_nodes_blame(&nodes, name, at, at);
}

static void exclude(const char *name, int64_t at)
{
	ck_assert(!blame(name, at - 2));
	ck_assert(!blame(name, at - 1));
	ck_assert(blame(name, at));
}

START_TEST(three_failures_exclude)
{
	exclude("n1", T0);
	ck_assert(!blame("n2", T0));
	ck_assert_int_eq(
		bad_nodes_excluded_until_ms(&nodes, "n1", T0 + 1), T0 + BAD_NODE_FOR_MS);
	ck_assert_int_eq(bad_nodes_excluded_until_ms(&nodes, "n2", T0 + 1), 0);
	ck_assert_int_eq(bad_nodes_excluded_until_ms(&nodes, "n9", T0 + 1), 0);
	ck_assert_int_eq(bad_nodes_excluded_until_ms(&nodes, NULL, T0 + 1), 0);
}
END_TEST

START_TEST(what_is_no_name_is_not_noted)
{
	static const char *const names[] = {
		"", "n1,n2", "n[1-2]", "n1 --begin=now", "-n1", "n\n"};

	for (size_t i = 0; i < LENGTH(names); i++) {
		for (int at = 0; at < 5; at++)
			ck_assert(!blame(names[i], T0 + at));
		bad_nodes_exclude_until(&nodes, names[i], T0 + 1000);
	}
	ck_assert_uint_eq(nodes.count, 0);
}
END_TEST

START_TEST(an_hour_later_all_is_forgotten)
{
	int64_t later = T0 + BAD_NODE_FOR_MS;

	exclude("n1", T0);
	ck_assert(!blame("n1", later - 1)); /* it is excluded already */
	ck_assert_int_eq(bad_nodes_excluded_until_ms(&nodes, "n1", later), 0);
	exclude("n1", later + 2);
}
END_TEST

START_TEST(rare_failures_do_not_exclude)
{
	for (int i = 0; i < 20; i++)
		ck_assert(!blame("n1", T0 + i * BAD_NODE_WITHIN_MS / 2));
	ck_assert(blame("n1", T0 + 19 * BAD_NODE_WITHIN_MS / 2 + 1));
}
END_TEST

START_TEST(failures_of_one_burst_are_one)
{
	ck_assert(!bad_nodes_blame(&nodes, "n1", T0, T0));
	for (int i = 1; i < 20; i++)
		ck_assert(!bad_nodes_blame(&nodes, "n1", T0, T0 + i));
	ck_assert(!bad_nodes_blame(&nodes, "n1", T0 + 100, T0 + 100));
	ck_assert(bad_nodes_blame(&nodes, "n1", T0 + 200, T0 + 200));
}
END_TEST

START_TEST(the_oldest_is_forgotten)
{
	char name[16];

	for (int i = 0; i < BAD_NODES_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		blame(name, T0 + 2 * i);
		blame(name, T0 + 2 * i + 1);
	}
	blame("new", T0 + 200);
	ck_assert_uint_eq(nodes.count, BAD_NODES_MAX);
	ck_assert(blame("n1", T0 + 300));
	ck_assert(!blame("n0", T0 + 300)); /* it took the place of n2 */
	ck_assert(!blame("n2", T0 + 300));
}
END_TEST

static const struct {
	const char *given;    /* separated by blanks */
	const char *expected; /* the same */
	const char *list;     /* NULL: none */
} rows[] = {
	{"", "exclude=n1,n3", "n1,n3"},
	{"account=me", "account=me exclude=n1,n3", "n1,n3"},
	{"exclude=n7 qos=x", "exclude=n7,n1,n3 qos=x", "n7,n1,n3"},
	{"exclude=n[7-9]", "exclude=n[7-9],n1,n3", "n[7-9],n1,n3"},
	{"nodelist=n1", "nodelist=n1", NULL},
	{"exclude=n7 nodelist=n1", "exclude=n7 nodelist=n1", "n7"},
	{"nonsense=1", "nonsense=1 exclude=n1,n3", "n1,n3"},
};

START_TEST(become_a_directive)
{
	struct strv directives = STRV_INIT;
	char *text;

	exclude("n1", T0);
	blame("n2", T0);
	exclude("n3", T0);
	strv_split(&directives, rows[_i].given, ' ');
	bad_nodes_exclude(&nodes, T0, &directives);
	text = strv_join(&directives, " ");
	ck_assert_str_eq(text, rows[_i].expected);
	free(text);
	text = bad_nodes_given(&directives);
	ck_assert_pstr_eq(text, rows[_i].list);
	free(text);
	strv_finish(&directives);
}
END_TEST

START_TEST(none_is_no_directive)
{
	struct strv directives = STRV_INIT;

	exclude("n1", T0);
	bad_nodes_exclude(&nodes, T0 + BAD_NODE_FOR_MS, &directives);
	ck_assert_uint_eq(directives.count, 0);
	ck_assert_ptr_null(bad_nodes_given(&directives));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("bad_nodes");
	TCase *tests = tcase_create("bad_nodes");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, three_failures_exclude);
	tcase_add_test(tests, what_is_no_name_is_not_noted);
	tcase_add_test(tests, an_hour_later_all_is_forgotten);
	tcase_add_test(tests, rare_failures_do_not_exclude);
	tcase_add_test(tests, failures_of_one_burst_are_one);
	tcase_add_test(tests, the_oldest_is_forgotten);
	tcase_add_loop_test(tests, become_a_directive, 0, LENGTH(rows));
	tcase_add_test(tests, none_is_no_directive);
	suite_add_tcase(suite, tests);
	return suite;
}
