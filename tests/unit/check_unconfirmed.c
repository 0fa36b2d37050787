/* check_unconfirmed.c: tests of client/unconfirmed.c. */
#include "unit.h"

#include <stdlib.h>

#include "client/ctl.h"
#include "client/unconfirmed.h"

static const struct {
	const char *result;
	bool ends_dracod;
	const char *text; /* NULL: none */
} results[] = {
	{"{'unconfirmed': 0, 'jobs': [], 'slurm_answers': false}", false, NULL},
	{"{}", true, NULL},
	{"{'unconfirmed': 1, 'jobs': ['7'], 'slurm_answers': false}", false,
		"Slurm does not answer: 1 job may still run (7); dracod ends what is left as soon "
		"as it does (squeue --me shows it)"},
	{"{'unconfirmed': 2, 'jobs': ['7_0', '7_1'], 'slurm_answers': true}", false,
		"Slurm has not ended all: 2 jobs run on (7_0, 7_1); dracod keeps trying (squeue "
		"--me shows them)"},
	{"{'unconfirmed': 1, 'jobs': ['7'], 'slurm_answers': false, 'stays': true}", true,
		"Slurm does not answer: 1 job may still run (7); dracod ends what is left as soon "
		"as it does, and then itself (squeue --me shows it)"},
	{"{'unconfirmed': 1, 'jobs': ['7'], 'slurm_answers': false, 'stays': false}", true,
		"Slurm does not answer: 1 job may still run (7); the next dracoctl start ends what "
		"is left (squeue --me shows it)"},
	/* of a dracod that names none */
	{"{'unconfirmed': 3}", false,
		"Slurm does not answer: 3 jobs may still run; dracod ends what is left as soon as "
		"it does (squeue --me shows them)"},
	{"{'unconfirmed': 10, 'jobs': ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']}",
		false,
		"Slurm does not answer: 10 jobs may still run (0, 1, 2, 3, 4, 5, 6, 7 and 2 more); "
		"dracod ends what is left as soon as it does (squeue --me shows them)"},
};

START_TEST(text)
{
	struct ctl ctl = {.name = PATHS_NAME_DEFAULT};
	char *json = strdup(results[_i].result), *got;
	json_t *result;

	for (char *c = json; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	result = json_loads(json, 0, NULL);
	ck_assert_ptr_nonnull(result);
	got = unconfirmed_text(&ctl, result, results[_i].ends_dracod);
	if (results[_i].text)
		ck_assert_str_eq(got, results[_i].text);
	else
		ck_assert_ptr_null(got);
	free(got);
	free(json);
	json_decref(result);
}
END_TEST

START_TEST(name)
{
	struct ctl ctl = {.name = "many"};
	json_t *result = json_pack("{s:i, s:b}", "unconfirmed", 1, "slurm_answers", 1);
	char *got = unconfirmed_text(&ctl, result, true);

	ck_assert_ptr_nonnull(strstr(got, "the next dracoctl --name many start continues"));
	free(got);
	json_decref(result);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("unconfirmed");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, text, 0, LENGTH(results));
	tcase_add_test(all, name);
	suite_add_tcase(suite, all);
	return suite;
}
