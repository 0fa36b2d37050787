/* settings.c: the table of all settings, and setting values by it. */
#include "common/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/nearest.h"
#include "common/other_names.h"
#include "common/settings_value.h"

void *settings_member(const struct settings *settings, enum setting_id id)
{
	return (char *)UNCONST(settings) + settings_table[id].offset;
}

void settings_init(struct settings *settings)
{
	*settings = (struct settings){0};
	for (int id = 0; id < SETTING_COUNT; id++)
		if (settings_set(settings, id, settings_table[id].default_value, "default",
			    NULL) < 0)
			abort(); /* a default of the table cannot be parsed */
}

void settings_finish(struct settings *settings)
{
	for (int id = 0; id < SETTING_COUNT; id++) {
		value_release(&settings_table[id], settings_member(settings, id));
		free(settings->source[id]);
		free(settings->limit[id].source);
	}
	free(settings->profile);
	*settings = (struct settings){0};
}

void settings_copy(struct settings *settings, const struct settings *from)
{
	settings_finish(settings);
	for (int id = 0; id < SETTING_COUNT; id++) {
		value_copy(&settings_table[id], settings_member(settings, id),
			settings_member(from, id));
		xreplace(&settings->source[id], from->source[id]);
		settings->place[id] = from->place[id];
		settings->limit[id].value = from->limit[id].value;
		xreplace(&settings->limit[id].source, from->limit[id].source);
	}
	xreplace(&settings->profile, from->profile);
}

int settings_in_group(enum setting_group group, int id)
{
	while (id < SETTING_COUNT && settings_table[id].group != group)
		id++;
	return id;
}

static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(*a == '-' && *b == '_'))
			return false;
	return !*a && !*b;
}

/* The error for a name that another program has for a setting. */
static int other_name(const struct other_name *other, const char *name, struct err *err)
{
	const char *advice = other->advice ? other->advice : "";

	if (!other->setting)
		return err_set(err, -ENOENT, "there is no setting \"%s\": %s", name, advice);
	return err_set(err, -ENOENT, "there is no setting \"%s\"; use \"%s\"%s%s%s", name,
		other->setting, *advice ? " (" : "", advice, *advice ? ")" : "");
}

int settings_find(const char *name, struct err *err)
{
	const struct other_name *other = other_name_find(name);
	const char *near;

	for (int id = 0; id < SETTING_COUNT; id++)
		if (same_name(name, settings_table[id].name))
			return id;
	if (other)
		return other_name(other, name, err);
	near = nearest(name, settings_table, SETTING_COUNT, sizeof(settings_table[0]));
	if (near)
		return err_set(err, -ENOENT, "there is no setting \"%s\"; did you mean \"%s\"?",
			name, near);
	return err_set(err, -ENOENT, "there is no setting \"%s\"", name);
}

/* The value of any setting, by its type. */
union value {
	int64_t number;
	bool boolean;
	int choice;
	char *text;
	struct strv list;
};

static bool has_entries(const struct settings *settings, enum setting_id id)
{
	return (settings_table[id].type == SETTING_MAP || id == SETTING_QUEUE_OPTIONS) &&
		!value_is_none(&settings_table[id], settings_member(settings, id));
}

/* Set a value from text; text NULL: from JSON. */
static int set(struct settings *settings, enum setting_id id, const char *text,
	const json_t *json, const char *source, struct err *err)
{
	const struct setting *setting = &settings_table[id];
	bool adds = has_entries(settings, id);
	void *at = settings_member(settings, id);
	_cleanup_free_ char *both = NULL;
	union value before = {0};
	int r;

	value_copy(setting, &before, at);
	r = text ? value_set_text(setting, at, text, err)
		 : value_set_json(setting, at, json, err);
	if (r == 0) {
		r = settings_check_value(settings, id, err);
		if (r < 0)
			value_copy(setting, at, &before);
	}
	value_release(setting, &before);
	if (r < 0) {
		err_prefix(err, "%s", setting->name);
		return r;
	}
	/* The entries of a mapping may come from several places. */
	if (adds && has_entries(settings, id) && settings->source[id] &&
		strcmp(settings->source[id], source) != 0)
		both = xasprintf("%s + %s", settings->source[id], source);
	xreplace(&settings->source[id], both ? both : source);
	return 0;
}

int settings_set(struct settings *settings, enum setting_id id, const char *text,
	const char *source, struct err *err)
{
	return set(settings, id, text, NULL, source, err);
}

int settings_set_value(struct settings *settings, enum setting_id id, const json_t *value,
	const char *source, struct err *err)
{
	return set(settings, id, NULL, value, source, err);
}

int settings_set_json(
	struct settings *settings, const json_t *object, const char *source, struct err *err)
{
	const char *name;
	json_t *value;

	json_object_foreach (UNCONST(object), name, value) {
		int id = settings_find(name, err);
		int r = id < 0 ? id : settings_set_value(settings, id, value, source, err);

		if (r < 0)
			return r;
	}
	return 0;
}

char *settings_format(const struct settings *settings, enum setting_id id)
{
	return value_format(&settings_table[id], settings_member(settings, id));
}

json_t *settings_value_to_json(const struct settings *settings, enum setting_id id)
{
	return value_to_json(&settings_table[id], settings_member(settings, id));
}

json_t *settings_to_json(const struct settings *settings)
{
	json_t *object = json_object();

	for (int id = 0; id < SETTING_COUNT; id++)
		json_object_set_new(
			object, settings_table[id].name, settings_value_to_json(settings, id));
	return object;
}

char *settings_place(const struct settings *settings, enum setting_id id)
{
	if (settings->place[id].column)
		return xasprintf("%s:%u", settings->source[id], settings->place[id].column);
	return xstrdup(settings->source[id]);
}

int64_t settings_maximum(const struct settings *settings)
{
	return settings->maximum ? settings->maximum
				 : settings->adaptive_scale_factor * settings->processes;
}

int64_t settings_threads_per_worker(const struct settings *settings)
{
	if (settings->threads)
		return settings->threads;
	if (settings->cores == CORES_NODE)
		return 0;
	return settings->cores > settings->processes ? settings->cores / settings->processes
						     : 1;
}

char *settings_describe_cores(const struct settings *settings)
{
	if (settings->cores == CORES_NODE)
		return xstrdup("all cores");
	return xasprintf(
		"%" PRId64 " core%s", settings->cores, settings->cores == 1 ? "" : "s");
}

int64_t settings_bytes_per_worker(const struct settings *settings)
{
	return settings->memory_mib > 0
		? settings->memory_mib * 1024 * 1024 / settings->processes
		: 0;
}

bool settings_ports(
	const struct settings *settings, enum setting_id id, int *ret_first, int *ret_last)
{
	const char *text = *(char *const *)settings_member(settings, id);
	const char *last = text ? strchr(text, '-') : NULL;

	*ret_first = text && strcasecmp(text, "auto") != 0 ? atoi(text) : 0;
	*ret_last = last ? atoi(last + 1) : *ret_first;
	return *ret_first > 0;
}
