/* check_strv.c: tests of common/strv.c. */
#include "unit.h"

#include "common/strv.h"

/* The list has these items (NULL ends them), and a NULL behind them. */
static void check_items(const struct strv *list, const char *const *items)
{
	size_t count = 0;

	for (; items[count]; count++) {
		ck_assert_uint_lt(count, list->count);
		ck_assert_str_eq(list->item[count], items[count]);
	}
	ck_assert_uint_eq(list->count, count);
	if (list->item)
		ck_assert_ptr_null(list->item[count]);
}

#define check_list(list, ...) check_items(list, (const char *const[]){__VA_ARGS__ NULL})

START_TEST(empty)
{
	struct strv list = STRV_INIT;
	char *text;

	check_list(&list, );
	ck_assert_ptr_null(list.item);
	ck_assert(!strv_has(&list, ""));
	text = strv_join(&list, ", ");
	ck_assert_str_eq(text, "");
	free(text);
	strv_finish(&list);
	strv_finish(&list);
}
END_TEST

START_TEST(adds)
{
	struct strv list = STRV_INIT;
	char text[] = "one";

	strv_add(&list, text);
	text[0] = 'X'; /* it has a copy */
	check_list(&list, "one", );
	strv_addf(&list, "%s-%d", "two", 2);
	strv_take(&list, strdup("three"));
	strv_add(&list, "");
	check_list(&list, "one", "two-2", "three", "", );
	ck_assert(strv_has(&list, "three"));
	ck_assert(strv_has(&list, ""));
	ck_assert(!strv_has(&list, "thre"));
	ck_assert(!strv_has(&list, "threee"));
	ck_assert(!strv_remove(&list, "thre"));
	ck_assert(strv_remove(&list, ""));
	ck_assert(!strv_has(&list, ""));
	ck_assert(strv_has(&list, "three"));
	strv_add(&list, "");
	strv_finish(&list);
	check_list(&list, );
	strv_add(&list, "again");
	check_list(&list, "again", );
	strv_finish(&list);
}
END_TEST

START_TEST(equal)
{
	static const char *const lists[] = {"", "a", "b", "a,b", "b,a", "a,b,c"};

	for (size_t i = 0; i < LENGTH(lists); i++)
		for (size_t j = 0; j < LENGTH(lists); j++) {
			struct strv a = STRV_INIT, b = STRV_INIT;

			strv_split(&a, lists[i], ',');
			strv_split(&b, lists[j], ',');
			ck_assert_int_eq(strv_equal(&a, &b), i == j);
			strv_finish(&a);
			strv_finish(&b);
		}
}
END_TEST

START_TEST(grows)
{
	struct strv list = STRV_INIT;

	for (int i = 0; i < 1000; i++) {
		strv_addf(&list, "%d", i);
		ck_assert_ptr_null(list.item[i + 1]);
	}
	ck_assert_uint_eq(list.count, 1000);
	ck_assert_str_eq(list.item[0], "0");
	ck_assert_str_eq(list.item[999], "999");
	strv_finish(&list);
}
END_TEST

START_TEST(copies)
{
	struct strv list = STRV_INIT, copy = STRV_INIT, none = STRV_INIT;

	strv_add(&list, "a");
	strv_add(&list, "b");
	strv_add(&copy, "old");
	strv_copy(&copy, &list);
	check_list(&copy, "a", "b", );
	ck_assert_ptr_ne(copy.item[0], list.item[0]);
	strv_copy(&copy, &copy);
	check_list(&copy, "a", "b", );
	strv_finish(&list);
	check_list(&copy, "a", "b", );
	strv_copy(&copy, &none);
	check_list(&copy, );
	strv_finish(&copy);
}
END_TEST

static const struct {
	const char *text;
	const char *items[5];
} splits[] = {
	{"", {NULL}},
	{" ", {NULL}},
	{",", {NULL}},
	{" , ,, ", {NULL}},
	{"short", {"short", NULL}},
	{"short,standard", {"short", "standard", NULL}},
	{" short , standard ", {"short", "standard", NULL}},
	{",short,,standard,", {"short", "standard", NULL}},
	{"a b, c\td", {"a b", "c\td", NULL}},
	{"a;b,c", {"a;b", "c", NULL}},
	{"\t\na\r\n,b", {"a", "b", NULL}},
	{"\xff,\xc3\xa9", {"\xff", "\xc3\xa9", NULL}},
};

START_TEST(split)
{
	struct strv list = STRV_INIT;
	char *tight = unit_tight(splits[_i].text, strlen(splits[_i].text) + 1);

	strv_split(&list, tight, ',');
	check_items(&list, splits[_i].items);
	free(tight);
	strv_finish(&list);
}
END_TEST

START_TEST(split_adds_to_what_is_there)
{
	struct strv list = STRV_INIT;

	strv_add(&list, "first");
	strv_split(&list, "/usr/bin:/bin", ':');
	check_list(&list, "first", "/usr/bin", "/bin", );
	strv_finish(&list);
}
END_TEST

START_TEST(join)
{
	struct strv list = STRV_INIT;
	char *text;

	strv_add(&list, "a");
	text = strv_join(&list, ", ");
	ck_assert_str_eq(text, "a");
	free(text);
	strv_add(&list, "");
	strv_add(&list, "c d");
	text = strv_join(&list, ", ");
	ck_assert_str_eq(text, "a, , c d");
	free(text);
	text = strv_join(&list, "");
	ck_assert_str_eq(text, "ac d");
	free(text);
	strv_finish(&list);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("strv");
	TCase *tcase = tcase_create("strv");

	tcase_add_test(tcase, empty);
	tcase_add_test(tcase, adds);
	tcase_add_test(tcase, equal);
	tcase_add_test(tcase, grows);
	tcase_add_test(tcase, copies);
	tcase_add_loop_test(tcase, split, 0, LENGTH(splits));
	tcase_add_test(tcase, split_adds_to_what_is_there);
	tcase_add_test(tcase, join);
	suite_add_tcase(suite, tcase);
	return suite;
}
