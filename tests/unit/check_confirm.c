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
	{"{\"tasks\":9,\"unrunnable\":9,\"clients\":[]}", NULL},
	{"{\"clients\":[\"Client-1\"]}", "1 Client() is connected; stop anyway?"},
	{"{\"clients\":[\"Client-1\",\"Client-2\"],\"ready\":1}",
		"0 tasks run and 1 waits, 2 Client()s are connected; stop anyway?"},
	{"{\"running\":3,\"ready\":40}", "3 tasks run and 40 wait; stop anyway?"},
	{"{\"running\":1,\"ready\":1}", "1 task runs and 1 waits; stop anyway?"},
	{"{\"ready\":2}", "0 tasks run and 2 wait; stop anyway?"},
	{"{\"long_running\":2,\"running\":1}", "3 tasks run and 0 wait; stop anyway?"},
	{"{\"memory\":2469606195}", "Results of 2.3 GiB are in memory; stop anyway?"},
	{"{\"memory\":28,\"running\":2,\"ready\":0}",
		"Results of 28 bytes are in memory, 2 tasks run and 0 wait; stop anyway?"},
	{"{\"memory\":\"much\",\"running\":null}", NULL},
};

static void check(const char *load, const char *attached, const char *question)
{
	json_t *status = json_pack("{s:{s:o}, s:o}", "scheduler", "load",
		json_loads(load, JSON_DECODE_ANY, NULL), "attached",
		json_loads(attached, JSON_DECODE_ANY, NULL));
	char *text = confirm_question(status);

	ck_assert_pstr_eq(text, question);
	free(text);
	json_decref(status);
}

START_TEST(question)
{
	check(questions[_i].load, "[]", questions[_i].question);
}
END_TEST

static const struct {
	const char *attached, *question;
} users[] = {
	{"null", "1 Client() is connected; stop anyway?"},
	{"[{\"notebook\":\"a.ipynb\",\"program\":\"Jupyter kernel\",\"host\":\"n1\"}]",
		"a.ipynb on n1 is attached, 1 Client() is connected; stop anyway?"},
	{"[{}]", "a program on ? is attached, 1 Client() is connected; stop anyway?"},
	{"[{\"program\":\"a.py\"},{\"program\":\"b.py\"}]",
		"2 programs are attached, 1 Client() is connected; stop anyway?"},
};

START_TEST(user)
{
	check("{\"clients\":[\"Client-1\"]}", users[_i].attached, users[_i].question);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("confirm");
	TCase *tcase = tcase_create("confirm");

	tcase_add_loop_test(tcase, question, 0, LENGTH(questions));
	tcase_add_loop_test(tcase, user, 0, LENGTH(users));
	suite_add_tcase(suite, tcase);
	return suite;
}
