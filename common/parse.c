/* parse.c: strict reading, and writing, of numbers, durations, sizes and walltimes. */
#include "common/parse.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/err.h"

#define SECONDS_MAX   (10LL * 366 * 24 * 3600)
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const char *skip_blanks(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* Digits at *text, with at least one; moves *text behind them. */
static int take_digits(const char **text, int64_t *ret)
{
	int64_t value = 0;
	const char *at = *text;

	if (!isdigit((unsigned char)*at))
		return -EINVAL;
	for (; isdigit((unsigned char)*at); at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, *at - '0', &value))
			return -ERANGE;
	*text = at;
	*ret = value;
	return 0;
}

int parse_integer(
	const char *text, int64_t minimum, int64_t maximum, int64_t *ret, struct err *err)
{
	const char *at = skip_blanks(text);
	bool negative = *at == '-';
	int64_t value;
	int r;

	if (negative)
		at++;
	r = take_digits(&at, &value);
	if (r == -EINVAL || (r == 0 && *skip_blanks(at)))
		return err_set(err, -EINVAL, "\"%s\" is not a whole number", text);
	if (r == 0 && negative)
		value = -value;
	if (r < 0 || value < minimum || value > maximum) {
		if (maximum == INT64_MAX)
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

/* A number with an optional fraction, in units of 1/1000 000. */
#define MICRO 1000000LL
static int take_decimal(const char **text, int64_t *ret_micro)
{
	int64_t whole, fraction = 0, weight = MICRO / 10;
	const char *at = *text;
	int r;

	r = take_digits(&at, &whole);
	if (r < 0)
		return r;
	if (*at == '.') {
		at++;
		if (!isdigit((unsigned char)*at))
			return -EINVAL;
		for (; isdigit((unsigned char)*at); at++, weight /= 10)
			fraction += weight * (*at - '0');
	}
	if (__builtin_mul_overflow(whole, MICRO, ret_micro))
		return -ERANGE;
	*ret_micro += fraction;
	*text = at;
	return 0;
}

struct unit {
	const char *name;
	double factor;
};

/* The unit at *text, letters only; NULL when there is none or it is unknown. */
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
		{"s", 1e3},
		{"sec", 1e3},
		{"second", 1e3},
		{"seconds", 1e3},
		{"m", 60e3},
		{"min", 60e3},
		{"minute", 60e3},
		{"minutes", 60e3},
		{"h", 3600e3},
		{"hour", 3600e3},
		{"hours", 3600e3},
		{"d", 86400e3},
		{"day", 86400e3},
		{"days", 86400e3},
	};
	const char *at = skip_blanks(text);
	double total = 0;
	bool bare = false;
	int parts = 0;

	while (*at) {
		const struct unit *unit;
		int64_t micro;
		int r = take_decimal(&at, &micro);

		if (r == -ERANGE)
			goto range;
		if (r < 0)
			goto invalid;
		if (!*skip_blanks(at)) {
			bare = true;
			total += (double)micro / MICRO * 1e3;
		} else {
			unit = take_unit(&at, units, LENGTH(units));
			if (!unit)
				goto invalid;
			total += (double)micro / MICRO * unit->factor;
		}
		parts++;
		at = skip_blanks(at);
	}
	if (parts == 0 || (bare && parts > 1))
		goto invalid;
	if (total > (double)SECONDS_MAX * 1e3)
		goto range;
	*ret_ms = (int64_t)(total + 0.5);
	return 0;
invalid:
	return err_set(err, -EINVAL,
		"\"%s\" is not a duration: give seconds, or a number with a unit, such as "
		"300, 5 min, 1h 30m",
		text);
range:
	return err_set(err, -ERANGE, "%s is too long a duration", text);
}

int parse_size(const char *text, int64_t *ret_mib, struct err *err)
{
	static const struct unit units[] = {
		{"B", 1},
		{"K", 1024.},
		{"KiB", 1024.},
		{"KB", 1e3},
		{"M", 1048576.},
		{"MiB", 1048576.},
		{"MB", 1e6},
		{"G", 1073741824.},
		{"GiB", 1073741824.},
		{"GB", 1e9},
		{"T", 1099511627776.},
		{"TiB", 1099511627776.},
		{"TB", 1e12},
		{"P", 1125899906842624.},
		{"PiB", 1125899906842624.},
		{"PB", 1e15},
	};
	const char *at = skip_blanks(text);
	const struct unit *unit;
	int64_t micro = 0;
	double mib;
	int64_t whole;
	int r;

	r = take_decimal(&at, &micro);
	if (r == -EINVAL)
		goto invalid;
	if (r == 0 && !*skip_blanks(at))
		return err_set(err, -EINVAL,
			"\"%s\" has no unit: write %s GiB or %s MiB (a bare number means MiB to "
			"Slurm and bytes to Dask)",
			text, text, text);
	if (r < 0)
		goto range;
	unit = take_unit(&at, units, LENGTH(units));
	if (!unit || *skip_blanks(at))
		goto invalid;
	mib = (double)micro / MICRO * unit->factor / 1048576.;
	if (mib > 1024. * 1024 * 1024 * 1024)
		goto range;
	whole = (int64_t)mib;
	*ret_mib = (double)whole < mib ? whole + 1 : whole;
	return 0;
invalid:
	return err_set(err, -EINVAL,
		"\"%s\" is not an amount of memory: give a number with a unit, such as 80 GiB or "
		"512 MB",
		text);
range:
	return err_set(err, -ERANGE, "%s is too much: at most 1024 PiB", text);
}

int parse_walltime(const char *text, int64_t *ret_seconds, struct err *err)
{
	const char *at = skip_blanks(text);
	int64_t field[3] = {0, 0, 0};
	int64_t days = 0, seconds;
	int fields = 0;
	bool has_days = false;

	for (;;) {
		int r = take_digits(&at, &field[fields]);

		if (r == -ERANGE)
			goto range;
		if (r < 0)
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
			"%s is no time at all: draco's jobs need an end that is later", text);
	*ret_seconds = seconds;
	return 0;
invalid:
	return err_set(err, -EINVAL,
		"\"%s\" is not a walltime: give hours:minutes:seconds, such as 01:30:00, or another "
		"form of sbatch --time (90, 90:00, 1-12, 1-12:30, 1-12:30:00)",
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

char *format_walltime(int64_t seconds, char buffer[FORMAT_MAX])
{
	int days = (int)(seconds / 86400), hours = (int)(seconds % 86400 / 3600);
	int minutes = (int)(seconds % 3600 / 60), rest = (int)(seconds % 60);

	if (days > 0)
		snprintf(buffer, FORMAT_MAX, "%d-%02d:%02d:%02d", days, hours, minutes, rest);
	else
		snprintf(buffer, FORMAT_MAX, "%02d:%02d:%02d", hours, minutes, rest);
	return buffer;
}
