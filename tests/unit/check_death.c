/* check_death.c: tests of daemon/policy/death.c. */
#include "unit.h"

#include <string.h>

#include "daemon/policy/death.h"

static const struct {
	const char *death;
	bool of_memory;
	const char *text; /* NULL: nothing is known */
} rows[] = {
	{"null", false, NULL},
	{"{}", false, NULL},
	{"{'tasks': 1, 'task': 'load'}", false, "task \"load\" ran"},
	{"{'tasks': 3, 'task': 'load'}", false, "task \"load\" and 2 more ran"},
	{"{'memory': 2048}", false, "its process had 2.0 KiB"},
	{"{'memory': 1024, 'limit': 2048}", false, "its process had 1.0 KiB of 2.0 KiB"},
	{"{'memory': 1536, 'limit': 2048}", false, "its process had 1.5 KiB of 2.0 KiB"},
	{"{'memory': 1537, 'limit': 2048}", true, "its process had 1.5 KiB of 2.0 KiB"},
	{"{'memory': 9223372036854775807, 'limit': 1}", true,
		"its process had 8388608.0 TiB of 1 bytes"},
	{"{'held': 2048, 'results': [['a', 1024], ['b', 512]]}", false,
		"it held results of 2.0 KiB, the largest \"a\" with 1.0 KiB, \"b\" with 512 bytes"},
	{"{'held': 2048, 'results': [7, ['a'], [1, 'x']]}", false,
		"it held results of 2.0 KiB, the largest \"?\" with 0 bytes, \"a\" with 0 bytes, "
		"\"?\" with 0 bytes"},
	{"{'held': -1, 'tasks': -4, 'memory': -1, 'limit': -1}", false, NULL},
	{"{'tasks': 1, 'task': 'a\\u001b[2J'}", false, "task \"a\\x1b[2J\" ran"},
	{"{'tasks': 'x', 'memory': [], 'results': {}}", false, NULL},
};

static json_t *parse(const char *text)
{
	char *copy = strdup(text);
	json_t *value;

	for (char *at = copy; (at = strchr(at, '\''));)
		*at = '"';
	value = json_loads(copy, JSON_DECODE_ANY, NULL);
	ck_assert_msg(value != NULL, "%s", copy);
	free(copy);
	return value;
}

START_TEST(table)
{
	json_t *death = parse(rows[_i].death);
	char *text = death_describe(death);

	ck_assert_int_eq(death_is_of_memory(death), rows[_i].of_memory);
	if (rows[_i].text)
		ck_assert_pstr_eq(text, rows[_i].text);
	else
		ck_assert_ptr_null(text);
	free(text);
	json_decref(death);
}
END_TEST

/* Whoever can reach a scheduler without TLS chooses the names of tasks. */
START_TEST(long_name)
{
	json_t *death = json_pack("{s:i}", "tasks", 1);
	char *name = calloc(600001, 1), *text;

	memset(name, 'x', 600000);
	json_object_set_new(death, "task", json_string(name));
	text = death_describe(death);
	ck_assert_uint_lt(strlen(text), 200);
	free(text);
	free(name);
	json_decref(death);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("death");
	TCase *tcase = tcase_create("death");

	tcase_add_loop_test(tcase, table, 0, LENGTH(rows));
	tcase_add_test(tcase, long_name);
	suite_add_tcase(suite, tcase);
	return suite;
}
