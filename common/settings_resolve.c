/* settings_resolve.c: combines all layers of settings. Reads the two files; everything else is
 * input. */
#include "common/settings_resolve.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/nearest.h"
#include "common/other_names.h"
#include "common/paths.h"
#include "common/settings_limits.h"
#include "common/settings_yaml.h"
#include "common/strv.h"

#define PREFIX "DRACO_"

const struct settings_variable settings_variables[] = {
	{"DRACO_NAME", "the cluster's name, as --name"},
	{"DRACO_PROFILE", "the profile, as --profile"},
	{"DRACO_SITE_CONFIG", "another settings file of the site"},
	{"DRACO_BIN", "the dracod that dracoctl starts"},
	{"DRACO_SANDBOX", NULL},
	{"DRACO_DASK_SOCKET", NULL},
	{"DRACO_CLUSTER_ID", NULL},
	{"DRACO_ORPHAN_TIMEOUT", NULL},
	{"DRACO_LOCAL_DIRECTORY", NULL},
	{"DRACO_SANDBOX_DAEMON", NULL},
	{"DRACO_BUILD", NULL},
	{"DRACO_WRAPPER", NULL},
	{"DRACO_TEST_PYTHON", NULL},
	{"DRACO_TEST_SLURM_INTERFACE", NULL},
	{0},
};

struct resolving {
	const struct settings_inputs *inputs;
	struct settings *settings;
	struct settings_report *report;
	struct settings_file site, user;
	const char *profile; /* NULL: none */
	bool wrong[SETTING_COUNT];
};

static char *name_from(const char *prefix, enum setting_id id, char separator, int (*fold)(int))
{
	char *name = xasprintf("%s%s", prefix, settings_table[id].name);

	for (char *c = name + strlen(prefix); *c; c++)
		*c = *c == '_' ? separator : (char)fold((unsigned char)*c);
	return name;
}

char *settings_variable_name(enum setting_id id)
{
	return name_from(PREFIX, id, '_', toupper);
}

char *settings_option_name(enum setting_id id)
{
	return name_from("", id, '-', tolower);
}

/* The value of a variable of the caller; NULL: not set, or empty. */
static const char *variable(const struct resolving *r, const char *name)
{
	const char *value = json_get_text(r->inputs->environment, name, NULL);

	return value && *value ? value : NULL;
}

static void locate(struct resolving *r)
{
	struct settings_report *report = r->report;
	const char *named = variable(r, "DRACO_SITE_CONFIG");

	if (!r->inputs->site_only)
		report->user_file =
			paths_config_file(variable(r, "XDG_CONFIG_HOME"), variable(r, "HOME"));
	if (named && named[0] != '/')
		problems_add(&report->problems, "DRACO_SITE_CONFIG",
			"\"%s\" is not an absolute path: give one, such as " PATHS_SITE_FILE,
			named);
	else
		report->site_file = xstrdup(named ? named : PATHS_SITE_FILE);
}

/* A user who starts a cluster cannot correct the site's file. So its errors stop nobody: wrong
 * values are left out, and the user is told. */
static void read_site(struct resolving *r)
{
	struct settings_report *report = r->report;
	struct problems problems = {0};

	settings_file_read(&r->site, report->site_file, true, &problems);
	if (r->inputs->is_check)
		problems_join(&report->problems, &problems);
	else
		problems_join_as_warnings(&report->problems, &problems,
			"; this is left out: tell the administrators");
	problems_finish(&problems);
}

static void read_files(struct resolving *r)
{
	struct settings_report *report = r->report;

	if (report->site_file)
		read_site(r);
	if (report->user_file)
		settings_file_read(&r->user, report->user_file, false, &report->problems);
	report->site_exists = r->site.exists;
	report->user_exists = r->user.exists;
	if (report->site_file && !r->site.exists && variable(r, "DRACO_SITE_CONFIG"))
		problems_add(&report->problems, "DRACO_SITE_CONFIG",
			"there is no file %s: name the settings file of the site, or unset the "
			"variable",
			report->site_file);
}

static void list_profiles(json_t *list, const struct settings_file *file)
{
	for (size_t i = 0; i < file->profile_count; i++) {
		_cleanup_free_ char *place =
			xasprintf("%s:%u", file->path, file->profiles[i].line);
		json_t *known = NULL, *item;
		size_t j;

		json_array_foreach (list, j, item)
			if (strcmp(json_get_text(item, "name", ""), file->profiles[i].name) ==
				0)
				known = item;
		if (!known) {
			known = json_pack("{s:o, s:[]}", "name",
				json_text(file->profiles[i].name), "places");
			json_array_append_new(list, known);
		}
		json_array_append_new(json_object_get(known, "places"), json_text(place));
	}
}

static void unknown_profile(struct resolving *r, const char *name, const char *from)
{
	struct strv names = STRV_INIT;
	_cleanup_free_ char *known = NULL;
	const json_t *item;
	const char *near;
	size_t i;

	json_array_foreach (r->report->profiles, i, item)
		strv_add(&names, json_get_text(item, "name", ""));
	near = names.count ? nearest(name, names.item, names.count, sizeof(names.item[0]))
			   : NULL;
	known = strv_join(&names, ", ");
	if (near)
		problems_add(&r->report->problems, from,
			"there is no profile \"%s\"; did you mean \"%s\"?", name, near);
	else if (names.count)
		problems_add(&r->report->problems, from,
			"there is no profile \"%s\"; there are: %s", name, known);
	else
		problems_add(&r->report->problems, from,
			"there is no profile \"%s\": no file has any (they go below "
			"\"profiles:\" in %s)",
			name, r->report->user_file ? r->report->user_file : "your file");
	strv_finish(&names);
}

static void choose_profile(struct resolving *r)
{
	const char *name = r->inputs->profile, *from = "profile";
	const json_t *item;
	size_t i;

	list_profiles(r->report->profiles, &r->site);
	list_profiles(r->report->profiles, &r->user);
	if (name && r->inputs->command_line)
		from = "--profile";
	if (!name) {
		name = variable(r, "DRACO_PROFILE");
		from = "DRACO_PROFILE";
	}
	if (!name || !*name)
		return;
	json_array_foreach (r->report->profiles, i, item)
		if (strcmp(json_get_text(item, "name", ""), name) == 0)
			r->profile = name;
	if (!r->profile) {
		unknown_profile(r, name, from);
		return;
	}
	xreplace(&r->settings->profile, name);
	xreplace(&r->report->profile_from, from);
}

static void apply_limit(
	struct resolving *r, const struct settings_entry *entry, const char *source)
{
	struct setting_limit *limit = &r->settings->limit[entry->id];
	struct settings scratch;

	settings_init(&scratch);
	if (settings_set_value(&scratch, entry->id, entry->value, source, NULL) == 0) {
		limit->value = *(int64_t *)settings_member(&scratch, entry->id);
		xreplace(&limit->source, source);
	}
	settings_finish(&scratch);
}

static void apply_entry(struct resolving *r, const struct settings_file *file,
	const struct settings_entry *entry, enum settings_layer layer)
{
	_cleanup_free_ char *source = xasprintf("%s:%u", file->path, entry->line);

	if (!entry->value) {
		if (layer != LAYER_SITE || r->inputs->is_check)
			r->wrong[entry->id] = true;
		return;
	}
	if (entry->section == SECTION_LIMIT) {
		apply_limit(r, entry, source);
		return;
	}
	if (settings_set_value(r->settings, entry->id, entry->value, source, NULL) < 0)
		return; /* cannot happen: the reader has tried the value */
	r->wrong[entry->id] = false;
	r->settings->place[entry->id] = (struct setting_place){
		.layer = layer,
		.line = entry->line,
		.column = entry->column,
		.from_profile = entry->section == SECTION_PROFILE,
	};
}

static void apply_file(
	struct resolving *r, const struct settings_file *file, enum settings_layer layer)
{
	for (size_t i = 0; i < file->count; i++)
		if (file->entries[i].section != SECTION_PROFILE)
			apply_entry(r, file, &file->entries[i], layer);
	for (size_t i = 0; r->profile && i < file->count; i++)
		if (file->entries[i].section == SECTION_PROFILE &&
			strcmp(file->profiles[file->entries[i].profile].name, r->profile) == 0)
			apply_entry(r, file, &file->entries[i], layer);
}

/* Apply a value from a variable or an option. */
static void apply_given(struct resolving *r, enum setting_id id, const json_t *value,
	const char *place, enum settings_layer layer)
{
	_cleanup_free_ char *prefix = xasprintf("%s: ", settings_table[id].name);
	struct err err = ERR_INIT;
	bool named; /* the place names the setting already: "--cores", "DRACO_CORES", "cores" */

	if (settings_set_value(r->settings, id, value, place, &err) == 0) {
		r->settings->place[id] = (struct setting_place){.layer = layer};
		r->wrong[id] = false; /* this value replaces a wrong one */
		return;
	}
	r->wrong[id] = true;
	named = strncmp(err.text, prefix, strlen(prefix)) == 0;
	problems_add(
		&r->report->problems, place, "%s", err.text + (named ? strlen(prefix) : 0));
}

static bool is_variable(const char *name)
{
	for (const struct settings_variable *v = settings_variables; v->name; v++)
		if (strcmp(v->name, name) == 0)
			return true;
	return false;
}

/* A variable such as DRACO_QUEUE, with another program's name for a setting. */
static const struct other_name *other_variable(const char *name)
{
	_cleanup_free_ char *word = xstrdup(name + strlen(PREFIX));

	for (char *c = word; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return other_name_find(word);
}

static void unknown_variable(struct resolving *r, const char *name)
{
	const struct other_name *other = other_variable(name);
	struct strv known = STRV_INIT;
	const char *near;

	if (other) {
		problems_warn(&r->report->problems, name,
			"the variable is not known and has no effect%s%s%s%s",
			other->setting ? "; use the setting " : "",
			other->setting ? other->setting : "", other->advice ? ": " : "",
			other->advice ? other->advice : "");
		return;
	}

	/* What all have in common makes none near. */
	for (int id = 0; id < SETTING_COUNT; id++) {
		_cleanup_free_ char *variable = settings_variable_name(id);

		strv_add(&known, variable + strlen(PREFIX));
	}
	for (const struct settings_variable *v = settings_variables; v->name; v++)
		if (v->help && strncmp(v->name, PREFIX, strlen(PREFIX)) == 0)
			strv_add(&known, v->name + strlen(PREFIX));
	near = nearest(name + strlen(PREFIX), known.item, known.count, sizeof(known.item[0]));
	problems_warn(&r->report->problems, name,
		"the variable is not known and has no effect%s%s%s",
		near ? "; did you mean " PREFIX : "", near ? near : "", near ? "?" : "");
	strv_finish(&known);
}

/* Variables that users set for sbatch, as sites ask them to, count for draco, too. */
static void apply_sbatch(struct resolving *r)
{
	static const struct {
		const char *name;
		enum setting_id id;
	} variables[] = {
		{"SBATCH_ACCOUNT", SETTING_ACCOUNT},
		{"SBATCH_CONSTRAINT", SETTING_CONSTRAINT},
		{"SBATCH_GPUS", SETTING_GPUS},
		{"SBATCH_GRES", SETTING_GRES},
		{"SBATCH_PARTITION", SETTING_QUEUES_TO_TRY},
		{"SBATCH_QOS", SETTING_QOS},
		{"SBATCH_RESERVATION", SETTING_RESERVATION},
	};

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (variable(r, variables[i].name))
			apply_given(r, variables[i].id,
				json_object_get(r->inputs->environment, variables[i].name),
				variables[i].name, LAYER_ENVIRONMENT);
}

static void apply_environment(struct resolving *r)
{
	const char *name;
	json_t *value;

	json_object_foreach (UNCONST(r->inputs->environment), name, value) {
		int id;

		if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || is_variable(name) ||
			!variable(r, name))
			continue;
		for (id = 0; id < SETTING_COUNT; id++) {
			_cleanup_free_ char *known = settings_variable_name(id);

			if (strcmp(known, name) == 0)
				break;
		}
		if (id == SETTING_COUNT)
			unknown_variable(r, name);
		else
			apply_given(r, id, value, name, LAYER_ENVIRONMENT);
	}
}

static void apply_options(struct resolving *r)
{
	const char *name;
	json_t *value;

	json_object_foreach (UNCONST(r->inputs->options), name, value) {
		_cleanup_free_ char *place = NULL;
		struct err err = ERR_INIT;
		int id = settings_find(name, &err);

		if (id < 0) {
			problems_add(&r->report->problems, NULL, "%s", err.text);
			continue;
		}
		place = r->inputs->command_line ? name_from("--", id, '-', tolower)
						: xstrdup(name);
		apply_given(r, id, value, place, LAYER_OPTION);
	}
}

int settings_resolve(const struct settings_inputs *inputs, struct settings *ret,
	struct settings_report *ret_report)
{
	struct resolving r = {.inputs = inputs, .settings = ret, .report = ret_report};

	*ret_report = (struct settings_report){
		.limits = json_array(),
		.profiles = json_array(),
	};
	settings_init(ret);
	locate(&r);
	read_files(&r);
	choose_profile(&r);
	apply_file(&r, &r.site, LAYER_SITE);
	apply_sbatch(&r);
	apply_file(&r, &r.user, LAYER_USER);
	apply_environment(&r);
	apply_options(&r);
	settings_limits_apply(ret, ret_report->limits);
	settings_check_all(ret, r.wrong, &ret_report->problems);
	settings_file_finish(&r.site);
	settings_file_finish(&r.user);
	return ret_report->problems.errors ? -EINVAL : 0;
}

void settings_report_finish(struct settings_report *report)
{
	problems_finish(&report->problems);
	free(report->site_file);
	free(report->user_file);
	free(report->profile_from);
	json_decref(report->limits);
	json_decref(report->profiles);
	*report = (struct settings_report){0};
}
