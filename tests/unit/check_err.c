/* check_err.c: tests of common/err.c. */
#include "unit.h"

START_TEST(set_fills_and_returns)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(err.code, 0);
	ck_assert_str_eq(err.text, "");
	ck_assert_int_eq(err_set(&err, -EINVAL, "walltime %s is %d", "x", 7), -EINVAL);
	ck_assert_int_eq(err.code, -EINVAL);
	ck_assert_str_eq(err.text, "walltime x is 7");
	ck_assert_int_eq(err_set(&err, -ENOENT, "%s", ""), -ENOENT);
	ck_assert_int_eq(err.code, -ENOENT);
	ck_assert_str_eq(err.text, "");
}
END_TEST

START_TEST(set_without_err)
{
	ck_assert_int_eq(err_set(NULL, -EINVAL, "%s", "nobody reads this"), -EINVAL);
	ck_assert_int_eq(err_prefix(NULL, "%s", "nor this"), 0);
}
END_TEST

START_TEST(set_may_refer_to_its_own_text)
{
	struct err err = ERR_INIT;

	err_set(&err, -EINVAL, "inner");
	err_set(&err, -EIO, "outer(%s, %s)", err.text, err.text);
	ck_assert_str_eq(err.text, "outer(inner, inner)");
	ck_assert_int_eq(err.code, -EIO);
}
END_TEST

/* A text of each length around the limit: whole when it fits, else cut with "...". */
START_TEST(set_cuts_long_texts)
{
	static const size_t lengths[] = {1, ERR_TEXT_MAX - 2, ERR_TEXT_MAX - 1, ERR_TEXT_MAX,
		ERR_TEXT_MAX + 1, ERR_TEXT_MAX + 2, 2 * ERR_TEXT_MAX, 100000};

	for (size_t i = 0; i < LENGTH(lengths); i++) {
		struct err *err = calloc(1, sizeof(*err)); /* so that ASan guards its end */
		char *text = malloc(lengths[i] + 1);

		memset(text, 'x', lengths[i]);
		text[lengths[i]] = '\0';
		err_set(err, -EINVAL, "%s", text);
		if (lengths[i] < ERR_TEXT_MAX) {
			ck_assert_str_eq(err->text, text);
		} else {
			ck_assert_uint_eq(strlen(err->text), ERR_TEXT_MAX - 1);
			ck_assert_str_eq(err->text + ERR_TEXT_MAX - 5, "x...");
		}
		free(text);
		free(err);
	}
}
END_TEST

START_TEST(prefix_goes_in_front)
{
	struct err err = ERR_INIT;

	err_set(&err, -ERANGE, "5 is too much");
	ck_assert_int_eq(err_prefix(&err, "%s", "cores"), -ERANGE);
	ck_assert_str_eq(err.text, "cores: 5 is too much");
	ck_assert_int_eq(err_prefix(&err, "%s:%d", "draco.yaml", 3), -ERANGE);
	ck_assert_str_eq(err.text, "draco.yaml:3: cores: 5 is too much");
	ck_assert_int_eq(err.code, -ERANGE);
}
END_TEST

/* Prefix and text of every length around the limit: the result is the beginning of both. */
START_TEST(prefix_cuts_long_texts)
{
	static const size_t lengths[] = {0, 1, ERR_TEXT_MAX / 2, ERR_TEXT_MAX - 5,
		ERR_TEXT_MAX - 4, ERR_TEXT_MAX - 3, ERR_TEXT_MAX - 2, ERR_TEXT_MAX - 1};

	for (size_t i = 0; i < LENGTH(lengths); i++)
		for (size_t j = 0; j < LENGTH(lengths); j++) {
			struct err *err = calloc(1, sizeof(*err));
			char prefix[ERR_TEXT_MAX] = "", text[ERR_TEXT_MAX] = "";
			char both[2 * ERR_TEXT_MAX + 2];
			size_t kept;

			memset(prefix, 'p', lengths[i]);
			memset(text, 't', lengths[j]);
			snprintf(both, sizeof(both), "%s: %s", prefix, text);
			err_set(err, -EINVAL, "%s", text);
			ck_assert_int_eq(err_prefix(err, "%s", prefix), -EINVAL);
			kept = strlen(both) < ERR_TEXT_MAX ? strlen(both) : ERR_TEXT_MAX - 4;
			ck_assert_int_eq(strncmp(err->text, both, kept), 0);
			ck_assert_str_eq(
				err->text + kept, strlen(both) < ERR_TEXT_MAX ? "" : "...");
			free(err);
		}
}
END_TEST

START_TEST(prefix_that_fills_all)
{
	struct err err = ERR_INIT;
	char prefix[2 * ERR_TEXT_MAX];

	memset(prefix, 'p', sizeof(prefix) - 1);
	prefix[sizeof(prefix) - 1] = '\0';
	err_set(&err, -EINVAL, "text");
	ck_assert_int_eq(err_prefix(&err, "%s", prefix), -EINVAL);
	ck_assert_uint_eq(strlen(err.text), ERR_TEXT_MAX - 1);
	ck_assert_str_eq(err.text + ERR_TEXT_MAX - 5, "p...");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("err");
	TCase *tcase = tcase_create("err");

	tcase_add_test(tcase, set_fills_and_returns);
	tcase_add_test(tcase, set_without_err);
	tcase_add_test(tcase, set_may_refer_to_its_own_text);
	tcase_add_test(tcase, set_cuts_long_texts);
	tcase_add_test(tcase, prefix_goes_in_front);
	tcase_add_test(tcase, prefix_cuts_long_texts);
	tcase_add_test(tcase, prefix_that_fills_all);
	suite_add_tcase(suite, tcase);
	return suite;
}
