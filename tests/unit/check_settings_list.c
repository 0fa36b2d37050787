/* check_settings_list.c: tests of common/settings_list.c. */
#include "unit.h"

#include "common/settings_list.h"
#include "common/strv.h"

static void check_items(const struct strv *list, const char *const *items)
{
	size_t count = 0;

	for (; items[count]; count++) {
		ck_assert_uint_lt(count, list->count);
		ck_assert_str_eq(list->item[count], items[count]);
	}
	ck_assert_uint_eq(list->count, count);
}

static const struct {
	const char *text;
	const char *items[5];
	const char *written; /* NULL: as text */
} lists[] = {
	{",~", {"~"}, "\"~\""}, /* not the list of nothing */
	{"none, Null", {"none", "Null"}, "\"none\", \"Null\""},
	{"", {NULL}, NULL},
	{" , ,, ", {NULL}, ""},
	{"a", {"a"}, NULL},
	{"a, b", {"a", "b"}, NULL},
	{" a ,b,", {"a", "b"}, "a, b"},
	{"two words,b", {"two words", "b"}, "two words, b"},
	{"\"a,b\", c", {"a,b", "c"}, NULL},
	{"\"\", b", {"", "b"}, NULL},
	{"\" a \"", {" a "}, NULL},
	{"\"say \\\"x\\\"\"", {"say \"x\""}, NULL},
	{"\"a\\\\, b\"", {"a\\, b"}, NULL},
	{"a\\b", {"a\\b"}, NULL},
	{"\"a\\nb\"", {"a\\nb"}, "a\\nb"}, /* only \" and \\ are special */
	{"NAME=\"a,b\" ", {"NAME=a,b"}, "\"NAME=a,b\""},
	{"a\" b \"", {"a b "}, "\"a b \""},
};

START_TEST(list)
{
	struct strv items = STRV_INIT, again = STRV_INIT;
	struct err err = ERR_INIT;
	char *text;

	ck_assert_int_eq(list_parse(lists[_i].text, &items, &err), 0);
	check_items(&items, lists[_i].items);
	text = list_format(&items);
	ck_assert_str_eq(text, lists[_i].written ? lists[_i].written : lists[_i].text);
	ck_assert_int_eq(list_parse(text, &again, &err), 0);
	check_items(&again, lists[_i].items);
	free(text);
	strv_finish(&items);
	strv_finish(&again);
}
END_TEST

START_TEST(list_refuses)
{
	static const char *const texts[] = {"\"", "a,\"b", "\"a\\\"", "\"a\\", "a\"b\"\""};
	struct strv items = STRV_INIT;

	strv_add(&items, "before");
	for (size_t i = 0; i < LENGTH(texts); i++) {
		struct err err = ERR_INIT;

		ck_assert_int_eq(list_parse(texts[i], &items, &err), -EINVAL);
		unit_assert_err(&err, -EINVAL, "a quote has no end");
		ck_assert_uint_eq(items.count, 1);
	}
	strv_finish(&items);
}
END_TEST

START_TEST(list_has_a_limit)
{
	char text[2 * SETTINGS_ITEMS_MAX + 3];
	struct strv items = STRV_INIT;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = i % 2 ? ',' : 'a';
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(list_parse(text, &items, &err), -EINVAL);
	unit_assert_err(&err, -EINVAL, "1000");
	ck_assert_int_eq(list_parse(text + 2, &items, &err), 0);
	ck_assert_uint_eq(items.count, SETTINGS_ITEMS_MAX);
	strv_finish(&items);
}
END_TEST

static int set_item(struct strv *map, enum map_kind kind, const char *item, struct err *err)
{
	return map_set_item(map, kind, item, NULL, err);
}

START_TEST(map_of_variables)
{
	struct strv map = STRV_INIT;
	struct err err = ERR_INIT;

	ck_assert_int_eq(set_item(&map, MAP_VARIABLES, "A=1", &err), 0);
	ck_assert_int_eq(map_set(&map, MAP_VARIABLES, "B_2", "x=y", &err), 0);
	ck_assert_int_eq(map_set(&map, MAP_VARIABLES, "AB", "", &err), 0);
	ck_assert_int_eq(set_item(&map, MAP_VARIABLES, "A=3", &err), 0);
	check_items(&map, (const char *const[]){"A=3", "B_2=x=y", "AB=", NULL});
	ck_assert_str_eq(map_get(&map, "A"), "3");
	ck_assert_str_eq(map_get(&map, "B_2"), "x=y");
	ck_assert_str_eq(map_get(&map, "AB"), "");
	ck_assert_ptr_null(map_get(&map, "B"));
	map_drop(&map, "B_2");
	map_drop(&map, "none");
	check_items(&map, (const char *const[]){"A=3", "AB=", NULL});
	ck_assert_ptr_null(map.item[2]);
	strv_finish(&map);
}
END_TEST

START_TEST(map_of_directives)
{
	struct strv map = STRV_INIT;
	struct err err = ERR_INIT;

	ck_assert_int_eq(set_item(&map, MAP_DIRECTIVES, "--gres=gpu:1", &err), 0);
	ck_assert_int_eq(set_item(&map, MAP_DIRECTIVES, "exclusive", &err), 0);
	ck_assert_int_eq(set_item(&map, MAP_DIRECTIVES, "mail_type=END", &err), 0);
	check_items(
		&map, (const char *const[]){"gres=gpu:1", "exclusive", "mail-type=END", NULL});
	ck_assert_str_eq(map_get(&map, "exclusive"), "");
	ck_assert_int_eq(set_item(&map, MAP_DIRECTIVES, "exclusive=user", &err), 0);
	ck_assert_int_eq(set_item(&map, MAP_DIRECTIVES, "gres", &err), 0);
	ck_assert_int_eq(map_set(&map, MAP_DIRECTIVES, "--mail-type", "ALL", &err), 0);
	check_items(
		&map, (const char *const[]){"gres", "exclusive=user", "mail-type=ALL", NULL});
	strv_finish(&map);
}
END_TEST

/* Each form of one option has the same place. */
START_TEST(directive_in_any_form)
{
	static const char *const forms[] = {"-Afoo", "-A foo", "-A=foo", "--account foo",
		"account=foo", " --account=foo", "account = foo"};

	for (size_t i = 0; i < LENGTH(forms); i++) {
		struct strv map = STRV_INIT;
		struct err err = ERR_INIT;

		ck_assert_int_eq(map_set(&map, MAP_DIRECTIVES, "account", "bar", &err), 0);
		ck_assert_int_eq(set_item(&map, MAP_DIRECTIVES, forms[i], &err), 0);
		check_items(&map, (const char *const[]){"account=foo", NULL});
		strv_finish(&map);
	}
}
END_TEST

START_TEST(directive_given_twice)
{
	struct strv map = STRV_INIT, items = STRV_INIT;
	struct err err = ERR_INIT;

	ck_assert_int_eq(map_set(&map, MAP_DIRECTIVES, "account", "a", &err), 0);
	strv_add(&items, "comment=x");
	strv_add(&items, "account=b");
	ck_assert_int_eq(map_set_items(&map, MAP_DIRECTIVES, &items, &err), 0);
	check_items(&map, (const char *const[]){"account=b", "comment=x", NULL});
	strv_add(&items, "-Ac");
	ck_assert_int_eq(map_set_items(&map, MAP_DIRECTIVES, &items, &err), -EINVAL);
	unit_assert_err(&err, -EINVAL, "--account is given twice");
	check_items(&map, (const char *const[]){"account=b", "comment=x", NULL});
	strv_finish(&items);
	strv_finish(&map);
}
END_TEST

static const struct {
	enum map_kind kind;
	const char *item;
	int code;
	const char *text;
} wrong_items[] = {
	{MAP_VARIABLES, "A", -EINVAL, "\"A\" has no value"},
	{MAP_VARIABLES, "=1", -EINVAL, "\"\" cannot name a variable"},
	{MAP_VARIABLES, "", -EINVAL, "cannot name a variable"},
	{MAP_VARIABLES, "1A=1", -EINVAL, "\"1A\" cannot name a variable"},
	{MAP_VARIABLES, "A-B=1", -EINVAL, "\"A-B\" cannot name a variable"},
	{MAP_VARIABLES, "--A=1", -EINVAL, "\"--A\" cannot name a variable"},
	{MAP_VARIABLES, "A B=1", -EINVAL, "cannot name a variable"},
	{MAP_VARIABLES, "A\n=1", -EINVAL, "cannot name a variable"},
	{MAP_VARIABLES, "\xc3\x84=1", -EINVAL, "cannot name a variable"},
	{MAP_DIRECTIVES, "--=1", -EINVAL, "\"--=1\" names no option of sbatch"},
	{MAP_DIRECTIVES, "", -EINVAL, "\"\" names no option of sbatch"},
	{MAP_DIRECTIVES, "-z 1", -EINVAL, "-z 1: draco does not know what -z is short for"},
	{MAP_DIRECTIVES, "-c4", -EPERM, "-c4: --cpus-per-task is set by draco"},
};

START_TEST(map_refuses)
{
	enum map_kind kind = wrong_items[_i].kind;
	const char *item = kind == MAP_VARIABLES ? "X=1" : "comment=1";
	struct strv map = STRV_INIT;
	struct err err = ERR_INIT;

	ck_assert_int_eq(set_item(&map, kind, item, &err), 0);
	ck_assert_int_eq(
		set_item(&map, kind, wrong_items[_i].item, &err), wrong_items[_i].code);
	unit_assert_err(&err, wrong_items[_i].code, wrong_items[_i].text);
	check_items(&map, (const char *const[]){item, NULL});
	strv_finish(&map);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("settings_list");
	TCase *tcase = tcase_create("settings_list");

	tcase_add_loop_test(tcase, list, 0, LENGTH(lists));
	tcase_add_test(tcase, list_refuses);
	tcase_add_test(tcase, list_has_a_limit);
	tcase_add_test(tcase, map_of_variables);
	tcase_add_test(tcase, map_of_directives);
	tcase_add_test(tcase, directive_in_any_form);
	tcase_add_test(tcase, directive_given_twice);
	tcase_add_loop_test(tcase, map_refuses, 0, LENGTH(wrong_items));
	suite_add_tcase(suite, tcase);
	return suite;
}
