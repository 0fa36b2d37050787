/* check_directives.c: tests of common/directives.c: names and letters, refusals. */
#include "unit.h"

#include "common/directives.h"
#include "common/strv.h"

static const struct {
	const char *given, *name, *value;
} good[] = {
	{"comment=test", "comment", "test"},
	{"--comment=test", "comment", "test"},
	{"--comment test", "comment", "test"},
	{" comment = a = b", "comment", "a = b"},
	{"comment=", "comment", ""},
	{"comment", "comment", NULL},
	{"comment ", "comment", NULL},
	{"mail_type=END", "mail-type", "END"},
	{"-C haswell", "constraint", "haswell"},
	{"-Chaswell", "constraint", "haswell"},
	{"-L matlab", "licenses", "matlab"},
	{"-s", "oversubscribe", NULL},
	{"contiguous", "contiguous", NULL},
	{"mem-per-cpu=2G", "mem-per-cpu", "2G"},
	{"container-image=a b", "container-image", "a b"}, /* of a plugin of the site's */
	{"x11x=1", "x11x", "1"},
};

START_TEST(split)
{
	char *given = unit_tight(good[_i].given, strlen(good[_i].given) + 1);
	struct err err = ERR_INIT;
	const char *value;
	char *name;

	ck_assert_int_eq(directive_split(given, &name, &value, &err), 0);
	ck_assert_str_eq(name, good[_i].name);
	ck_assert_pstr_eq(value, good[_i].value);
	free(name);
	free(given);
}
END_TEST

static const struct {
	const char *given;
	int code;
	const char *text;
} bad[] = {
	{"", -EINVAL, "names no option of sbatch: give NAME=VALUE"},
	{"=x", -EINVAL, "names no option of sbatch"},
	{"--", -EINVAL, "names no option of sbatch"},
	{"a;b=1", -EINVAL, "names no option of sbatch"},
	{"_L matlab", -EINVAL, "names no option of sbatch"}, /* nor is it written as a letter */
	{"partition=short", -EPERM, "use the setting queues_to_try"},
	{"-p short", -EPERM, "--partition is set by draco: use the setting queues_to_try"},
	{"cpus_per_task=3", -EPERM, "--cpus-per-task is set by draco: use the setting cores"},
	{"time=10", -EPERM, "use the setting walltime"},
	{"mem=10", -EPERM, "--mem is set by draco: use the setting memory"},
	{"partitio=x", -EPERM, "--partition is set by draco"}, /* as sbatch takes it */
	{"-H", -EPERM, "--hold is not possible"},
	{"-Z", -EINVAL, "what -Z is short for"},
};

START_TEST(refuse)
{
	char *given = unit_tight(bad[_i].given, strlen(bad[_i].given) + 1);
	struct err err = ERR_INIT;
	const char *value;
	char *name;
	int r = directive_split(given, &name, &value, &err);

	unit_assert_err(&err, bad[_i].code, bad[_i].text);
	ck_assert_int_eq(r, bad[_i].code);
	free(given);
}
END_TEST

START_TEST(find)
{
	struct strv list = STRV_INIT;

	strv_add(&list, "excluded=no");
	strv_add(&list, "exclude=n1,n2");
	strv_add(&list, "contiguous");
	ck_assert_str_eq(directives_value(&list, "exclude"), "n1,n2");
	ck_assert_str_eq(directives_value(&list, "contiguous"), "");
	ck_assert_ptr_null(directives_value(&list, "excl"));
	ck_assert_ptr_eq(directives_find(&list, "exclude"), &list.item[1]);
	strv_finish(&list);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("directives");
	TCase *tcase = tcase_create("directives");

	tcase_add_loop_test(tcase, split, 0, LENGTH(good));
	tcase_add_loop_test(tcase, refuse, 0, LENGTH(bad));
	tcase_add_test(tcase, find);
	suite_add_tcase(suite, tcase);
	return suite;
}
