/* check_expand.c: tests of common/expand.c: variables in paths. */
#include "unit.h"

#include "common/expand.h"
#include "common/strv.h"

static const char *value_of(const void *arg, const char *name)
{
	ck_assert_ptr_eq(arg, &value_of);
	if (strcmp(name, "A") == 0)
		return "one";
	if (strcmp(name, "B_2") == 0)
		return "$A";
	return strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static const struct {
	const char *text, *expanded, *shell, *names;
} good[] = {
	{"/a b", "/a b", "'/a b'", ""},
	{"/x/$A/y", "/x/one/y", "'/x/'\"${A}\"'/y'", "A"},
	{"$A", "one", "\"${A}\"", "A"},
	{"${A}s$B_2", "ones$A", "\"${A}\"'s'\"${B_2}\"", "A B_2"},
	{"/it's/$A$A", "/it's/oneone", "'/it'\\''s/'\"${A}\"\"${A}\"", "A"},
};

START_TEST(replaces)
{
	struct strv names = STRV_INIT;
	struct err err = ERR_INIT;
	char *text;

	ck_assert_int_eq(expand_check(good[_i].text, &err), 0);
	ck_assert_int_eq(expand(good[_i].text, value_of, &value_of, &text, &err), 0);
	ck_assert_str_eq(text, good[_i].expanded);
	free(text);
	text = expand_shell(good[_i].text);
	ck_assert_str_eq(text, good[_i].shell);
	free(text);
	expand_names(good[_i].text, &names);
	text = strv_join(&names, " ");
	ck_assert_str_eq(text, good[_i].names);
	free(text);
	strv_finish(&names);
}
END_TEST

START_TEST(user_is_always_known)
{
	char *text = expand_shell("/scratch/$USER");

	ck_assert_str_eq(text, "'/scratch/'\"${USER:-$(id -un)}\"");
	free(text);
}
END_TEST

static const char *const bad[] = {"/$", "/$1", "/a$/b", "/${", "/${A", "/${}", "$(id)", "/$-"};

START_TEST(refuses)
{
	struct err err = ERR_INIT;
	char *text = NULL;

	ck_assert_int_eq(expand_check(bad[_i], &err), -EINVAL);
	unit_assert_err(&err, -EINVAL, "must begin a variable");
	ck_assert_int_eq(expand(bad[_i], value_of, &value_of, &text, &err), -EINVAL);
	ck_assert_ptr_null(text);
}
END_TEST

START_TEST(not_set)
{
	struct err err = ERR_INIT;
	char *text = NULL;

	ck_assert_int_eq(expand("/$NONE", value_of, &value_of, &text, &err), -EINVAL);
	unit_assert_err(&err, -EINVAL, "/$NONE: the variable NONE is not set");
	ck_assert_int_eq(expand("/$EMPTY", value_of, &value_of, &text, NULL), -EINVAL);
	ck_assert_ptr_null(text);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("expand");
	TCase *tests = tcase_create("expand");

	tcase_add_loop_test(tests, replaces, 0, LENGTH(good));
	tcase_add_test(tests, user_is_always_known);
	tcase_add_loop_test(tests, refuses, 0, LENGTH(bad));
	tcase_add_test(tests, not_set);
	suite_add_tcase(suite, tests);
	return suite;
}
