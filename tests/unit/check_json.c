/* check_json.c: tests of common/json.c. */
#include "unit.h"

#include "common/json.h"
#include "common/strv.h"

static const struct {
	const char *text, *string; /* string NULL: the same */
} texts[] = {
	{"", NULL},
	{"plain", NULL},
	{"line\nline\ttab \x01\x7f", NULL},
	{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x89", NULL},
	{"\xff", "?"},
	{"a\xffz", "a?z"},
	{"\x80", "?"},	    /* a continuation alone */
	{"\xc3", "?"},	    /* cut at the end */
	{"\xe2\x82", "??"}, /* the same, longer */
	{"\xf0\x9f\x90", "???"},
	{"\xc3z", "?z"}, /* cut in the middle */
	{"\xe2\x82z", "??z"},
	{"caf\xe9 caf\xc3\xa9", "caf? caf\xc3\xa9"}, /* Latin-1 beside UTF-8 */
	{"\xe2\x82\xac\xe2\x82", "\xe2\x82\xac??"},  /* a text that was cut */
	{"\xc0\xaf", "??"},			     /* overlong */
	{"\xe0\x80\xaf", "???"},
	{"\xf0\x80\x80\xaf", "????"},
	{"\xed\xa0\x80", "???"},	   /* a surrogate */
	{"\xf4\x90\x80\x80", "????"},	   /* behind U+10FFFF */
	{"\xf4\x8f\xbf\xbf", NULL},	   /* U+10FFFF */
	{"\xf8\x88\x80\x80\x80", "?????"}, /* five bytes */
	{"\xee\x80\x80\xff", "\xee\x80\x80?"},
};

START_TEST(text)
{
	char *tight = unit_tight(texts[_i].text, strlen(texts[_i].text) + 1);
	json_t *string = json_text(tight);

	ck_assert(json_is_string(string));
	ck_assert_str_eq(json_string_value(string),
		texts[_i].string ? texts[_i].string : texts[_i].text);
	free(tight);
	json_decref(string);
}
END_TEST

START_TEST(text_of_nothing)
{
	json_t *null = json_text(NULL);

	ck_assert(json_is_null(null));
	json_decref(null);
}
END_TEST

/* Any two bytes between others: always a string of the same length, ASCII as it was. */
START_TEST(text_of_any_bytes)
{
	for (unsigned a = 1; a < 256; a++)
		for (unsigned b = 1; b < 256; b++) {
			char bytes[] = {'x', (char)a, (char)b, 'y', '\0'};
			json_t *string = json_text(bytes);
			const char *value = json_string_value(string);

			unit_require(value != NULL);
			unit_require(strlen(value) == 4);
			unit_require(value[0] == 'x' && value[3] == 'y');
			unit_require(a >= 128 || value[1] == (char)a);
			unit_require(b >= 128 || value[2] == (char)b);
			json_decref(string);
		}
}
END_TEST

START_TEST(members)
{
	json_t *object = json_loads(
		"{\"text\": \"t\", \"empty\": \"\", \"number\": 9223372036854775807, "
		"\"negative\": -3, \"real\": 2.0, \"yes\": true, \"no\": false, \"null\": null, "
		"\"list\": [1], \"object\": {}}",
		0, NULL);
	static const char *const names[] = {"text", "empty", "number", "negative", "real",
		"yes", "no", "null", "list", "object", "absent"};

	ck_assert(json_is_object(object));
	for (size_t i = 0; i < LENGTH(names); i++) {
		const char *name = names[i];
		const char *string = json_get_text(object, name, "fallback");
		json_int_t number = json_get_integer(object, name, -1);
		int boolean = json_get_boolean(object, name, 7);

		ck_assert_str_eq(string, i == 0 ? "t" : i == 1 ? "" : "fallback");
		ck_assert_int_eq(number, i == 2 ? INT64_MAX : i == 3 ? -3 : -1);
		ck_assert_int_eq(boolean, i == 5 ? 1 : i == 6 ? 0 : 7);
	}
	ck_assert_ptr_null(json_get_text(object, "absent", NULL));
	json_decref(object);
}
END_TEST

START_TEST(members_of_no_object)
{
	json_t *list = json_pack("[s]", "text");

	ck_assert_str_eq(json_get_text(NULL, "text", "fallback"), "fallback");
	ck_assert_int_eq(json_get_integer(NULL, "number", 5), 5);
	ck_assert_int_eq(json_get_boolean(NULL, "yes", 1), 1);
	ck_assert_str_eq(json_get_text(list, "text", "fallback"), "fallback");
	ck_assert_int_eq(json_get_integer(list, "number", 5), 5);
	ck_assert_int_eq(json_get_boolean(list, "yes", 0), 0);
	json_decref(list);
}
END_TEST

START_TEST(times)
{
	static const struct {
		const char *value;
		int64_t time, ms;
	} values[] = {
		{"1796000000", 1796000000, 1796000000000},
		{"1796000000.75", 1796000000, 1796000000750},
		{"0.25", 0, 250},
		{"0", 0, 0},
		{"-1", 0, 0},
		{"253402300799", 253402300799, 31622400000000},
		{"253402300800", 0, 31622400000000},
		{"9223372036854775807", 0, 31622400000000},
		{"-9223372036854775808", 0, 0},
		{"1e300", 0, 31622400000000},
		{"\"1796000000\"", 0, 0},
		{"null", 0, 0},
	};

	for (size_t i = 0; i < LENGTH(values); i++) {
		json_t *object = json_object();

		json_object_set_new(
			object, "t", json_loads(values[i].value, JSON_DECODE_ANY, NULL));
		ck_assert_int_eq(json_get_time(object, "t"), values[i].time);
		ck_assert_int_eq(json_get_ms(object, "t"), values[i].ms);
		json_decref(object);
	}
	ck_assert_int_eq(json_get_time(NULL, "t"), 0);
	ck_assert_int_eq(json_get_ms(NULL, "t"), 0);
}
END_TEST

START_TEST(strings_of_an_array)
{
	json_t *array = json_loads("[\"a\", 1, null, \"b\", [\"c\"]]", 0, NULL);
	struct strv list = STRV_INIT;

	json_add_texts(array, &list);
	json_add_texts(NULL, &list);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_str_eq(list.item[0], "a");
	ck_assert_str_eq(list.item[1], "b");
	strv_finish(&list);
	json_decref(array);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("json");
	TCase *tcase = tcase_create("json");

	tcase_add_loop_test(tcase, text, 0, LENGTH(texts));
	tcase_add_test(tcase, text_of_nothing);
	tcase_add_test(tcase, text_of_any_bytes);
	tcase_add_test(tcase, members);
	tcase_add_test(tcase, members_of_no_object);
	tcase_add_test(tcase, times);
	tcase_add_test(tcase, strings_of_an_array);
	suite_add_tcase(suite, tcase);
	return suite;
}
