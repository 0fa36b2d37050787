/* settings_describe.c: describes the values of a setting for a person and for files. Pure. */
#include "common/settings_describe.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/parse.h"
#include "common/settings.h"
#include "common/strv.h"

#define DAY_MS 86400000

bool value_is_number(const struct setting *setting)
{
	return setting->type <= SETTING_DURATION; /* these types come first in the enum */
}

char *value_format_number(const struct setting *setting, int64_t number)
{
	char text[FORMAT_MAX];

	switch (setting->type) {
	case SETTING_CPUS:
		return number == CORES_NODE ? xstrdup("node") : xasprintf("%" PRId64, number);
	case SETTING_SIZE:
		if (setting->minimum < 0 && number <= 0)
			return xstrdup(number == MEMORY_NODE ? "node" : "none");
		if (number == 0)
			return xstrdup("none");
		return xstrdup(format_size(number, text));
	case SETTING_WALLTIME:
		if (number == 0)
			return xstrdup("none");
		return xstrdup(format_walltime(number, text));
	case SETTING_DURATION:
		if (number % 1000)
			return xasprintf("%" PRId64 " ms", number);
		if (number >= 2 * DAY_MS && number % DAY_MS == 0)
			return xasprintf("%" PRId64 " days", number / DAY_MS);
		return xasprintf("%" PRId64, number / 1000);
	default:
		return xasprintf("%" PRId64, number);
	}
}

bool value_find_word(const struct setting *setting, const char *text, int64_t *ret)
{
	bool node = strcasecmp(text, "node") == 0 || strcmp(text, "0") == 0;

	if ((setting->type == SETTING_WALLTIME || setting->type == SETTING_SIZE) &&
		setting->minimum == 0 && strcasecmp(text, "none") == 0) {
		*ret = 0;
		return true;
	}
	if (setting->type == SETTING_CPUS && strcasecmp(text, "node") == 0) {
		*ret = CORES_NODE;
		return true;
	}
	if (setting->type != SETTING_SIZE || setting->minimum >= 0 ||
		!(node || strcasecmp(text, "none") == 0))
		return false;
	*ret = node ? MEMORY_NODE : MEMORY_NONE;
	return true;
}

char *value_format_bound(const struct setting *setting, int64_t number)
{
	char text[FORMAT_MAX];

	if (setting->type != SETTING_DURATION)
		return value_format_number(setting, number);
	if (number < 1000)
		return xasprintf("%" PRId64 " ms", number);
	if (number < 60000 && number % 1000 == 0)
		return xasprintf("%" PRId64 " s", number / 1000);
	if (number % DAY_MS == 0)
		return xasprintf("%" PRId64 " days", number / DAY_MS);
	return xstrdup(format_duration(number, text));
}

char *value_describe(const struct setting *setting)
{
	static const char *const texts[] = {
		[SETTING_INTEGER] = "whole number",
		[SETTING_CPUS] = "whole number",
		[SETTING_SIZE] = "size with its unit, such as 80 GiB, 512 MB, 1.5 TiB",
		[SETTING_WALLTIME] = ("a form of sbatch --time: 01:30:00, 90 (minutes), "
				      "1-12 (days-hours)"),
		[SETTING_DURATION] = "time span: 300 (seconds), 5 min, 1h 30m",
		[SETTING_BOOLEAN] = "true or false",
		[SETTING_STRING] = "one line of text",
		[SETTING_LIST] = "list: [a, b] in a file, a,b elsewhere",
		[SETTING_PLACES] = "list: [a, {partition: b, qos: debug}] in a file, "
				   "\"a, b qos=debug\" elsewhere",
		[SETTING_CHOICE] = "one of ",
		[SETTING_TEXT] = "text of any number of lines",
		[SETTING_MAP] = "mapping of names to values; NAME=value,... outside of files",
	};
	struct strv words = STRV_INIT;
	_cleanup_free_ char *known = NULL;

	if (setting->type == SETTING_CHOICE) {
		strv_split(&words, setting->placeholder, '|');
		known = strv_join(&words, ", ");
		strv_finish(&words);
	}
	if (setting->type == SETTING_PLACES && setting->minimum)
		return xstrdup("mapping of partitions to options: {b: {qos: debug}} in a file, "
			       "\"b qos=debug\" elsewhere");
	return xasprintf("%s%s", texts[setting->type], known ? known : "");
}

char *value_range(const struct setting *setting)
{
	_cleanup_free_ char *low = NULL, *high = NULL;

	if (!value_is_number(setting))
		return NULL;
	if (setting->type == SETTING_SIZE && setting->minimum < 0)
		return xstrdup("or node, or none");
	if ((setting->type == SETTING_WALLTIME || setting->type == SETTING_SIZE) &&
		setting->minimum == 0)
		return xstrdup("or none");
	if (setting->type == SETTING_CPUS)
		return xasprintf("from 1 to %" PRId64 ", or node", setting->maximum);
	low = value_format_bound(setting, setting->minimum);
	if (setting->maximum == INT64_MAX)
		return xasprintf("at least %s", low);
	high = value_format_bound(setting, setting->maximum);
	return xasprintf("from %s to %s", low, high);
}
