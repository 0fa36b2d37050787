/* check_slurm_variables.c: tests of common/slurm_variables.c. */
#include "unit.h"

#include "common/slurm_variables.h"
#include "common/strv.h"

/* Picks from environment (taken over), and compares with the lines. */
static void expect_picked(json_t *environment, const char *directory, const char *expected)
{
	struct strv list = STRV_INIT;
	char *text;

	slurm_variables_pick(environment, directory, &list);
	text = strv_join(&list, "\n");
	ck_assert_str_eq(text, expected);
	free(text);
	strv_finish(&list);
	json_decref(environment);
}

START_TEST(pick)
{
	expect_picked(json_object(), "/d", "");
	expect_picked(NULL, "/d", "");
	expect_picked(
		json_pack("{s:s, s:s, s:s, s:s, s:s}", "SLURM_CONF", "/c", "SLURM_CONF_SERVER",
			"s", "SLURM_JWT", "t", "SLURM_JOB_ID", "7", "SLURM_CLUSTERS", "x"),
		"/d", "SLURM_CONF=/c\nSLURM_CONF_SERVER=s\nSLURM_JWT=t");
	expect_picked(json_pack("{s:s}", "SLURM_CONF", "c"), "/d", "SLURM_CONF=/d/c");
	expect_picked(json_pack("{s:s}", "SLURM_CONF", "c"), NULL, "SLURM_CONF=c");
	expect_picked(json_pack("{s:s, s:i, s:n}", "SLURM_CONF", "", "SLURM_CONF_SERVER", 7,
			      "SLURM_JWT"),
		"/d", "");
}
END_TEST

static char *const own[] = {(char[]){"PATH=/bin"}, (char[]){"SLURM_CONF=/own"},
	(char[]){"SLURM_CONF_SERVER=own"}, (char[]){"SLURM_JWT=own"},
	(char[]){"SLURM_JOB_ID=7"}, (char[]){"SLURM_CLUSTERS=x"},
	(char[]){"SBATCH_PARTITION=p"}, (char[]){"SLURMX=1"}, (char[]){"PMIX_RANK=0"}, NULL};

static const struct {
	const char *start; /* words; NULL: none at all */
	const char *expected;
} cases[] = {
	{NULL, "PATH=/bin SLURM_CONF=/own SLURM_CONF_SERVER=own SLURM_JWT=own SLURMX=1"},
	{"", "PATH=/bin SLURM_JWT=own SLURMX=1"},
	{"SLURM_CONF=/c", "PATH=/bin SLURM_JWT=own SLURMX=1 SLURM_CONF=/c"},
	{"SLURM_CONF_SERVER=s", "PATH=/bin SLURM_JWT=own SLURMX=1 SLURM_CONF_SERVER=s"},
	{"SLURM_CONF=/c SLURM_JWT=t", "PATH=/bin SLURMX=1 SLURM_CONF=/c SLURM_JWT=t"},
};

START_TEST(made)
{
	struct strv start = STRV_INIT, list = STRV_INIT;
	char *text;

	strv_split(&start, cases[_i].start ? cases[_i].start : "", ' ');
	slurm_variables_make(own, cases[_i].start ? &start : NULL, &list);
	text = strv_join(&list, " ");
	ck_assert_str_eq(text, cases[_i].expected);
	free(text);
	strv_finish(&start);
	strv_finish(&list);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("slurm_variables");
	TCase *tcase = tcase_create("slurm_variables");

	tcase_add_test(tcase, pick);
	tcase_add_loop_test(tcase, made, 0, LENGTH(cases));
	suite_add_tcase(suite, tcase);
	return suite;
}
