/* check_parse_format.c: tests of common/parse.c: what is written, and that it is read again. */
#include "unit.h"

#include "common/parse.h"

#define YEARS10 INT64_C(316224000) /* seconds; ten years of 366 days */

static const struct {
	int64_t ms;
	const char *text;
} written_durations[] = {
	{-1, "0 s"},
	{INT64_MIN, "0 s"},
	{0, "0.0 s"},
	{250, "0.2 s"},
	{1000, "1.0 s"},
	{9900, "9.9 s"},
	{10000, "10 s"},
	{59999, "59 s"},
	{60000, "1 min"},
	{61000, "1 min 1 s"},
	{250000, "4 min 10 s"},
	{300000, "5 min"},
	{3599999, "59 min 59 s"},
	{3600000, "1 h 0 min"},
	{5400000, "1 h 30 min"},
	{86399999, "23 h 59 min"},
	{86400000, "1 d 0 h"},
	{INT64_C(14) * 86400000, "14 d 0 h"},
	{INT64_MAX, "106751991167 d 7 h"},
};

START_TEST(write_duration)
{
	char *buffer = malloc(FORMAT_MAX);

	ck_assert_ptr_eq(format_duration(written_durations[_i].ms, buffer), buffer);
	ck_assert_str_eq(buffer, written_durations[_i].text);
	free(buffer);
}
END_TEST

static const struct {
	int64_t mib;
	const char *text;
} written_sizes[] = {
	{0, "0 MiB"},
	{1, "1 MiB"},
	{1023, "1023 MiB"},
	{1024, "1 GiB"},
	{1025, "1025 MiB"},
	{81920, "80 GiB"},
	{1048576, "1 TiB"},
	{1048577, "1048577 MiB"},
	{1049600, "1025 GiB"},
	{INT64_C(1) << 40, "1048576 TiB"},
	{INT64_MAX, "9223372036854775807 MiB"},
};

static const struct {
	int64_t bytes;
	const char *text;
} written_bytes[] = {
	{0, "0 bytes"},
	{1023, "1023 bytes"},
	{1024, "1.0 KiB"},
	{921600, "900.0 KiB"},
	{1048524, "1023.9 KiB"},
	{1048525, "1.0 MiB"}, /* 1023.95 KiB */
	{1048576, "1.0 MiB"},
	{INT64_C(2469606195), "2.3 GiB"},
	{INT64_C(5) << 40, "5.0 TiB"},
	{INT64_MAX, "8388608.0 TiB"},
};

START_TEST(write_bytes)
{
	char *buffer = malloc(FORMAT_MAX);

	ck_assert_ptr_eq(format_bytes(written_bytes[_i].bytes, buffer), buffer);
	ck_assert_str_eq(buffer, written_bytes[_i].text);
	free(buffer);
}
END_TEST

START_TEST(write_size)
{
	char *buffer = malloc(FORMAT_MAX);

	ck_assert_ptr_eq(format_size(written_sizes[_i].mib, buffer), buffer);
	ck_assert_str_eq(buffer, written_sizes[_i].text);
	free(buffer);
}
END_TEST

static const struct {
	int64_t seconds;
	const char *text;
} written_walltimes[] = {
	{1, "00:00:01"},
	{59, "00:00:59"},
	{3599, "00:59:59"},
	{5400, "01:30:00"},
	{86399, "23:59:59"},
	{86400, "1-00:00:00"},
	{131405, "1-12:30:05"},
	{YEARS10, "3660-00:00:00"},
	{INT64_MAX, "106751991167300-15:30:07"},
};

START_TEST(write_walltime)
{
	char *buffer = malloc(FORMAT_MAX);

	ck_assert_ptr_eq(format_walltime(written_walltimes[_i].seconds, buffer), buffer);
	ck_assert_str_eq(buffer, written_walltimes[_i].text);
	free(buffer);
}
END_TEST

/* What is written without loss is read as the same value. */
START_TEST(round_trips)
{
	char text[FORMAT_MAX];
	int64_t value;

	for (int64_t n = 1; n <= YEARS10; n += 1 + n / 7) {
		ck_assert_int_eq(parse_walltime(format_walltime(n, text), &value, NULL), 0);
		ck_assert_int_eq(value, n);
	}
	for (int64_t n = 0; n <= INT64_C(1) << 40; n += 1 + n / 7) {
		ck_assert_int_eq(parse_size(format_size(n, text), &value, NULL), 0);
		ck_assert_int_eq(value, n);
		ck_assert_int_eq(
			parse_size(format_size(n & ~INT64_C(1023), text), &value, NULL), 0);
		ck_assert_int_eq(value, n & ~INT64_C(1023));
	}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("parse: format");
	TCase *tcase = tcase_create("format");

	tcase_add_loop_test(tcase, write_duration, 0, LENGTH(written_durations));
	tcase_add_loop_test(tcase, write_size, 0, LENGTH(written_sizes));
	tcase_add_loop_test(tcase, write_bytes, 0, LENGTH(written_bytes));
	tcase_add_loop_test(tcase, write_walltime, 0, LENGTH(written_walltimes));
	tcase_add_test(tcase, round_trips);
	suite_add_tcase(suite, tcase);
	return suite;
}
