/* check_confirm.c: tests of client/confirm.c: what is asked before work is lost. */
#include "unit.h"

#include "client/confirm.h"
#include "common/json.h"

static const struct {
	const char *load;
	const char *question; /* NULL: nothing would be lost */
} questions[] = {
	{"null", NULL},
	{"{}", NULL},
	{"{\"tasks\":9,\"unrunnable\":9,\"clients\":1}", NULL},
	{"{\"running\":3,\"ready\":40}", "3 tasks run and 40 wait; stop anyway?"},
	{"{\"running\":1,\"ready\":1}", "1 task runs and 1 waits; stop anyway?"},
	{"{\"ready\":2}", "0 tasks run and 2 wait; stop anyway?"},
	{"{\"long_running\":2,\"running\":1}", "3 tasks run and 0 wait; stop anyway?"},
	{"{\"memory\":2469606195}", "Results of 2.3 GiB are in memory; stop anyway?"},
	{"{\"memory\":28,\"running\":2,\"ready\":0}",
		"Results of 28 bytes are in memory, 2 tasks run and 0 wait; stop anyway?"},
	{"{\"memory\":\"much\",\"running\":null}", NULL},
};

START_TEST(question)
{
	json_t *load = json_loads(questions[_i].load, JSON_DECODE_ANY, NULL);
	char *text = confirm_question(load);

	ck_assert_pstr_eq(text, questions[_i].question);
	free(text);
	json_decref(load);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("confirm");
	TCase *tcase = tcase_create("confirm");

	tcase_add_loop_test(tcase, question, 0, LENGTH(questions));
	suite_add_tcase(suite, tcase);
	return suite;
}
