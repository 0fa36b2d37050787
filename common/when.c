/* when.c: points in time as sbatch(1) --begin and --deadline have them. Pure. */
#include "common/when.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/err.h"

#define DAY_S	  86400
#define COUNT_MAX 100000000 /* of any unit, but for the years below */
#define YEARS_MAX 10

struct reading {
	struct tm day;	/* the day of now, or the one that was read */
	int second;	/* of the day; -1: not given */
	bool day_given; /* else the next time that it is so late */
};

/* Exactly digits digits, or as many as there are, up to 9, for 0. */
static bool take_number(const char **text, int digits, int *ret)
{
	int value = 0, count = 0;

	while (isdigit((unsigned char)(*text)[count]) && count < 9 &&
		(digits == 0 || count < digits))
		value = value * 10 + (*text)[count++] - '0';
	if (count == 0 || (digits && count != digits))
		return false;
	*text += count;
	*ret = value;
	return true;
}

static bool take_char(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

static bool take_word(const char **text, const char *word)
{
	size_t length = strlen(word);

	if (strncasecmp(*text, word, length) != 0 || isalpha((unsigned char)(*text)[length]))
		return false;
	*text += length;
	return true;
}

static void skip_blanks(const char **text)
{
	while (isspace((unsigned char)**text))
		(*text)++;
}

/* What stands behind "now". */
static bool read_offset(const char *text, int64_t *ret_s)
{
	static const struct {
		const char *word;
		int seconds;
	} units[] = {
		{"seconds", 1},
		{"second", 1},
		{"minutes", 60},
		{"minute", 60},
		{"hours", 3600},
		{"hour", 3600},
		{"days", DAY_S},
		{"day", DAY_S},
		{"weeks", 7 * DAY_S},
		{"week", 7 * DAY_S},
	};
	int64_t factor = 1;
	int count = 0;

	skip_blanks(&text);
	if (*text) {
		if (!take_char(&text, '+'))
			return false;
		skip_blanks(&text);
		if (!take_number(&text, 0, &count) || count > COUNT_MAX)
			return false;
		skip_blanks(&text);
	}
	for (size_t i = 0; *text && i < sizeof(units) / sizeof(units[0]); i++)
		if (take_word(&text, units[i].word))
			factor = units[i].seconds;
	*ret_s = count * factor;
	return !*text;
}

static bool take_day(const char **text, struct reading *reading)
{
	struct tm *day = &reading->day;
	const char *start = *text;
	int year, month, mday;

	if (take_word(text, "today")) {
		reading->day_given = true;
		return true;
	}
	if (take_word(text, "tomorrow")) {
		reading->day_given = true;
		day->tm_mday++;
		return true;
	}
	if (!take_number(text, 4, &year) || !take_char(text, '-') ||
		!take_number(text, 2, &month) || !take_char(text, '-') ||
		!take_number(text, 2, &mday)) {
		*text = start;
		return false;
	}
	reading->day_given = true;
	day->tm_year = year - 1900;
	day->tm_mon = month - 1;
	day->tm_mday = mday;
	return month >= 1 && month <= 12 && mday >= 1 && mday <= 31;
}

/* "HH:MM", "HH:MM:SS", "4pm"; a time of the day that has a name. */
static bool take_time(const char **text, struct reading *reading)
{
	static const struct {
		const char *word;
		int hour;
	} words[] = {{"midnight", 0}, {"elevenses", 11}, {"noon", 12}, {"fika", 15},
		{"teatime", 16}};
	int hour, minute = 0, second = 0;
	bool minutes, pm;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (take_word(text, words[i].word)) {
			reading->second = words[i].hour * 3600;
			return true;
		}
	if (!take_number(text, 0, &hour))
		return false;
	minutes = take_char(text, ':');
	if (minutes && !take_number(text, 2, &minute))
		return false;
	if (minutes && take_char(text, ':') && !take_number(text, 2, &second))
		return false;
	skip_blanks(text);
	pm = take_word(text, "pm");
	if (pm || take_word(text, "am")) {
		if (hour < 1 || hour > 12)
			return false;
		hour = hour % 12 + (pm ? 12 : 0);
	} else if (!minutes) {
		return false;
	}
	if (hour >= 24 || minute >= 60 || second >= 60)
		return false;
	reading->second = hour * 3600 + minute * 60 + second;
	return true;
}

static bool read_day_and_time(const char *text, struct reading *reading)
{
	bool day = take_day(&text, reading);
	bool joined = day && (take_char(&text, 'T') || take_char(&text, '-'));

	if (day && !joined && *text && !isspace((unsigned char)*text))
		return false;
	if (day)
		skip_blanks(&text);
	if ((*text || !day || joined) && !take_time(&text, reading))
		return false;
	skip_blanks(&text);
	return !*text;
}

/* The day's 00:00 and the seconds after it, by the calendar: days of 23 and 25 hours exist. */
static time_t to_time(const struct reading *reading, int days_later)
{
	struct tm tm = reading->day;
	int second = reading->second < 0 ? 0 : reading->second;

	tm.tm_mday += days_later;
	tm.tm_hour = second / 3600;
	tm.tm_min = second / 60 % 60;
	tm.tm_sec = second % 60;
	tm.tm_isdst = -1;
	return mktime(&tm);
}

int parse_when(const char *text, time_t now, time_t *ret, struct err *err)
{
	struct reading reading = {.second = -1};
	const char *at = text;
	int64_t offset_s;
	time_t when;

	skip_blanks(&at);
	localtime_r(&now, &reading.day);
	if (take_word(&at, "now") && read_offset(at, &offset_s)) {
		when = now + (time_t)offset_s;
	} else if (read_day_and_time(at, &reading)) {
		when = to_time(&reading, 0);
		if (!reading.day_given && when <= now)
			when = to_time(&reading, 1);
	} else {
		return err_set(err, -EINVAL,
			"\"%s\" is not a time: give now+1hour, 16:00, tomorrow, or "
			"2030-12-24T18:00",
			text);
	}
	if (when < now - DAY_S || when > now + (time_t)YEARS_MAX * 366 * DAY_S)
		return err_set(err, -ERANGE, "%s lies too far in the %s", text,
			when < now ? "past" : "future");
	*ret = when;
	return 0;
}
