/* check_wrap.c: tests of client/wrap.c: where lines are broken. */
#include "unit.h"

#include "client/wrap.h"

static const struct {
	const char *text;
	int width, column, indent;
	const char *wrapped;
} texts[] = {
	{"one line that is longer than it may be", 0, 0, 2,
		"one line that is longer than it may be"},
	{"the words of a line that is broken in two", 30, 0, 2,
		"the words of a line that is\n  broken in two"},
	{"exactly as long as the line is", 30, 0, 2, "exactly as long as the line is"},
	{"exactly as long as the lines is", 30, 0, 2, "exactly as long as the lines\n  is"},
	{"what stands before counts, too", 30, 10, 4, "what stands before\n    counts, too"},
	{"/a/path/that/is/longer/than/the/whole/line is whole", 30, 0, 2,
		"/a/path/that/is/longer/than/the/whole/line\n  is whole"},
	{"  blanks  within a line stay as they are", 30, 0, 2,
		"  blanks  within a line stay\n  as they are"},
	{"\033[31mcolours\033[0m take no room: 30 \xc3\xa9.", 30, 0, 2,
		"\033[31mcolours\033[0m take no room: 30 \xc3\xa9."},
	{"too narrow to be worth the while", 25, 0, 2, "too narrow to be worth the while"},
	{"lines\n  of the text itself stay, and are broken", 30, 20, 4,
		"lines\n  of the text itself stay, and\n    are broken"},
	{"", 30, 0, 2, ""},
};

START_TEST(text)
{
	char *wrapped =
		wrap_text(texts[_i].text, texts[_i].width, texts[_i].column, texts[_i].indent);

	ck_assert_str_eq(wrapped, texts[_i].wrapped);
	free(wrapped);
}
END_TEST

START_TEST(columns)
{
	ck_assert_int_eq(wrap_columns(""), 0);
	ck_assert_int_eq(wrap_columns("\033[2mf\xc3\xbcr\033[0m"), 3);
	ck_assert_int_eq(wrap_columns("cut \033[3"), 4);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("wrap");
	TCase *tcase = tcase_create("wrap");

	tcase_add_loop_test(tcase, text, 0, LENGTH(texts));
	tcase_add_test(tcase, columns);
	suite_add_tcase(suite, tcase);
	return suite;
}
