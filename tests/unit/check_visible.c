/* check_visible.c: tests of common/visible.c: texts that would command a terminal. */
#include "unit.h"

#include "common/alloc.h"
#include "common/json.h"
#include "common/visible.h"

static const struct {
	const char *text, *visible, *json; /* NULL: as it is */
} texts[] = {
	{"", NULL, NULL},
	{"job 4711: pending (Priority)", NULL, NULL},
	{"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x89", NULL, NULL},
	{"\xc2\xa0", NULL, NULL},
	{"a\nb", "a\\x0ab", "a\nb"},
	{"a\tb\rc", "a\\x09b\\x0dc", "a\\x09b\\x0dc"},
	{"\x1b[2J\x1b]0;t\x07", "\\x1b[2J\\x1b]0;t\\x07", "\\x1b[2J\\x1b]0;t\\x07"},
	{"\x7f", "\\x7f", "\\u007f"},
	{"\xc2\x9b"
	 "31m",
		"\\u009b31m", "\\u009b31m"},
	{"\x9b"
	 "31m",
		"\\x9b31m", "\\x9b31m"},
	{"\xe2\x80\xae"
	 "txt.exe",
		"\\u202etxt.exe", "\\u202etxt.exe"},
	{"\xe2\x80\xa8\xe2\x81\xa6", "\\u2028\\u2066", "\\u2028\\u2066"},
	{"\xc3", "\\xc3", "\\xc3"},
	{"\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80"},
	{"\xff\xfe", "\\xff\\xfe", "\\xff\\xfe"},
};

START_TEST(replaced)
{
	const char *from = texts[_i].text;
	const char *expected = texts[_i].visible ? texts[_i].visible : from;
	char *visible = visible_text(from, ""), *json = visible_json(from);
	char buffer[64];

	ck_assert_str_eq(visible, expected);
	ck_assert_str_eq(json, texts[_i].json ? texts[_i].json : from);
	ck_assert(visible_is_clean(from) == (texts[_i].visible == NULL));
	ck_assert(visible_is_clean(visible));
	ck_assert_uint_eq(visible_copy(buffer, sizeof(buffer), from, ""), strlen(expected));
	ck_assert_str_eq(buffer, expected);
	free(visible);
	free(json);
}
END_TEST

START_TEST(kept)
{
	char *text = visible_text("a\tb\nc\rd\x1b", "\n\t");

	ck_assert_str_eq(text, "a\tb\nc\\x0dd\\x1b");
	free(text);
}
END_TEST

/* A replacement and a character are whole or not there. */
START_TEST(cut)
{
	char buffer[6];

	ck_assert_uint_eq(visible_copy(buffer, sizeof(buffer), "abc\x1b", ""), 3);
	ck_assert_str_eq(buffer, "abc");
	ck_assert_uint_eq(visible_copy(buffer, sizeof(buffer),
				  "a\x1b"
				  "bc",
				  ""),
		5);
	ck_assert_str_eq(buffer, "a\\x1b");
	ck_assert_uint_eq(visible_copy(buffer, sizeof(buffer), "abcd\xc3\xbc", ""), 4);
	ck_assert_uint_eq(visible_copy(buffer, 1, "abc", ""), 0);
	ck_assert_str_eq(buffer, "");
}
END_TEST

START_TEST(value)
{
	json_t *from = json_pack("{s:s, s:[s, i, n, {s:s}], s:b, s:f}", "a\x1b", "x\x1b\ny",
		"list", "\x07", 7, "in", "\x7f", "yes", 1, "real", 0.5);
	json_t *expected = json_pack("{s:s, s:[s, i, n, {s:s}], s:b, s:f}", "a\\x1b",
		"x\\x1b\ny", "list", "\\x07", 7, "in", "\\x7f", "yes", 1, "real", 0.5);
	json_t *clean = visible_value(from);

	ck_assert(json_equal(clean, expected));
	json_decref(from);
	json_decref(expected);
	json_decref(clean);
}
END_TEST

/* What JSON says is the same before and after. */
START_TEST(json_means_the_same)
{
	json_t *from = json_pack(
		"{s:s, s:s}", "a", "\x7f\xc2\x9b\xe2\x80\xae\x1b\n", "b\xc2\x85", "\\u009b \"");
	char *text = json_dumps(from, JSON_INDENT(2));
	char *visible = visible_json(text);
	json_t *again = json_loads(visible, 0, NULL);

	ck_assert_ptr_nonnull(strchr(visible, '\n'));
	for (const char *c = visible; *c; c++)
		ck_assert(*c == '\n' || (*c >= ' ' && *c < 0x7f));
	ck_assert(json_equal(from, again));
	json_decref(from);
	json_decref(again);
	free(text);
	free(visible);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("visible");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, replaced, 0, LENGTH(texts));
	tcase_add_test(all, kept);
	tcase_add_test(all, cut);
	tcase_add_test(all, value);
	tcase_add_test(all, json_means_the_same);
	suite_add_tcase(suite, all);
	return suite;
}
