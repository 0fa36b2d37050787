/* parse.c: strict reading and writing of numbers, durations, sizes and walltimes. */
#include "common/parse.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/err.h"

#define SECONDS_MAX    (10ULL * 366 * 24 * 3600)
#define MIB	       (1ULL << 20)
#define SIZE_MAX_BYTES (1ULL << 60)
#define LENGTH(array)  (sizeof(array) / sizeof((array)[0]))

static const char *skip_blanks(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* Read digits at *text, and move *text behind them. A number that does not fit becomes UINT64_MAX.
 * Returns false without a digit. */
static bool take_digits(const char **text, uint64_t *ret)
{
	uint64_t value = 0;
	const char *at = *text;

	if (!isdigit((unsigned char)*at))
		return false;
	for (; isdigit((unsigned char)*at); at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
			break;
	if (isdigit((unsigned char)*at)) {
		value = UINT64_MAX;
		at += strspn(at, "0123456789");
	}
	*text = at;
	*ret = value;
	return true;
}

int parse_integer(
	const char *text, int64_t minimum, int64_t maximum, int64_t *ret, struct err *err)
{
	const char *at = skip_blanks(text);
	bool negative = *at == '-', fits;
	uint64_t magnitude;
	int64_t value;

	if (negative)
		at++;
	if (!take_digits(&at, &magnitude) || *skip_blanks(at))
		return err_set(err, -EINVAL, "\"%s\" is not a whole number", text);
	fits = magnitude <= (uint64_t)INT64_MAX + negative;
	value = (int64_t)(negative ? 0 - magnitude : magnitude);
	if (!fits || value < minimum || value > maximum) {
		if (maximum == INT64_MAX && (fits || negative))
			return err_set(err, -ERANGE, "%s is too small: at least %" PRId64, text,
				minimum);
		return err_set(err, -ERANGE, "%s is out of range: from %" PRId64 " to %" PRId64,
			text, minimum, maximum);
	}
	*ret = value;
	return 0;
}

int parse_boolean(const char *text, bool *ret, struct err *err)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{"true", true},
		{"yes", true},
		{"on", true},
		{"1", true},
		{"false", false},
		{"no", false},
		{"off", false},
		{"0", false},
	};

	for (size_t i = 0; i < LENGTH(words); i++)
		if (strcasecmp(text, words[i].word) == 0) {
			*ret = words[i].value;
			return 0;
		}
	return err_set(err, -EINVAL, "\"%s\" is neither true nor false", text);
}

/* A decimal number. */
struct decimal {
	uint64_t whole;
	const char *fraction; /* the digits after the point */
	size_t digits;
};

static bool take_decimal(const char **text, struct decimal *ret)
{
	const char *at = *text;

	*ret = (struct decimal){.fraction = ""};
	if (!take_digits(&at, &ret->whole))
		return false;
	if (*at == '.') {
		ret->fraction = at + 1;
		ret->digits = strspn(ret->fraction, "0123456789");
		if (ret->digits == 0)
			return false;
		at = ret->fraction + ret->digits;
	}
	*text = at;
	return true;
}

/* number x factor, rounded up, without any other rounding. UINT64_MAX: it does not fit. */
static uint64_t scale(const struct decimal *number, uint64_t factor)
{
	uint64_t value, part = 0;

	for (size_t i = number->digits; i > 0; i--)
		part = (part + (uint64_t)(number->fraction[i - 1] - '0') * factor + 9) / 10;
	if (__builtin_mul_overflow(number->whole, factor, &value) ||
		__builtin_add_overflow(value, part, &value))
		return UINT64_MAX;
	return value;
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* Read the unit at *text, which is letters only; NULL: there is none, or it is unknown. */
static const struct unit *take_unit(const char **text, const struct unit *units, size_t count)
{
	const char *at = skip_blanks(*text);
	size_t length = 0;

	while (isalpha((unsigned char)at[length]))
		length++;
	for (size_t i = 0; i < count; i++)
		if (strlen(units[i].name) == length &&
			strncasecmp(units[i].name, at, length) == 0) {
			*text = at + length;
			return &units[i];
		}
	return NULL;
}

int parse_duration(const char *text, int64_t *ret_ms, struct err *err)
{
	static const struct unit units[] = {
		{"ms", 1},
		{"s", 1000},
		{"sec", 1000},
		{"second", 1000},
		{"seconds", 1000},
		{"m", 60000},
		{"min", 60000},
		{"minute", 60000},
		{"minutes", 60000},
		{"h", 3600000},
		{"hour", 3600000},
		{"hours", 3600000},
		{"d", 86400000},
		{"day", 86400000},
		{"days", 86400000},
	};
	static const struct unit second = {"", 1000};
	const char *at = skip_blanks(text);
	uint64_t total = 0;
	int parts = 0;

	do {
		const struct unit *unit = NULL;
		struct decimal number;

		if (!take_decimal(&at, &number))
			goto invalid;
		if (parts == 0 && !*skip_blanks(at))
			unit = &second;
		else
			unit = take_unit(&at, units, LENGTH(units));
		if (!unit)
			goto invalid;
		if (__builtin_add_overflow(total, scale(&number, unit->factor), &total))
			total = UINT64_MAX;
		parts++;
		at = skip_blanks(at);
	} while (*at);
	if (total > SECONDS_MAX * 1000)
		return err_set(
			err, -ERANGE, "%s is too long a duration: at most ten years", text);
	*ret_ms = (int64_t)total;
	return 0;
invalid:
	return err_set(err, -EINVAL,
		"\"%s\" is not a duration: give seconds, or a number with a unit, such as "
		"300, 5 min, 1h 30m",
		text);
}

int parse_size(const char *text, int64_t *ret_mib, struct err *err)
{
	static const struct unit units[] = {
		{"B", 1},
		{"K", 1ULL << 10},
		{"KiB", 1ULL << 10},
		{"KB", 1000},
		{"M", 1ULL << 20},
		{"MiB", 1ULL << 20},
		{"MB", 1000000},
		{"G", 1ULL << 30},
		{"GiB", 1ULL << 30},
		{"GB", 1000000000},
		{"T", 1ULL << 40},
		{"TiB", 1ULL << 40},
		{"TB", 1000000000000},
		{"P", 1ULL << 50},
		{"PiB", 1ULL << 50},
		{"PB", 1000000000000000},
	};
	const char *at = skip_blanks(text);
	const struct unit *unit;
	struct decimal number;
	uint64_t bytes;

	if (!take_decimal(&at, &number))
		goto invalid;
	if (!*skip_blanks(at))
		return err_set(err, -EINVAL,
			"\"%s\" has no unit: write %s GiB or %s MiB (a bare number means MiB to "
			"Slurm and bytes to Dask)",
			text, text, text);
	unit = take_unit(&at, units, LENGTH(units));
	if (!unit || *skip_blanks(at))
		goto invalid;
	bytes = scale(&number, unit->factor);
	if (bytes > SIZE_MAX_BYTES)
		return err_set(err, -ERANGE, "%s is too much: at most 1024 PiB", text);
	*ret_mib = (int64_t)((bytes + MIB - 1) / MIB);
	return 0;
invalid:
	return err_set(err, -EINVAL,
		"\"%s\" is not an amount of memory: give a number with a unit, such as 80 GiB or "
		"512 MB",
		text);
}

int parse_walltime(const char *text, int64_t *ret_seconds, struct err *err)
{
	const char *at = skip_blanks(text);
	uint64_t field[3] = {0, 0, 0};
	uint64_t days = 0, seconds;
	int fields = 0;
	bool has_days = false;

	for (;;) {
		if (!take_digits(&at, &field[fields]))
			goto invalid;
		if (*at == '-' && !has_days && fields == 0) {
			has_days = true;
			days = field[0];
			field[0] = 0;
			at++;
			continue;
		}
		fields++;
		if (*at != ':')
			break;
		if (fields == 3)
			goto invalid;
		at++;
	}
	if (*skip_blanks(at))
		goto invalid;
	for (int i = 0; i < 3; i++)
		if (field[i] > SECONDS_MAX)
			goto range;
	if (days > SECONDS_MAX / 86400)
		goto range;
	if (has_days || fields == 3)
		seconds = days * 86400 + field[0] * 3600 + field[1] * 60 + field[2];
	else
		seconds = field[0] * 60 + field[1];
	if (seconds > SECONDS_MAX)
		goto range;
	if (seconds == 0)
		return err_set(err, -ERANGE,
			"%s is not a usable walltime: give a time longer than 0", text);
	*ret_seconds = (int64_t)seconds;
	return 0;
invalid:
	return err_set(err, -EINVAL,
		"\"%s\" is not a walltime: give hours:minutes:seconds, such as 01:30:00, or "
		"minutes (90), or days-hours (1-12)",
		text);
range:
	return err_set(err, -ERANGE, "%s is too long a walltime: at most ten years", text);
}

char *format_duration(int64_t ms, char buffer[FORMAT_MAX])
{
	int64_t s = ms / 1000;

	if (ms < 0)
		snprintf(buffer, FORMAT_MAX, "0 s");
	else if (ms < 10000)
		snprintf(buffer, FORMAT_MAX, "%.1f s", (double)ms / 1000);
	else if (s < 60)
		snprintf(buffer, FORMAT_MAX, "%" PRId64 " s", s);
	else if (s < 3600 && s % 60 == 0)
		snprintf(buffer, FORMAT_MAX, "%" PRId64 " min", s / 60);
	else if (s < 3600)
		snprintf(buffer, FORMAT_MAX, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buffer, FORMAT_MAX, "%" PRId64 " h %" PRId64 " min", s / 3600,
			s % 3600 / 60);
	else
		snprintf(buffer, FORMAT_MAX, "%" PRId64 " d %" PRId64 " h", s / 86400,
			s % 86400 / 3600);
	return buffer;
}

char *format_size(int64_t mib, char buffer[FORMAT_MAX])
{
	if (mib >= 1024 * 1024 && mib % (1024 * 1024) == 0)
		snprintf(buffer, FORMAT_MAX, "%" PRId64 " TiB", mib / (1024 * 1024));
	else if (mib >= 1024 && mib % 1024 == 0)
		snprintf(buffer, FORMAT_MAX, "%" PRId64 " GiB", mib / 1024);
	else
		snprintf(buffer, FORMAT_MAX, "%" PRId64 " MiB", mib);
	return buffer;
}

char *format_bytes(int64_t bytes, char buffer[FORMAT_MAX])
{
	static const char *const names[] = {"KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes / 1024;
	size_t i = 0;

	/* From 1023.95 on, one decimal would show 1024.0. */
	for (; value >= 1023.95 && i + 1 < LENGTH(names); i++)
		value /= 1024;
	if (bytes < 1024)
		snprintf(buffer, FORMAT_MAX, "%" PRId64 " bytes", bytes);
	else
		snprintf(buffer, FORMAT_MAX, "%.1f %s", value, names[i]);
	return buffer;
}

char *format_walltime(int64_t seconds, char buffer[FORMAT_MAX])
{
	int64_t days = seconds / 86400;
	int hours = (int)(seconds % 86400 / 3600);
	int minutes = (int)(seconds % 3600 / 60), rest = (int)(seconds % 60);

	if (days > 0)
		snprintf(buffer, FORMAT_MAX, "%" PRId64 "-%02d:%02d:%02d", days, hours, minutes,
			rest);
	else
		snprintf(buffer, FORMAT_MAX, "%02d:%02d:%02d", hours, minutes, rest);
	return buffer;
}
