/* check_when.c: tests of common/when.c. */
#include "unit.h"

#include <time.h>

#include "common/when.h"

/* Wednesday 2026-11-25 13:30:15 in Berlin, UTC+1. */
#define NOW 1795609815
#define DAY 86400

static void in_berlin(void)
{
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
}

static const struct {
	const char *text;
	const char *local; /* as strftime() has it */
} rows[] = {
	{"now", "2026-11-25T13:30:15"}, {" now ", "2026-11-25T13:30:15"},
	{"now+90", "2026-11-25T13:31:45"}, {"now + 90 seconds", "2026-11-25T13:31:45"},
	{"now+1minute", "2026-11-25T13:31:15"}, {"now+2hours", "2026-11-25T15:30:15"},
	{"NOW+2Hours", "2026-11-25T15:30:15"}, {"now+3days", "2026-11-28T13:30:15"},
	{"now+1week", "2026-12-02T13:30:15"}, {"16:00", "2026-11-25T16:00:00"},
	{"16:00:30", "2026-11-25T16:00:30"}, {"9:05", "2026-11-26T09:05:00"},
	{"13:30:15", "2026-11-26T13:30:15"}, /* not now, the next one */
	{"4pm", "2026-11-25T16:00:00"}, {"4:15 PM", "2026-11-25T16:15:00"},
	{"12am", "2026-11-26T00:00:00"}, {"12pm", "2026-11-26T12:00:00"},
	{"midnight", "2026-11-26T00:00:00"}, {"noon", "2026-11-26T12:00:00"},
	{"teatime", "2026-11-25T16:00:00"}, {"fika", "2026-11-25T15:00:00"},
	{"today", "2026-11-25T00:00:00"}, {"today 18:00", "2026-11-25T18:00:00"},
	{"tomorrow", "2026-11-26T00:00:00"}, {"tomorrow-08:30", "2026-11-26T08:30:00"},
	{"2026-12-24", "2026-12-24T00:00:00"}, {"2026-12-24T18:00", "2026-12-24T18:00:00"},
	{"2027-07-01 06:07:08", "2027-07-01T06:07:08"}, /* in summer time */
};

START_TEST(reads)
{
	struct err err = ERR_INIT;
	time_t when = 0;
	char text[32];
	struct tm local;

	in_berlin();
	ck_assert_msg(parse_when(rows[_i].text, NOW, &when, &err) == 0, "%s", err.text);
	localtime_r(&when, &local);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &local);
	ck_assert_str_eq(text, rows[_i].local);
}
END_TEST

static const char *const wrong[] = {"", " ", "soon", "now+", "now+x", "now+1fortnight",
	"now-1hour", "nowhere", "now+1hour2", "16", "25:00", "16:60", "16:5", "16:00:60", "0am",
	"13pm", "4 p", "2026-13-01", "2026-00-10", "2026-1-1", "2026-12-24T",
	"2026-12-24X18:00", "24.12.2026", "today today", "tomorrowish", "16:00 tomorrow",
	"noon noon", "now+999999999"};

START_TEST(refuses)
{
	struct err err = ERR_INIT;
	time_t when = 42;

	in_berlin();
	ck_assert_int_eq(parse_when(wrong[_i], NOW, &when, &err), -EINVAL);
	unit_assert_err(&err, -EINVAL, "is no time: give now+1hour, 16:00, tomorrow");
	ck_assert_int_eq(when, 42);
}
END_TEST

START_TEST(bounds)
{
	struct err err = ERR_INIT;
	time_t when = 42;

	in_berlin();
	ck_assert_int_eq(parse_when("2026-11-01", NOW, &when, &err), -ERANGE);
	unit_assert_err(&err, -ERANGE, "2026-11-01 lies too far in the past");
	ck_assert_int_eq(parse_when("2099-01-01", NOW, &when, &err), -ERANGE);
	unit_assert_err(&err, -ERANGE, "2099-01-01 lies too far in the future");
	ck_assert_int_eq(when, 42);
	ck_assert_int_eq(parse_when("soon", NOW, &when, NULL), -EINVAL);
}
END_TEST

START_TEST(days_of_other_lengths)
{
	struct err err = ERR_INIT;
	time_t when;

	in_berlin();
	/* 2027-03-27 23:00, the day before the clocks go forward. */
	ck_assert_int_eq(parse_when("tomorrow 23:00", 1806184800, &when, &err), 0);
	ck_assert_int_eq(when - 1806184800, DAY - 3600);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("when");
	TCase *tests = tcase_create("when");

	tcase_add_loop_test(tests, reads, 0, LENGTH(rows));
	tcase_add_loop_test(tests, refuses, 0, LENGTH(wrong));
	tcase_add_test(tests, bounds);
	tcase_add_test(tests, days_of_other_lengths);
	suite_add_tcase(suite, tests);
	return suite;
}
