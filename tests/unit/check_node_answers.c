/* check_node_answers.c: tests of client/node_answers.c: the job's lines, and what clocks tell. */
#include "unit.h"

#include "client/node_answers.h"
#include "common/json.h"

START_TEST(lines)
{
	json_t *answers = node_answers_read("a prologue says hello\n"
					    "doctor time 1764030000.5\n"
					    "doctor token  two words \n"
					    "doctor empty \n"
					    "doctor novalue\n"
					    "doctor  x\n"
					    "doctor token again\n"
					    " doctor indented 1\n"
					    "\n"
					    "doctor cut of");

	ck_assert_uint_eq(json_object_size(answers), 3);
	ck_assert_str_eq(json_get_text(answers, "time", ""), "1764030000.5");
	ck_assert_str_eq(json_get_text(answers, "token", ""), "again");
	ck_assert_str_eq(json_get_text(answers, "empty", "?"), "");
	json_decref(answers);
	answers = node_answers_read("");
	ck_assert_uint_eq(json_object_size(answers), 0);
	json_decref(answers);
	answers = node_answers_read("doctor bytes \377\376\n");
	ck_assert_str_eq(json_get_text(answers, "bytes", ""), "??");
	json_decref(answers);
}
END_TEST

static const struct {
	double low, high;
	enum finding finding;
	const char *text;
} clocks[] = {
	{-0.2, 0.3, FINDING_OK, "n1 differs from this host's by less than 0.3 s"},
	{-1.2, 0.3, FINDING_OK, "less than 1.2 s"},
	{1, 2.5, FINDING_OK, "less than 2.5 s"},
	{-30, 2, FINDING_OK,
		"less than 30.0 s"}, /* a slow start of the job is no wrong clock */
	{4.9, 9, FINDING_OK, "less than 9.0 s"},
	{5.5, 9, FINDING_WARNING, "ahead of this host's by at least 6 s"},
	{-9, -5.2, FINDING_WARNING, "behind this host's by at least 5 s"},
	{299, 305, FINDING_WARNING, "ahead of this host's by at least 299 s"},
	{301, 305, FINDING_FAILED, "ahead of this host's by at least 301 s"},
	{-3700, -3600, FINDING_FAILED, "behind this host's by at least 3600 s"},
};

START_TEST(clock)
{
	char text[256];

	ck_assert_int_eq(
		node_clock_judge("n1", clocks[_i].low, clocks[_i].high, text, sizeof(text)),
		clocks[_i].finding);
	ck_assert_msg(strstr(text, clocks[_i].text) != NULL, "\"%s\" is not in \"%s\"",
		clocks[_i].text, text);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("node answers");
	TCase *all = tcase_create("all");

	tcase_add_test(all, lines);
	tcase_add_loop_test(all, clock, 0, LENGTH(clocks));
	suite_add_tcase(suite, all);
	return suite;
}
