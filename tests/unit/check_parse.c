/* check_parse.c: tests of common/parse.c: what is read, what is refused, and how. */
#include "unit.h"

#include <inttypes.h>

#include "common/parse.h"

#define UNTOUCHED INT64_C(-4242424242)
#define MIB(gib)  ((gib)*INT64_C(1024))
#define YEARS10	  INT64_C(316224000) /* seconds; ten years of 366 days */

struct row {
	const char *text;
	int code; /* 0, or the error */
	int64_t value;
};

typedef int (*parse_fn)(const char *text, int64_t *ret, struct err *err);

/* One row: the value, or the error with the text in its words and the result untouched. */
static void check_row(const struct row *row, parse_fn parse)
{
	struct err err = ERR_INIT;
	int64_t value = UNTOUCHED;
	char *tight = unit_tight(row->text, strlen(row->text) + 1);
	int r = parse(tight, &value, &err);

	ck_assert_msg(r == row->code, "\"%s\": %d instead of %d (value %" PRId64 ", \"%s\")",
		row->text, r, row->code, value, err.text);
	ck_assert_int_eq(err.code, row->code);
	if (row->code == 0) {
		ck_assert_msg(value == row->value, "\"%s\": %" PRId64 " instead of %" PRId64,
			row->text, value, row->value);
	} else {
		ck_assert_msg(value == UNTOUCHED, "\"%s\": changed the result", row->text);
		ck_assert_msg(strstr(err.text, row->text) != NULL, "\"%s\" is not in \"%s\"",
			row->text, err.text);
		ck_assert_msg(strlen(err.text) > strlen(row->text) + 10,
			"\"%s\" does not say what would be right", err.text);
	}
	ck_assert_int_eq(parse(tight, &value, NULL), row->code);
	free(tight);
}

static int any_integer(const char *text, int64_t *ret, struct err *err)
{
	return parse_integer(text, INT64_MIN, INT64_MAX, ret, err);
}

static const struct row integers[] = {
	{"0", 0, 0},
	{"7", 0, 7},
	{"007", 0, 7},
	{"-0", 0, 0},
	{"-12", 0, -12},
	{"  12", 0, 12},
	{"12 \t\n", 0, 12},
	{"9223372036854775807", 0, INT64_MAX},
	{"-9223372036854775807", 0, -INT64_MAX},
	{"-9223372036854775808", 0, INT64_MIN},
	{"9223372036854775808", -ERANGE, 0},
	{"-9223372036854775809", -ERANGE, 0},
	{"18446744073709551616", -ERANGE, 0},
	{"100000000000000000000000000000000000000000", -ERANGE, 0},
	{"", -EINVAL, 0},
	{" ", -EINVAL, 0},
	{"-", -EINVAL, 0},
	{"--1", -EINVAL, 0},
	{"- 1", -EINVAL, 0},
	{"+1", -EINVAL, 0},
	{"10x", -EINVAL, 0},
	{"x10", -EINVAL, 0},
	{"1 0", -EINVAL, 0},
	{"1.0", -EINVAL, 0},
	{"1e3", -EINVAL, 0},
	{"0x10", -EINVAL, 0},
	{"1,000", -EINVAL, 0},
	{"nan", -EINVAL, 0},
	{"\xff", -EINVAL, 0},
	{"\xd9\xa1", -EINVAL, 0}, /* a digit, but an Arabic one */
	{"99999999999999999999x", -EINVAL, 0},
	{"99999999999999999999 9", -EINVAL, 0},
};

START_TEST(integer)
{
	check_row(&integers[_i], any_integer);
}
END_TEST

START_TEST(integer_bounds)
{
	struct err err = ERR_INIT;
	int64_t value = UNTOUCHED;

	ck_assert_int_eq(parse_integer("3", 3, 5, &value, &err), 0);
	ck_assert_int_eq(value, 3);
	ck_assert_int_eq(parse_integer("5", 3, 5, &value, &err), 0);
	ck_assert_int_eq(value, 5);
	value = UNTOUCHED;
	ck_assert_int_eq(parse_integer("2", 3, 5, &value, &err), -ERANGE);
	unit_assert_err(&err, -ERANGE, "from 3 to 5");
	ck_assert_int_eq(parse_integer("6", 3, 5, &value, &err), -ERANGE);
	unit_assert_err(&err, -ERANGE, "from 3 to 5");
	ck_assert_int_eq(parse_integer("-3", 3, 5, &value, &err), -ERANGE);
	ck_assert_int_eq(parse_integer("x", 3, 5, &value, &err), -EINVAL);
	unit_assert_err(&err, -EINVAL, "\"x\" is not a whole number");
	ck_assert_int_eq(value, UNTOUCHED);
}
END_TEST

/* Without an upper bound only the lower one is worth telling, and only to who was below it. */
START_TEST(integer_open_bounds)
{
	struct err err = ERR_INIT;
	int64_t value = UNTOUCHED;

	ck_assert_int_eq(parse_integer("0", 1, INT64_MAX, &value, &err), -ERANGE);
	unit_assert_err(&err, -ERANGE, "0 is too small: at least 1");
	ck_assert_int_eq(
		parse_integer("99999999999999999999", 1, INT64_MAX, &value, &err), -ERANGE);
	ck_assert_ptr_null(strstr(err.text, "too small"));
	ck_assert_int_eq(
		parse_integer("-99999999999999999999", 1, INT64_MAX, &value, &err), -ERANGE);
	unit_assert_err(&err, -ERANGE, "too small: at least 1");
	ck_assert_int_eq(value, UNTOUCHED);
}
END_TEST

static const struct row booleans[] = {
	{"true", 0, 1},
	{"TRUE", 0, 1},
	{"yes", 0, 1},
	{"Yes", 0, 1},
	{"on", 0, 1},
	{"1", 0, 1},
	{"false", 0, 0},
	{"no", 0, 0},
	{"nO", 0, 0},
	{"off", 0, 0},
	{"0", 0, 0},
	{"", -EINVAL, 0},
	{"2", -EINVAL, 0},
	{"y", -EINVAL, 0},
	{"tru", -EINVAL, 0},
	{"truer", -EINVAL, 0},
	{"none", -EINVAL, 0},
	{"-1", -EINVAL, 0},
	{"00", -EINVAL, 0},
};

static int boolean_as_integer(const char *text, int64_t *ret, struct err *err)
{
	bool no = false, yes = true;
	int r = parse_boolean(text, &no, err);

	/* Whatever stood there before: read, or left. */
	ck_assert_int_eq(parse_boolean(text, &yes, err), r);
	if (r == 0) {
		ck_assert(no == yes);
		*ret = yes;
	} else {
		ck_assert(!no && yes);
	}
	return r;
}

START_TEST(boolean)
{
	check_row(&booleans[_i], boolean_as_integer);
}
END_TEST

static const struct row durations[] = {
	{"0", 0, 0},
	{"300", 0, 300000},
	{"300 s", 0, 300000},
	{"300s", 0, 300000},
	{"1 sec", 0, 1000},
	{"1 second", 0, 1000},
	{"2 seconds", 0, 2000},
	{"5 min", 0, 300000},
	{"5m", 0, 300000},
	{"5 Minutes", 0, 300000},
	{"1 minute", 0, 60000},
	{"1h 30m", 0, 5400000},
	{"1h30m", 0, 5400000},
	{"1 hour 30 minutes 5 seconds", 0, 5405000},
	{"2 hours", 0, 7200000},
	{"250 ms", 0, 250},
	{"14 days", 0, INT64_C(14) * 86400000},
	{"1 d 1 h", 0, 90000000},
	{"1 day", 0, 86400000},
	{"0.5", 0, 500},
	{"1.5 h", 0, 5400000},
	{"0.001", 0, 1},
	{"0.25ms", 0, 1},
	{"1.0000000000000000000000000000001 s", 0, 1001},
	{"1.0000000000000000000000000000000 s", 0, 1000},
	{" 7 ", 0, 7000},
	{"3660 days", 0, YEARS10 * 1000},
	{"316224000", 0, YEARS10 * 1000},
	{"316224000000 ms", 0, YEARS10 * 1000},
	{"316224000001 ms", -ERANGE, 0},
	{"3661 days", -ERANGE, 0},
	{"3660 days 1 ms", -ERANGE, 0},
	{"9223372036854775807", -ERANGE, 0},
	{"9223372036854775808", -ERANGE, 0},
	{"9223372036854775808 s", -ERANGE, 0},
	{"1000000000000000000000000 days", -ERANGE, 0},
	{"", -EINVAL, 0},
	{" ", -EINVAL, 0},
	{"-5", -EINVAL, 0},
	{"+5", -EINVAL, 0},
	{"5 parsecs", -EINVAL, 0},
	{"5 minu", -EINVAL, 0},
	{"5 mins", -EINVAL, 0},
	{"min", -EINVAL, 0},
	{"h 5", -EINVAL, 0},
	{"1h 30", -EINVAL, 0},
	{"30 1h", -EINVAL, 0},
	{"1 2", -EINVAL, 0},
	{"1.", -EINVAL, 0},
	{".5", -EINVAL, 0},
	{"1. 5", -EINVAL, 0},
	{"1.5.5", -EINVAL, 0},
	{"1,5 h", -EINVAL, 0},
	{"1e3", -EINVAL, 0},
	{"0x10", -EINVAL, 0},
	{"5 s!", -EINVAL, 0},
	{"1:30", -EINVAL, 0},
	{"inf", -EINVAL, 0},
	{"5 \xc2\xb5s", -EINVAL, 0},
	{"99999999999999999999 apples", -EINVAL, 0},
	{"99999999999999999999.", -EINVAL, 0},
	{"1 h 99999999999999999999 x", -EINVAL, 0},
};

START_TEST(duration)
{
	check_row(&durations[_i], parse_duration);
}
END_TEST

static const struct row sizes[] = {
	{"80 GiB", 0, MIB(80)},
	{"80GiB", 0, MIB(80)},
	{"80 gib", 0, MIB(80)},
	{"80G", 0, MIB(80)},
	{"80g", 0, MIB(80)},
	{"80 GB", 0, 76294},
	{"1.5 TiB", 0, MIB(1536)},
	{"1.5T", 0, MIB(1536)},
	{"1 P", 0, MIB(1024 * 1024)},
	{"512 MiB", 0, 512},
	{"512M", 0, 512},
	{"512 MB", 0, 489},
	{"500000000 B", 0, 477},
	{"1024 K", 0, 1},
	{"1025 KiB", 0, 2},
	{"1000 kB", 0, 1},
	{"1 TB", 0, 953675},
	{"1 PB", 0, 953674317},
	{"0 B", 0, 0},
	{"0 GiB", 0, 0},
	/* rounded up, exactly */
	{"1 B", 0, 1},
	{"1048576 B", 0, 1},
	{"1048577 B", 0, 2},
	{"1.048576 MB", 0, 1},
	{"104.8576 MB", 0, 100},
	{"1.048577 MB", 0, 2},
	{"1073.741824 MB", 0, 1024},
	{"0.0000001 GiB", 0, 1},
	{"1.0000001 GiB", 0, 1025},
	{"1.0000000000 GiB", 0, 1024},
	{"0.5 MiB", 0, 1},
	{"0.0009765625 GiB", 0, 1},
	{"0.00097656251 GiB", 0, 2},
	{"8.796093022208 TB", 0, 8388608},
	{"8.796093022209 TB", 0, 8388609},
	/* up to 1 EiB, in whatever unit */
	{"1024 PiB", 0, INT64_C(1) << 40},
	{"1048576 TiB", 0, INT64_C(1) << 40},
	{"1073741824 GiB", 0, INT64_C(1) << 40},
	{"1125899906842624 K", 0, INT64_C(1) << 40},
	{"9223372036854 B", 0, 8796094},
	{"9300000000000 B", 0, 8869172},
	{"1152921504606846976 B", 0, INT64_C(1) << 40},
	{"1152921504606846977 B", -ERANGE, 0},
	{"1024.0001 PiB", -ERANGE, 0},
	{"1025 PiB", -ERANGE, 0},
	{"9223372036854775807 PiB", -ERANGE, 0},
	{"9223372036854775808 B", -ERANGE, 0},
	{"100000000000000000000000000 TB", -ERANGE, 0},
	/* no unit, or no number, or not all of it */
	{"80", -EINVAL, 0},
	{"80 ", -EINVAL, 0},
	{"0", -EINVAL, 0},
	{"99999999999999999999", -EINVAL, 0},
	{"", -EINVAL, 0},
	{"GiB", -EINVAL, 0},
	{"80 apples", -EINVAL, 0},
	{"80 Gi", -EINVAL, 0},
	{"80 GiBs", -EINVAL, 0},
	{"80 GiB 1", -EINVAL, 0},
	{"80 GiB 512 MiB", -EINVAL, 0},
	{"80 G B", -EINVAL, 0},
	{"-80 GiB", -EINVAL, 0},
	{"+80 GiB", -EINVAL, 0},
	{".5 GiB", -EINVAL, 0},
	{"1. GiB", -EINVAL, 0},
	{"1,5 GiB", -EINVAL, 0},
	{"1e3 MiB", -EINVAL, 0},
	{"0x10 MiB", -EINVAL, 0},
	{"80 GiB!", -EINVAL, 0},
	{"80 E", -EINVAL, 0},
	{"99999999999999999999 apples", -EINVAL, 0},
	{"99999999999999999999 GiB x", -EINVAL, 0},
};

START_TEST(size)
{
	check_row(&sizes[_i], parse_size);
}
END_TEST

/* A bare number means different things to Slurm and Dask: the error says so. */
START_TEST(size_without_unit)
{
	struct err err = ERR_INIT;
	int64_t value;

	ck_assert_int_eq(parse_size("80", &value, &err), -EINVAL);
	unit_assert_err(&err, -EINVAL, "80 GiB");
	unit_assert_err(&err, -EINVAL, "no unit");
}
END_TEST

static const struct row walltimes[] = {
	{"90", 0, 5400},
	{"1", 0, 60},
	{"90:30", 0, 5430},
	{"0:30", 0, 30},
	{"00:00:01", 0, 1},
	{"01:30:00", 0, 5400},
	{"1:2:3", 0, 3723},
	{"48:00:00", 0, 172800},
	{"1-0", 0, 86400},
	{"1-12", 0, 129600},
	{"1-12:30", 0, 131400},
	{"1-12:30:05", 0, 131405},
	{"0-1", 0, 3600},
	{"0-0:0:1", 0, 1},
	{" 01:30:00 ", 0, 5400},
	{"3660-00:00:00", 0, YEARS10},
	{"87840:00:00", 0, YEARS10},
	{"5270400", 0, YEARS10},
	{"3660-00:00:01", -ERANGE, 0},
	{"3661-0", -ERANGE, 0},
	{"87840:00:01", -ERANGE, 0},
	{"5270401", -ERANGE, 0},
	{"106751991167300-0", -ERANGE, 0},
	{"9223372036854775807", -ERANGE, 0},
	{"9223372036854775808", -ERANGE, 0},
	{"1:9223372036854775807", -ERANGE, 0},
	{"99999999999999999999:0:0", -ERANGE, 0},
	{"99999999999999999999-0", -ERANGE, 0},
	{"0", -ERANGE, 0},
	{"0:00", -ERANGE, 0},
	{"00:00:00", -ERANGE, 0},
	{"0-0", -ERANGE, 0},
	{"0-00:00:00", -ERANGE, 0},
	{"", -EINVAL, 0},
	{" ", -EINVAL, 0},
	{":", -EINVAL, 0},
	{"1:", -EINVAL, 0},
	{":30", -EINVAL, 0},
	{"1::30", -EINVAL, 0},
	{"1:2:3:4", -EINVAL, 0},
	{"1-", -EINVAL, 0},
	{"-1", -EINVAL, 0},
	{"1-2-3", -EINVAL, 0},
	{"1:2-3", -EINVAL, 0},
	{"1-2:3:4:5", -EINVAL, 0},
	{"1 -2", -EINVAL, 0},
	{"1 h", -EINVAL, 0},
	{"90 min", -EINVAL, 0},
	{"1.5", -EINVAL, 0},
	{"+90", -EINVAL, 0},
	{"1:+2", -EINVAL, 0},
	{"1: 2", -EINVAL, 0},
	{"UNLIMITED", -EINVAL, 0},
	{"infinite", -EINVAL, 0},
	{"0x10", -EINVAL, 0},
	{"99999999999999999999:x", -EINVAL, 0},
	{"99999999999999999999 min", -EINVAL, 0},
	{"1:99999999999999999999:", -EINVAL, 0},
};

START_TEST(walltime)
{
	check_row(&walltimes[_i], parse_walltime);
}
END_TEST

/* However long the text, the error stays in its bounds. */
START_TEST(long_texts)
{
	static const char *const parts[] = {"9", "x", " ", "1h", "1:", "1.1", "-"};
	static const parse_fn parsers[] = {
		any_integer, boolean_as_integer, parse_duration, parse_size, parse_walltime};

	for (size_t i = 0; i < LENGTH(parts); i++) {
		size_t length = strlen(parts[i]);
		char *text = malloc(10000 * length + 1);

		for (size_t j = 0; j < 10000; j++)
			memcpy(text + j * length, parts[i], length + 1);
		for (size_t j = 0; j < LENGTH(parsers); j++) {
			struct err *err = calloc(1, sizeof(*err));
			int64_t value = UNTOUCHED;
			int r = parsers[j](text, &value, err);

			if (r < 0) {
				ck_assert_int_eq(value, UNTOUCHED);
				ck_assert_uint_gt(strlen(err->text), 10);
				ck_assert_uint_lt(strlen(err->text), ERR_TEXT_MAX);
			}
			free(err);
		}
		free(text);
	}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("parse");
	TCase *read = tcase_create("read");

	tcase_add_loop_test(read, integer, 0, LENGTH(integers));
	tcase_add_test(read, integer_bounds);
	tcase_add_test(read, integer_open_bounds);
	tcase_add_loop_test(read, boolean, 0, LENGTH(booleans));
	tcase_add_loop_test(read, duration, 0, LENGTH(durations));
	tcase_add_loop_test(read, size, 0, LENGTH(sizes));
	tcase_add_test(read, size_without_unit);
	tcase_add_loop_test(read, walltime, 0, LENGTH(walltimes));
	tcase_add_test(read, long_texts);
	suite_add_tcase(suite, read);
	return suite;
}
