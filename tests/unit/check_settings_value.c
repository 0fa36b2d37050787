/* check_settings_value.c: tests of common/settings_value.c: each type, from text and from JSON, on
 * settings of its own. */
#include "unit.h"

#include "common/alloc.h"
#include "common/settings_describe.h"
#include "common/settings_value.h"

enum which {
	INTEGER,
	SIZE,
	MEMORY,
	WALLTIME,
	WALLTIME_OR_NONE,
	DURATION,
	BOOLEAN,
	STRING,
	COMMAND,
	LIST,
	LIST_NEEDED,
	CHOICE,
	TEXT,
	VARIABLES,
	DIRECTIVES
};

static const struct setting kinds[] = {
	[INTEGER] = {"n", SETTING_INTEGER, 0, "5", 1, 9, "N", "a number"},
	[SIZE] = {"s", SETTING_SIZE, 0, "1 GiB", 10, 2048, "SIZE", "a size"},
	[MEMORY] = {"m", SETTING_SIZE, 0, "1 GiB", -1, INT64_MAX, "SIZE", "a size, or words"},
	[WALLTIME_OR_NONE] = {"o", SETTING_WALLTIME, 0, "none", 0, INT64_MAX, "TIME|none",
		"a walltime or none"},
	[WALLTIME] = {"w", SETTING_WALLTIME, 0, "90", 60, INT64_MAX, "TIME", "a walltime"},
	[DURATION] = {"d", SETTING_DURATION, 0, "5", 500, 60000, "TIME", "a time span"},
	[BOOLEAN] = {"b", SETTING_BOOLEAN, 0, "true", 0, 0, "BOOL", "a boolean"},
	[STRING] = {"t", SETTING_STRING, 0, "none", 0, 0, "NAME", "a string"},
	[COMMAND] = {"p", SETTING_STRING, 0, "none", 1, 0, "COMMAND", "a command"},
	[LIST] = {"l", SETTING_LIST, 0, "none", 0, 0, "A,...", "a list"},
	[LIST_NEEDED] = {"m", SETTING_LIST, 0, "a", 1, 0, "A,...", "a list with items"},
	[CHOICE] = {"c", SETTING_CHOICE, 0, "tls", 0, 0, "tls|none|other", "a choice"},
	[TEXT] = {"x", SETTING_TEXT, 0, "none", 0, 0, "SHELL", "a text"},
	[VARIABLES] = {"v", SETTING_MAP, 0, "none", 1, 0, "NAME=VALUE,...", "variables"},
	[DIRECTIVES] = {"o", SETTING_MAP, 0, "none", 0, 0, "NAME=VALUE,...", "directives"},
};

union value {
	int64_t number;
	bool boolean;
	int choice;
	char *text;
	struct strv list;
};

static union value value;

static void setup(void)
{
	value = (union value){0};
}

static void check_format(enum which which, const char *expected)
{
	char *text = value_format(&kinds[which], &value);

	ck_assert_str_eq(text, expected);
	free(text);
}

/* Value by value, one after the other, from JSON: a string is the form of options. */
static const struct {
	enum which which;
	const char *given[3]; /* JSON; NULL ends */
	const char *format, *json;
} good[] = {
	{INTEGER, {"3"}, "3", "3"},
	{INTEGER, {"\"3\""}, "3", "3"},
	{INTEGER, {"4.0"}, "4", "4"},
	{SIZE, {"\"1.5 GiB\""}, "1536 MiB", "\"1536 MiB\""},
	{MEMORY, {"\"2 GiB\"", "\"None\""}, "none", "\"none\""},
	{MEMORY, {"\"node\""}, "node", "\"node\""},
	{MEMORY, {"0"}, "node", "\"node\""},
	{MEMORY, {"\"0 GiB\""}, "node", "\"node\""},
	{MEMORY, {"\"none\"", "\"2 GiB\""}, "2 GiB", "\"2 GiB\""},
	{WALLTIME_OR_NONE, {"\"none\""}, "none", "\"none\""},
	{WALLTIME_OR_NONE, {"90"}, "01:30:00", "\"01:30:00\""},
	{WALLTIME, {"90"}, "01:30:00", "\"01:30:00\""},
	{DURATION, {"1.5"}, "1500 ms", "1.5"},
	{DURATION, {"\"1 min\""}, "60", "60"},
	{BOOLEAN, {"true"}, "true", "true"},
	{BOOLEAN, {"\"no\""}, "false", "false"},
	{STRING, {"\"a b\""}, "a b", "\"a b\""},
	{STRING, {"\"a\"", "null"}, "none", "null"},
	{STRING, {"\"a\"", "\"none\""}, "none", "null"},
	{STRING, {"7"}, "7", "\"7\""},
	{COMMAND, {"\"env A=b c\""}, "env A=b c", "\"env A=b c\""},
	{COMMAND, {"[\"env\", \"A=it is\"]"}, "env 'A=it is'", "\"env 'A=it is'\""},
	{LIST, {"[\"a,b\", \"c\"]"}, "\"a,b\", c", "[\"a,b\", \"c\"]"},
	{LIST, {"\"a, b\""}, "a, b", "[\"a\", \"b\"]"},
	{LIST, {"[\"a\"]", "[\"b\"]"}, "b", "[\"b\"]"},
	{LIST, {"[\"a\"]", "null"}, "none", "[]"},
	{LIST, {"[\"a\"]", "[]"}, "none", "[]"},
	{LIST, {"[\"none\"]"}, "\"none\"", "[\"none\"]"},
	{CHOICE, {"\"tls\""}, "tls", "\"tls\""},
	{CHOICE, {"\"NONE\""}, "none", "\"none\""},
	{TEXT, {"\"a\\n  b\\n\""}, "a\n  b\n", "\"a\\n  b\\n\""},
	{TEXT, {"[\"a\", \"b, c\"]"}, "a\nb, c\n", "\"a\\nb, c\\n\""},
	{TEXT, {"\"a\"", "null"}, "none", "null"},
	{TEXT, {"\"a\"", "[]"}, "none", "null"},
	{VARIABLES, {"{\"A\": \"1\", \"B\": 2}"}, "A=1, B=2", "{\"A\": \"1\", \"B\": \"2\"}"},
	{VARIABLES, {"{\"A\": \"1\"}", "{\"B\": \"x,y\"}"}, "A=1, \"B=x,y\"",
		"{\"A\": \"1\", \"B\": \"x,y\"}"},
	{VARIABLES, {"\"A=1,B=2\"", "\"A=3\""}, "A=3, B=2", "{\"A\": \"3\", \"B\": \"2\"}"},
	{VARIABLES, {"\"A=1,B=2\"", "{\"A\": null}"}, "B=2", "{\"B\": \"2\"}"},
	{VARIABLES, {"[\"A=1,2\", \"B=\"]"}, "\"A=1,2\", B=", "{\"A\": \"1,2\", \"B\": \"\"}"},
	{VARIABLES, {"\"A=1\"", "\"none\"", "\"B=2\""}, "B=2", "{\"B\": \"2\"}"},
	{VARIABLES, {"\"A=1\"", "null"}, "none", "{}"},
	{DIRECTIVES, {"{\"exclusive\": null, \"--gres\": \"gpu:1\"}"}, "exclusive, gres=gpu:1",
		"{\"exclusive\": null, \"gres\": \"gpu:1\"}"},
	{DIRECTIVES, {"[\"--exclusive\", {\"mail-type\": \"END,FAIL\"}]"},
		"exclusive, \"mail-type=END,FAIL\"",
		"{\"exclusive\": null, \"mail-type\": \"END,FAIL\"}"},
	{DIRECTIVES, {"{\"exclusive\": true}"}, "exclusive=true", "{\"exclusive\": \"true\"}"},
};

START_TEST(values)
{
	const struct setting *setting = &kinds[good[_i].which];
	json_t *expected = json_loads(good[_i].json, JSON_DECODE_ANY, NULL), *written;
	struct err err = ERR_INIT;
	union value copy = {0};
	char *text;

	for (int i = 0; i < 3 && good[_i].given[i]; i++) {
		json_t *json = json_loads(good[_i].given[i], JSON_DECODE_ANY, NULL);

		ck_assert_ptr_nonnull(json);
		ck_assert_msg(value_set_json(setting, &value, json, &err) == 0, "%s: %s",
			good[_i].given[i], err.text);
		json_decref(json);
	}
	check_format(good[_i].which, good[_i].format);
	written = value_to_json(setting, &value);
	ck_assert(json_equal(expected, written));
	/* Both forms are read as the same value. */
	value_copy(setting, &copy, &value);
	value_release(setting, &value);
	setup();
	ck_assert_int_eq(value_set_json(setting, &value, written, &err), 0);
	check_format(good[_i].which, good[_i].format);
	value_release(setting, &value);
	setup();
	if (json_array_size(written) != 1 || good[_i].format[0] != 'n') { /* ["none"] */
		text = value_format(setting, &copy);
		ck_assert_int_eq(value_set_text(setting, &value, text, &err), 0);
		check_format(good[_i].which, good[_i].format);
		free(text);
	}
	value_release(setting, &value);
	value_release(setting, &copy);
	json_decref(expected);
	json_decref(written);
}
END_TEST

static const struct {
	enum which which;
	const char *before, *given; /* JSON */
	int code;
	const char *text;
} bad[] = {
	{INTEGER, "5", "0", -ERANGE, "from 1 to 9"},
	{INTEGER, "5", "\"x\"", -EINVAL, "\"x\" is not a whole number, from 1 to 9"},
	{INTEGER, "5", "null", -EINVAL,
		"the value is missing: give a whole number, from 1 to 9"},
	{INTEGER, "5", "[5]", -EINVAL, "a list is not possible here"},
	{INTEGER, "5", "{}", -EINVAL, "a mapping is not possible here"},
	{SIZE, "\"1 GiB\"", "\"9 MiB\"", -ERANGE, "9 MiB is too little: at least 10 MiB"},
	{SIZE, "\"1 GiB\"", "\"3 GiB\"", -ERANGE, "3 GiB is too much: at most 2 GiB"},
	{WALLTIME_OR_NONE, "90", "\"0:00\"", -ERANGE, "longer than 0"},
	{WALLTIME, "90", "\"0:59\"", -ERANGE, "at least 00:01:00"},
	{DURATION, "5", "0.1", -ERANGE, "at least 500 ms"},
	{DURATION, "5", "\"2 min\"", -ERANGE, "at most 1 min"},
	{BOOLEAN, "true", "\"maybe\"", -EINVAL, "\"maybe\""},
	{BOOLEAN, "true", "null", -EINVAL, "give true or false"},
	{STRING, "\"a\"", "\"b\\nc\"", -EINVAL, "one line"},
	{STRING, "\"a\"", "\"\\u001b[1m\"", -EINVAL, "control characters"},
	{STRING, "\"a\"", "[\"b\"]", -EINVAL, "one value: NAME"},
	{LIST, "[\"a\"]", "[1]", -EINVAL, "item 1 of the list is not a string"},
	{LIST, "[\"a\"]", "[\"b\", null]", -EINVAL, "item 2 of the list is not a string"},
	{LIST, "[\"a\"]", "{\"b\": 1}", -EINVAL, "a list, or A,..."},
	{LIST_NEEDED, "[\"a\"]", "[]", -EINVAL, "\"[]\" is empty: give A,..."},
	{LIST_NEEDED, "[\"a\"]", "\" , \"", -EINVAL, "\" , \" is empty"},
	{LIST_NEEDED, "[\"a\"]", "null", -EINVAL, "\"none\" is empty"},
	{CHOICE, "\"none\"", "\"tsl\"", -EINVAL,
		"\"tsl\" is not known: give one of tls, none, other; did you mean \"tls\"?"},
	{CHOICE, "\"none\"", "\"xyz\"", -EINVAL, "give one of tls, none, other"},
	{CHOICE, "\"none\"", "null", -EINVAL, "give one of tls, none, other"},
	{CHOICE, "\"none\"", "false", -EINVAL, "\"false\" is not known"},
	{TEXT, "\"a\"", "{}", -EINVAL, "a mapping is not possible here"},
	{TEXT, "\"a\"", "[1]", -EINVAL, "item 1"},
	{VARIABLES, "\"A=1\"", "\"A=2,B\"", -EINVAL, "\"B\" has no value: give NAME=value"},
	{VARIABLES, "\"A=1\"", "{\"A\": 2, \"1B\": 3}", -EINVAL,
		"\"1B\" cannot name a variable"},
	{VARIABLES, "\"A=1\"", "{\"A\": []}", -EINVAL, "A must have one plain value"},
	{VARIABLES, "\"A=1\"", "[\"A=2\", 7]", -EINVAL, "item 2 is not \"NAME=value\""},
	{VARIABLES, "\"A=1\"", "\"A=\\\"2\"", -EINVAL, "a quote has no end"},
	{DIRECTIVES, "\"nice\"", "{\"b;c\": 1}", -EINVAL, "\"b;c=1\" names no option"},
	{DIRECTIVES, "\"nice\"", "{\"mem\": 1}", -EPERM, "mem=1: --mem is set by draco"},
	{DIRECTIVES, "\"nice\"", "[\"nice=1\", \"--nice\"]", -EINVAL, "--nice is given twice"},
	{DIRECTIVES, "\"nice\"", "\"nice=1, nice=1\"", -EINVAL, "--nice is given twice"},
};

START_TEST(refusals)
{
	const struct setting *setting = &kinds[bad[_i].which];
	json_t *before = json_loads(bad[_i].before, JSON_DECODE_ANY, NULL);
	json_t *given = json_loads(bad[_i].given, JSON_DECODE_ANY, NULL);
	json_t *was, *is;
	struct err err = ERR_INIT;

	ck_assert(before && given);
	ck_assert_int_eq(value_set_json(setting, &value, before, &err), 0);
	was = value_to_json(setting, &value);
	ck_assert_int_eq(value_set_json(setting, &value, given, &err), bad[_i].code);
	unit_assert_err(&err, bad[_i].code, bad[_i].text);
	ck_assert_int_eq(value_set_json(setting, &value, given, NULL), bad[_i].code);
	is = value_to_json(setting, &value);
	ck_assert(json_equal(was, is));
	value_release(setting, &value);
	json_decref(before);
	json_decref(given);
	json_decref(was);
	json_decref(is);
}
END_TEST

/* A text option is taken as it is, and a choice is an int for an enum. */
START_TEST(members)
{
	enum { TLS, NO, OTHER } choice = TLS;
	struct err err = ERR_INIT;

	ck_assert_int_eq(value_set_text(&kinds[CHOICE], &choice, "other", &err), 0);
	ck_assert_int_eq(choice, OTHER);
	ck_assert_int_eq(value_set_text(&kinds[CHOICE], &choice, "none", &err), 0);
	ck_assert_int_eq(choice, NO);
	ck_assert(!value_is_none(&kinds[CHOICE], &choice));
	ck_assert_int_eq(value_set_text(&kinds[TEXT], &value, " a, \"b\"\n\n", &err), 0);
	ck_assert_str_eq(value.text, " a, \"b\"\n\n");
	ck_assert(!value_is_none(&kinds[TEXT], &value));
	ck_assert_int_eq(value_set_text(&kinds[TEXT], &value, "", &err), 0);
	ck_assert_ptr_null(value.text);
	ck_assert(value_is_none(&kinds[TEXT], &value));
}
END_TEST

START_TEST(descriptions)
{
	for (size_t i = 0; i < LENGTH(kinds); i++) {
		char *form = value_describe(&kinds[i]), *range = value_range(&kinds[i]);

		ck_assert_uint_gt(strlen(form), 5);
		ck_assert((range != NULL) == (kinds[i].type <= SETTING_DURATION));
		free(form);
		free(range);
	}
}
END_TEST

static const struct {
	enum which which;
	const char *range;
} ranges[] = {
	{INTEGER, "from 1 to 9"},
	{SIZE, "from 10 MiB to 2 GiB"},
	{WALLTIME, "at least 00:01:00"},
	{DURATION, "from 500 ms to 1 min"},
};

START_TEST(range)
{
	char *text = value_range(&kinds[ranges[_i].which]);

	ck_assert_str_eq(text, ranges[_i].range);
	free(text);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("settings_value");
	TCase *tcase = tcase_create("settings_value");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, values, 0, LENGTH(good));
	tcase_add_loop_test(tcase, refusals, 0, LENGTH(bad));
	tcase_add_test(tcase, members);
	tcase_add_test(tcase, descriptions);
	tcase_add_loop_test(tcase, range, 0, LENGTH(ranges));
	suite_add_tcase(suite, tcase);
	return suite;
}
