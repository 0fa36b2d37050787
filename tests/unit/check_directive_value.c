/* check_directive_value.c: tests of common/directive_value.c: values by their kinds. */
#include "unit.h"

#include "common/alloc.h"
#include "common/directive_value.h"
#include "common/directives.h"

#define NOW 1899627630

static const struct {
	enum directive_id id; /* an option of the kind */
	const char *text;
	int code;
	int64_t number[3]; /* 7 where nothing is put */
} rows[] = {
	{DIRECTIVE_COMMENT, "it's a \"text\"", 0, {7, 7, 7}},
	{DIRECTIVE_COMMENT, "", -EINVAL, {0}},
	{DIRECTIVE_COMMENT, "two\nlines", -EINVAL, {0}},
	{DIRECTIVE_COMMENT, "bell\a", -EINVAL, {0}},
	{DIRECTIVE_CONTIGUOUS, "true", 0, {1, 7, 7}},
	{DIRECTIVE_CONTIGUOUS, "no", 0, {0, 7, 7}},
	{DIRECTIVE_CONTIGUOUS, "maybe", -EINVAL, {0}},
	{DIRECTIVE_CORE_SPEC, "0", 0, {0, 7, 7}},
	{DIRECTIVE_CORE_SPEC, "32767", 0, {32767, 7, 7}},
	{DIRECTIVE_CORE_SPEC, "32768", -ERANGE, {0}},
	{DIRECTIVE_CORE_SPEC, "one", -EINVAL, {0}},
	{DIRECTIVE_NICE, "-2147483645", 0, {-2147483645, 7, 7}},
	{DIRECTIVE_NICE, "2147483646", -ERANGE, {0}},
	{DIRECTIVE_PRIORITY, "1", 0, {1, 7, 7}},
	{DIRECTIVE_PRIORITY, "TOP", 0, {-1, 7, 7}},
	{DIRECTIVE_PRIORITY, "0", -ERANGE, {0}},
	{DIRECTIVE_TMP, "100", 0, {100, 7, 7}},
	{DIRECTIVE_TMP, "2 GiB", 0, {2048, 7, 7}},
	{DIRECTIVE_TMP, "100 apples", -EINVAL, {0}},
	{DIRECTIVE_TMP, "9999 TiB", -ERANGE, {0}},
	{DIRECTIVE_DELAY_BOOT, "1:30", 0, {90, 7, 7}},
	{DIRECTIVE_DELAY_BOOT, "1-0", 0, {86400, 7, 7}},
	{DIRECTIVE_DELAY_BOOT, "soon", -EINVAL, {0}},
	{DIRECTIVE_BEGIN, "now+1hour", 0, {NOW + 3600, 7, 7}},
	{DIRECTIVE_BEGIN, "someday", -EINVAL, {0}},
	{DIRECTIVE_EXCLUSIVE, "USER", 0, {EXCLUSIVE_WORD_USER, 7, 7}},
	{DIRECTIVE_EXCLUSIVE, "true", 0, {EXCLUSIVE_WORD_TRUE, 7, 7}},
	{DIRECTIVE_EXCLUSIVE, "user,mcs", -EINVAL, {0}},
	{DIRECTIVE_MAIL_TYPE, "end", 0, {1 << MAIL_WORD_END, 7, 7}},
	{DIRECTIVE_MAIL_TYPE, "END,fail,END", 0,
		{1 << MAIL_WORD_END | 1 << MAIL_WORD_FAIL, 7, 7}},
	{DIRECTIVE_MAIL_TYPE, "END,x", -EINVAL, {0}},
	{DIRECTIVE_MAIL_TYPE, ",", -EINVAL, {0}},
	{DIRECTIVE_GPUS, "2", 0, {7, 7, 7}},
	{DIRECTIVE_GPUS, "a100:2", 0, {7, 7, 7}},
	{DIRECTIVE_GPUS, "a100:1,v100-32.x_y:1", 0, {7, 7, 7}},
	{DIRECTIVE_GPUS, "0", -EINVAL, {0}},
	{DIRECTIVE_GPUS, ":2", -EINVAL, {0}},
	{DIRECTIVE_GPUS, "a100:", -EINVAL, {0}},
	{DIRECTIVE_GPUS, "a 100:2", -EINVAL, {0}},
	{DIRECTIVE_GPUS, "a100:2:3", -EINVAL, {0}},
	{DIRECTIVE_GPUS, ",", -EINVAL, {0}},
	{DIRECTIVE_SIGNAL, "USR1", 0, {10, 60, 0}},
	{DIRECTIVE_SIGNAL, "SIGusr1@0", 0, {10, 0, 0}},
	{DIRECTIVE_SIGNAL, "9@300", 0, {9, 300, 0}},
	{DIRECTIVE_SIGNAL, "B:TERM@10", 0, {15, 10, SIGNAL_TO_BATCH}},
	{DIRECTIVE_SIGNAL, "rb:TERM", 0, {15, 60, SIGNAL_TO_BATCH | SIGNAL_TO_RESERVATION}},
	{DIRECTIVE_SIGNAL, "X:TERM", -EINVAL, {0}},
	{DIRECTIVE_SIGNAL, "NOSUCH", -EINVAL, {0}},
	{DIRECTIVE_SIGNAL, "0", -EINVAL, {0}},
	{DIRECTIVE_SIGNAL, "TERM@", -EINVAL, {0}},
	{DIRECTIVE_SIGNAL, "TERM@65534", -EINVAL, {0}},
	{DIRECTIVE_SIGNAL, "@60", -EINVAL, {0}},
	{DIRECTIVE_SWITCHES, "2", 0, {2, -1, 7}},
	{DIRECTIVE_SWITCHES, "1@10:00", 0, {1, 600, 7}},
	{DIRECTIVE_SWITCHES, "0", -EINVAL, {0}},
	{DIRECTIVE_SWITCHES, "1@", -EINVAL, {0}},
	{DIRECTIVE_SWITCHES, "@10", -EINVAL, {0}},
	{DIRECTIVE_EXTRA_NODE_INFO, "2", 0, {2, -1, -1}},
	{DIRECTIVE_EXTRA_NODE_INFO, "2:*:1", 0, {2, -1, 1}},
	{DIRECTIVE_EXTRA_NODE_INFO, "2:8:1", 0, {2, 8, 1}},
	{DIRECTIVE_EXTRA_NODE_INFO, "2:8:1:1", -EINVAL, {0}},
	{DIRECTIVE_EXTRA_NODE_INFO, "2:0", -EINVAL, {0}},
	{DIRECTIVE_EXTRA_NODE_INFO, "x", -EINVAL, {0}},
};

START_TEST(value)
{
	const struct directive_type *type = &directive_types[rows[_i].id];
	char *text = unit_tight(rows[_i].text, strlen(rows[_i].text) + 1);
	struct err err = ERR_INIT;
	int64_t number[3] = {7, 7, 7};
	int r = directive_value_parse(type, text, NOW, number, &err);

	ck_assert_msg(r == rows[_i].code, "%d: %s", r, err.text);
	if (r < 0) {
		ck_assert_int_eq(err.code, r);
		ck_assert_uint_gt(strlen(err.text), 10);
		ck_assert_int_eq(directive_value_parse(type, text, NOW, number, NULL), r);
	}
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(number[i], r < 0 ? 7 : rows[_i].number[i]);
	free(text);
}
END_TEST

/* 4096 characters are a text, one more is not. */
START_TEST(length)
{
	char *text = xcalloc(4098, 1);
	int64_t number[3];
	struct err err = ERR_INIT;
	const struct directive_type *type = &directive_types[DIRECTIVE_COMMENT];

	memset(text, 'x', 4096);
	ck_assert_int_eq(directive_value_parse(type, text, NOW, number, &err), 0);
	text[4096] = 'x';
	ck_assert_int_eq(directive_value_parse(type, text, NOW, number, &err), -EINVAL);
	unit_assert_err(&err, -EINVAL, "4096");
	free(text);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("directive_value");
	TCase *tcase = tcase_create("directive_value");

	tcase_add_loop_test(tcase, value, 0, LENGTH(rows));
	tcase_add_test(tcase, length);
	suite_add_tcase(suite, tcase);
	return suite;
}
