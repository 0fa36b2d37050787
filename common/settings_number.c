/* settings_number.c: reads the value of a setting that is a number, or a word for one. Pure. */
#include "common/settings_number.h"

#include <errno.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/parse.h"
#include "common/settings.h"
#include "common/settings_describe.h"

/* Add to err which numbers are possible. Returns r. */
static int add_range(const struct setting *setting, int r, struct err *err)
{
	_cleanup_free_ char *range = value_range(setting);

	return err_set(err, r, "%s, %s", err ? err->text : "", range);
}

int value_set_number(
	const struct setting *setting, int64_t *at, const char *text, struct err *err)
{
	_cleanup_free_ char *bound = NULL;
	int64_t value = 0;
	int r = 0;

	switch (setting->type) {
	case SETTING_SIZE:
		if (value_find_word(setting, text, &value))
			break;
		r = parse_size(text, &value, err);
		if (r == 0 && value == 0 && setting->minimum == 0)
			return err_set(err, -ERANGE, "%s is too little: at least 1 MiB", text);
		break;
	case SETTING_WALLTIME:
		r = value_find_word(setting, text, &value) ? 0
							   : parse_walltime(text, &value, err);
		break;
	case SETTING_DURATION:
		r = parse_duration(text, &value, err);
		break;
	case SETTING_CPUS:
		if (value_find_word(setting, text, at))
			return 0;
		r = parse_integer(text, 1, setting->maximum, at, err);
		return r == -EINVAL ? add_range(setting, r, err) : r;
	default:
		r = parse_integer(text, setting->minimum, setting->maximum, at, err);
		return r == -EINVAL ? add_range(setting, r, err) : r;
	}
	if (r < 0)
		return r;
	if (value < setting->minimum) {
		bound = value_format_bound(setting, setting->minimum);
		return err_set(err, -ERANGE, "%s is too little: at least %s", text, bound);
	}
	if (value > setting->maximum) {
		bound = value_format_bound(setting, setting->maximum);
		return err_set(err, -ERANGE, "%s is too much: at most %s", text, bound);
	}
	*at = value;
	return 0;
}
