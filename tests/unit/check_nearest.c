/* check_nearest.c: tests of common/nearest.c. */
#include "unit.h"

#include "common/nearest.h"

static const struct {
	const char *name;
	int64_t behind;
} table[] = {
	{"processes", 1},
	{"cores", 2},
	{"memory", 3},
	{NULL, 4},
	{"wait_timeout", 5},
	{"queues_to_try", 6},
	{"minimum", 7},
	{"minimum_walltime", 8},
	{"maximum", 9},
	{"a", 10},
};

static const char *ask(const char *word)
{
	return nearest(word, table, LENGTH(table), sizeof(table[0]));
}

static const struct {
	const char *word, *known;
} rows[] = {
	{"cores", "cores"},  /* itself */
	{"core", "cores"},   /* one left out */
	{"coress", "cores"}, /* one too many */
	{"cpres", "cores"},  /* one replaced */
	{"croes", "cores"},  /* two swapped */
	{"ocres", "cores"},  /* at the beginning */
	{"coers", "cores"},  /* in the middle */
	{"corse", "cores"},  /* at the end */
	{"CORES", "cores"},  /* case does not count */
	{"Cpres", "cores"},  /* nor beside a mistake */
	{"wait-timeout", "wait_timeout"}, {"wait-timeuot", "wait_timeout"},
	{"waittimeout", "wait_timeout"}, {"queues-to-tyr", "queues_to_try"},
	{"memroy", "memory"}, {"memmory", "memory"},
	{"momery", "memory"}, /* two mistakes in six */
	{"mem", "memory"},    /* a beginning */
	{"queues", "queues_to_try"}, {"minimum_wall", "minimum_walltime"},
	{"minimum", "minimum"}, /* itself before what it begins */
	{"minimu", "minimum"},	/* the first of two that it begins */
	{"manimum", "minimum"}, /* as near to maximum: the first */
	{"maximun", "maximum"}, {"processors", "processes"}, /* two replaced, one added */
	{"A", "a"}, {"", NULL}, {"zzz", NULL}, {"memory_of_the_node", NULL},
	{"me", NULL},	    /* too short for a beginning */
	{"cxxes", NULL},    /* two mistakes in five are too many */
	{"walltime", NULL}, /* an end is no beginning */
};

START_TEST(finds)
{
	const char *known = ask(rows[_i].word);

	if (rows[_i].known)
		ck_assert_pstr_eq(known, rows[_i].known);
	else
		ck_assert_msg(known == NULL, "\"%s\" is near to \"%s\"", rows[_i].word, known);
}
END_TEST

START_TEST(answers_with_the_entry_itself)
{
	ck_assert_ptr_eq(ask("memroy"), table[2].name);
}
END_TEST

START_TEST(nothing_known)
{
	ck_assert_ptr_null(nearest("cores", NULL, 0, sizeof(char *)));
	ck_assert_ptr_null(nearest("cores", table, 0, sizeof(table[0])));
	ck_assert_ptr_null(nearest("cores", &table[3], 1, sizeof(table[0])));
}
END_TEST

/* Words of every length, the longest too, on both sides. */
START_TEST(long_words)
{
	char word[200], known[200];
	const char *list[] = {known};

	for (size_t i = 0; i < sizeof(word); i++)
		for (size_t j = 0; j < sizeof(known); j += 1 + j / 4) {
			const char *near;

			memset(word, 'x', i);
			memset(known, 'x', j);
			word[i] = known[j] = '\0';
			near = nearest(word, list, 1, sizeof(list[0]));
			if (near)
				ck_assert_ptr_eq(near, known);
			if (i == j && i > 0 && i <= 64)
				ck_assert_ptr_eq(near, known);
		}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("nearest");
	TCase *tcase = tcase_create("nearest");

	tcase_add_loop_test(tcase, finds, 0, LENGTH(rows));
	tcase_add_test(tcase, answers_with_the_entry_itself);
	tcase_add_test(tcase, nothing_known);
	tcase_add_test(tcase, long_words);
	suite_add_tcase(suite, tcase);
	return suite;
}
