/* check_amount.c: tests of common/amount.c: how large a cluster is asked for, in whole jobs. */
#include "unit.h"

#include "common/amount.h"
#include "common/settings.h"

static const struct {
	int64_t amount, per_job, jobs;
} roundings[] = {
	{0, 4, 0},
	{1, 4, 1},
	{4, 4, 1},
	{5, 4, 2},
	{8, 4, 2},
	{9, 4, 3},
	{7, 1, 7},
	{65536, 81920, 1},
	{INT64_MAX, 1, INT64_MAX},
	{INT64_MAX, 2, INT64_MAX / 2 + 1},
	{INT64_MAX, INT64_MAX, 1},
};

START_TEST(rounding)
{
	ck_assert_int_eq(amount_to_jobs(roundings[_i].amount, roundings[_i].per_job),
		roundings[_i].jobs);
}
END_TEST

/* What is asked for is there, and would not be with one job less. */
START_TEST(rounding_is_tight)
{
	for (int64_t per_job = 1; per_job <= 40; per_job++)
		for (int64_t amount = 0; amount <= 200; amount++) {
			int64_t jobs = amount_to_jobs(amount, per_job);

			unit_require(jobs * per_job >= amount);
			unit_require(jobs == 0 || (jobs - 1) * per_job < amount);
		}
}
END_TEST

static const struct {
	enum amount_unit unit;
	const char *text;
	int64_t amount;
	const char *error; /* NULL: good */
} texts[] = {
	{AMOUNT_WORKERS, "8", 8, NULL},
	{AMOUNT_WORKERS, "0", 0, NULL},
	{AMOUNT_JOBS, " 3 ", 3, NULL},
	{AMOUNT_CORES, "9223372036854775807", INT64_MAX, NULL},
	{AMOUNT_MEMORY, "64GiB", 65536, NULL},
	{AMOUNT_MEMORY, "1 TiB", 1048576, NULL},
	{AMOUNT_MEMORY, "1 B", 1, NULL},
	{AMOUNT_WORKERS, "-1", 0, "-1 is too small: at least 0"},
	{AMOUNT_WORKERS, "9223372036854775808", 0, "9223372036854775808 is out of range"},
	{AMOUNT_WORKERS, "", 0, "\"\" is not a whole number"},
	{AMOUNT_WORKERS, "two", 0, "\"two\" is not a whole number"},
	{AMOUNT_JOBS, "1.5", 0, "\"1.5\" is not a whole number"},
	{AMOUNT_WORKERS, "64GiB", 0, "\"64GiB\" is not a number of workers; with --memory it"},
	{AMOUNT_CORES, "64G", 0, "\"64G\" is not a number of cores; with --memory it"},
	{AMOUNT_MEMORY, "64", 0, "64"},
	{AMOUNT_MEMORY, "much", 0, "much"},
};

START_TEST(reading)
{
	struct err err = ERR_INIT;
	int64_t amount = -7;
	int r = amount_parse(texts[_i].unit, texts[_i].text, &amount, &err);

	if (!texts[_i].error) {
		ck_assert_int_eq(r, 0);
		ck_assert_int_eq(amount, texts[_i].amount);
	} else {
		ck_assert_int_lt(r, 0);
		ck_assert_int_eq(amount, -7);
		unit_assert_err(&err, r, texts[_i].error);
	}
}
END_TEST

static const struct {
	enum amount_unit unit;
	int64_t asked, jobs, per_job;
	const char *text;
} explanations[] = {
	{AMOUNT_WORKERS, 8, 2, 4, "8 workers asked: 2 jobs of 4 workers"},
	{AMOUNT_WORKERS, 1, 1, 20, "1 worker asked: 1 job of 20 workers"},
	{AMOUNT_WORKERS, 0, 0, 1, "0 workers asked: 0 jobs of 1 worker"},
	{AMOUNT_JOBS, 2, 2, 4, "2 jobs asked: 2 jobs of 4 workers"},
	{AMOUNT_CORES, 100, 3, 40, "100 cores asked: 3 jobs of 40 cores"},
	{AMOUNT_MEMORY, 65536, 1, 81920, "64 GiB of memory asked: 1 job of 80 GiB"},
};

START_TEST(explaining)
{
	char *text = amount_explain(explanations[_i].unit, explanations[_i].asked,
		explanations[_i].jobs, explanations[_i].per_job);

	ck_assert_str_eq(text, explanations[_i].text);
	free(text);
}
END_TEST

START_TEST(per_job)
{
	struct settings settings;

	settings_init(&settings);
	settings.processes = 4;
	settings.cores = 8;
	settings.memory_mib = 16384;
	ck_assert_int_eq(amount_per_job(AMOUNT_JOBS, &settings), 1);
	ck_assert_int_eq(amount_per_job(AMOUNT_WORKERS, &settings), 4);
	ck_assert_int_eq(amount_per_job(AMOUNT_CORES, &settings), 8);
	ck_assert_int_eq(amount_per_job(AMOUNT_MEMORY, &settings), 16384);
	settings.memory_mib = MEMORY_NODE;
	ck_assert_int_eq(amount_per_job(AMOUNT_MEMORY, &settings), 0);
	settings.memory_mib = MEMORY_NONE;
	ck_assert_int_eq(amount_per_job(AMOUNT_MEMORY, &settings), 0);
	settings_finish(&settings);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("amount");
	TCase *tcase = tcase_create("amount");

	tcase_add_loop_test(tcase, rounding, 0, LENGTH(roundings));
	tcase_add_test(tcase, rounding_is_tight);
	tcase_add_loop_test(tcase, reading, 0, LENGTH(texts));
	tcase_add_loop_test(tcase, explaining, 0, LENGTH(explanations));
	tcase_add_test(tcase, per_job);
	suite_add_tcase(suite, tcase);
	return suite;
}
