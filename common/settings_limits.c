/* settings_limits.c: the site's limits on settings. Pure. */
#include "common/settings_limits.h"
#include "common/settings_describe.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"

const struct settings_limit settings_limits[] = {
	{"maximum", SETTING_MAXIMUM, false,
		"the most workers of one cluster, in whole jobs; holds for minimum and "
		"processes, too",
		"400"},
	{"walltime", SETTING_JOB_WALLTIME, false, "the longest walltime of one job",
		"1-00:00:00"},
	{"poll_interval", SETTING_POLL_INTERVAL, true,
		"the shortest time between two questions to Slurm", "5"},
	{0},
};

const struct settings_limit *settings_limit_find(enum setting_id id)
{
	for (const struct settings_limit *limit = settings_limits; limit->name; limit++)
		if (limit->id == id)
			return limit;
	return NULL;
}

/* Replace a value because of a limit, and add that to told. */
static void bite(struct settings *settings, enum setting_id id, int64_t given,
	const char *asked, const struct settings_limit *limit, json_t *told)
{
	const struct setting *setting = &settings_table[id];
	const struct setting_limit *bound = &settings->limit[limit->id];
	_cleanup_free_ char *given_text = value_format_number(setting, given);
	_cleanup_free_ char *bound_text =
		value_format_number(&settings_table[limit->id], bound->value);
	_cleanup_free_ char *source = xasprintf("limit %s", bound->source);
	_cleanup_free_ char *jobs = limit->id != SETTING_MAXIMUM ? xstrdup("")
		: given == bound->value
		? xstrdup(" workers")
		: xasprintf(" workers, in whole jobs of %" PRId64, settings->processes);
	_cleanup_free_ char *message = xasprintf(
		"%s %s is %s to %s: the site allows %s %s%s (%s)", setting->name, asked,
		limit->is_floor ? "raised" : "lowered", given_text,
		limit->is_floor ? "at least" : "at most", bound_text, jobs, bound->source);

	json_array_append_new(told,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "setting", setting->name, "asked",
			asked, "given", given_text, "limit", bound_text, "source",
			bound->source, "message", message));
	*(int64_t *)settings_member(settings, id) = given;
	xreplace(&settings->source[id], source);
	settings->place[id] = (struct setting_place){.layer = LAYER_LIMIT};
}

static void apply_plain(struct settings *settings, enum setting_id id,
	const struct settings_limit *limit, json_t *told)
{
	int64_t value = *(int64_t *)settings_member(settings, id);
	int64_t bound = settings->limit[limit->id].value;
	_cleanup_free_ char *asked = value_format_number(&settings_table[id], value);

	if (limit->is_floor ? value < bound : value > bound)
		bite(settings, id, bound, asked, limit, told);
}

/* Workers come in whole jobs, so the limit is rounded down to whole jobs. */
static void apply_workers(struct settings *s, const struct settings_limit *limit, json_t *told)
{
	int64_t bound = s->limit[SETTING_MAXIMUM].value, whole;
	_cleanup_free_ char *maximum = NULL, *minimum = NULL;

	apply_plain(s, SETTING_PROCESSES, limit, told);
	whole = bound - bound % s->processes;
	maximum = s->maximum ? xasprintf("%" PRId64, s->maximum)
			     : xasprintf("0 (%" PRId64 " workers)", settings_maximum(s));
	if (settings_maximum(s) > whole)
		bite(s, SETTING_MAXIMUM, whole, maximum, limit, told);
	minimum = xasprintf("%" PRId64, s->minimum);
	if (s->minimum > whole)
		bite(s, SETTING_MINIMUM, whole, minimum, limit, told);
}

void settings_limits_apply(struct settings *settings, json_t *told)
{
	for (const struct settings_limit *limit = settings_limits; limit->name; limit++) {
		if (!settings->limit[limit->id].value)
			continue;
		if (limit->id == SETTING_MAXIMUM)
			apply_workers(settings, limit, told);
		else
			apply_plain(settings, limit->id, limit, told);
		/* Otherwise a lower limit of the site would allow no walltime at all. */
		if (limit->id == SETTING_JOB_WALLTIME)
			apply_plain(settings, SETTING_MINIMUM_WALLTIME, limit, told);
	}
}
