/* check_hostlist.c: tests of common/hostlist.c: Slurm's lists of hosts. */
#include "unit.h"

#include "common/hostlist.h"
#include "common/strv.h"

static const struct {
	const char *list, *names;
} lists[] = {
	{"", ""},
	{"n1", "n1"},
	{"n1,m5", "n1 m5"},
	{"n[1-3]", "n1 n2 n3"},
	{"n[1-2,07,9-10],m5", "n1 n2 n07 n9 n10 m5"},
	{"n[08-11]", "n08 n09 n10 n11"},
	{"r[1-2]n[3-4]x", "r1n3x r1n4x r2n3x r2n4x"},
};

static const char *const wrong[] = {
	"n[1", "n1]", "n[]", "n[a]", "n[3-1]", "n[1-]", "n[1-2", "n[1;2]", "n[1-9999999999]"};

START_TEST(names)
{
	struct strv list = STRV_INIT;
	char *text;

	ck_assert_int_eq(hostlist_expand(lists[_i].list, 100, &list), 0);
	text = strv_join(&list, " ");
	ck_assert_str_eq(text, lists[_i].names);
	free(text);
	strv_finish(&list);
}
END_TEST

START_TEST(wrong_forms)
{
	struct strv list = STRV_INIT;

	ck_assert_int_eq(hostlist_expand(wrong[_i], 100, &list), -EINVAL);
	strv_finish(&list);
}
END_TEST

START_TEST(limit)
{
	struct strv list = STRV_INIT;

	ck_assert_int_eq(hostlist_expand("n[1-999999999]", 3, &list), -E2BIG);
	ck_assert_uint_eq(list.count, 3);
	strv_finish(&list);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("hostlist");
	TCase *tcase = tcase_create("hostlist");

	tcase_add_loop_test(tcase, names, 0, LENGTH(lists));
	tcase_add_loop_test(tcase, wrong_forms, 0, LENGTH(wrong));
	tcase_add_test(tcase, limit);
	suite_add_tcase(suite, tcase);
	return suite;
}
