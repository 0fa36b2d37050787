/* check_when.c: tests of common/when.c, in a time zone with summer time. */
#include "unit.h"

#include <time.h>

#include "common/when.h"

/* It is Wednesday, 2030-03-13 10:20:30 UTC, an hour later in Berlin, where summer begins on
 * 03-31. */
#define NOW 1899627630

static void setup(void)
{
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
}

static const struct {
	const char *text;
	const char *expected; /* local time; NULL: refused with code */
	int code;
} rows[] = {
	{"now", "2030-03-13 11:20:30", 0},
	{" NOW ", "2030-03-13 11:20:30", 0},
	{"now+90", "2030-03-13 11:22:00", 0},
	{"now + 90 seconds", "2030-03-13 11:22:00", 0},
	{"now+1minute", "2030-03-13 11:21:30", 0},
	{"now+2hours", "2030-03-13 13:20:30", 0},
	{"now+3days", "2030-03-16 11:20:30", 0},
	{"now+1week", "2030-03-20 11:20:30", 0},
	{"16:00", "2030-03-13 16:00:00", 0},
	{"16:00:30", "2030-03-13 16:00:30", 0},
	{"4pm", "2030-03-13 16:00:00", 0},
	{"4 PM", "2030-03-13 16:00:00", 0},
	{"12pm", "2030-03-13 12:00:00", 0},
	/* already past today */
	{"11:20:30", "2030-03-14 11:20:30", 0},
	{"11:20:31", "2030-03-13 11:20:31", 0},
	{"12am", "2030-03-14 00:00:00", 0},
	{"midnight", "2030-03-14 00:00:00", 0},
	{"noon", "2030-03-13 12:00:00", 0},
	{"fika", "2030-03-13 15:00:00", 0},
	{"teatime", "2030-03-13 16:00:00", 0},
	{"today", "2030-03-13 00:00:00", 0},
	{"today 18:00", "2030-03-13 18:00:00", 0},
	{"tomorrow", "2030-03-14 00:00:00", 0},
	{"tomorrow 08:00", "2030-03-14 08:00:00", 0},
	{"2030-12-24", "2030-12-24 00:00:00", 0},
	{"2030-12-24T18:00", "2030-12-24 18:00:00", 0},
	{"2030-12-24 6pm", "2030-12-24 18:00:00", 0},
	/* the day of 23 hours and the one of 25 */
	{"2030-03-31T12:00", "2030-03-31 12:00:00", 0},
	{"2030-10-27T12:00", "2030-10-27 12:00:00", 0},
	{"", NULL, -EINVAL},
	{" ", NULL, -EINVAL},
	{"now+", NULL, -EINVAL},
	{"now-1", NULL, -EINVAL},
	{"now+1fortnight", NULL, -EINVAL},
	{"now+1hour later", NULL, -EINVAL},
	{"nowhere", NULL, -EINVAL},
	{"now+100000001", NULL, -EINVAL},
	{"24:00", NULL, -EINVAL},
	{"2033028:00", NULL, -EINVAL},
	{"12:60", NULL, -EINVAL},
	{"12:00:60", NULL, -EINVAL},
	{"0am", NULL, -EINVAL},
	{"13pm", NULL, -EINVAL},
	{"12:5", NULL, -EINVAL},
	{"16", NULL, -EINVAL},
	{"2030-13-01", NULL, -EINVAL},
	{"2030-12-32", NULL, -EINVAL},
	{"2030-12-24x", NULL, -EINVAL},
	{"2030-12-24T18:00 sharp", NULL, -EINVAL},
	{"someday", NULL, -EINVAL},
	{"2030-03-12", NULL, -ERANGE}, /* more than a day ago */
	{"2041-01-01", NULL, -ERANGE},
	{"now+100000000weeks", NULL, -ERANGE},
};

START_TEST(when)
{
	char *text = unit_tight(rows[_i].text, strlen(rows[_i].text) + 1);
	struct err err = ERR_INIT;
	char got[32] = "";
	struct tm tm;
	time_t at = 7;
	int r = parse_when(text, NOW, &at, &err);

	ck_assert_msg(r == rows[_i].code, "%d: %s", r, err.text);
	if (r == 0) {
		strftime(got, sizeof(got), "%F %T", localtime_r(&at, &tm));
		ck_assert_str_eq(got, rows[_i].expected);
	} else {
		unit_assert_err(&err, r, rows[_i].text);
		ck_assert_int_eq(at, 7);
		ck_assert_int_eq(parse_when(text, NOW, &at, NULL), r);
	}
	free(text);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("when");
	TCase *tcase = tcase_create("when");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, when, 0, LENGTH(rows));
	suite_add_tcase(suite, tcase);
	return suite;
}
