/* settings_yaml.c: reads settings from a YAML file. */
#include "common/settings_yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/nearest.h"
#include "common/other_names.h"
#include "common/problems.h"
#include "common/settings_limits.h"
#include "common/settings_list.h"
#include "common/slurp.h"
#include "common/yaml_doc.h"

#define PROFILES_MAX 1000

struct reading {
	struct settings_file *file;
	bool is_site;
	struct problems *problems;
	bool nested;		 /* a mapping may be a member of the value */
	struct settings scratch; /* values are tried here; made for the first one */
};

/* The section that is being read: the whole file, a profile or the limits. */
struct section {
	enum settings_section kind;
	size_t profile;
	unsigned seen[SETTING_COUNT]; /* the line of each setting */
};

static void fault(struct reading *reading, struct yaml_place at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void fault(struct reading *reading, struct yaml_place at, const char *format, ...)
{
	_cleanup_free_ char *place =
		xasprintf("%s:%u:%u", reading->file->path, at.line, at.column);
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	problems_add(reading->problems, place, "%s", text);
}

/* The text of a node; NULL with a fault: it is no text. */
static const char *word(struct reading *reading, struct yaml_ref node, const char *what)
{
	bool is_text = yaml_kind(node) == YAML_TEXT;
	const char *text = is_text ? yaml_text(node) : NULL;

	if (!text)
		fault(reading, yaml_place(node),
			is_text ? "%s has a NUL character in its value"
				: "%s must be one plain value",
			what);
	return text;
}

static json_t *word_json(struct reading *reading, struct yaml_ref node, const char *what)
{
	const char *text = word(reading, node, what);

	if (!text)
		return NULL;
	return yaml_is_null(node) ? json_null() : json_text(text);
}

static json_t *node_json(struct reading *reading, struct yaml_ref node, const char *what);

static json_t *mapping_json(struct reading *reading, struct yaml_ref node, const char *what)
{
	bool nested = reading->nested;
	_cleanup_json_ json_t *object = json_object();

	for (size_t i = 0; i < yaml_count(node); i++) {
		struct yaml_ref key = yaml_key(node, i);
		const char *name = word(reading, key, what);
		_cleanup_free_ char *member = xasprintf("%s: %s", what, name ? name : "a name");
		json_t *json = NULL;

		reading->nested = false; /* one level deep */
		if (name)
			json = nested ? node_json(reading, yaml_value(node, i), member)
				      : word_json(reading, yaml_value(node, i), member);
		reading->nested = nested;
		if (!json)
			return NULL;
		if (json_object_get(object, name)) {
			json_decref(json);
			fault(reading, yaml_place(key), "%s is given twice: remove one of them",
				member);
			return NULL;
		}
		json_object_set_new(object, name, json);
	}
	return json_incref(object);
}

static json_t *list_json(struct reading *reading, struct yaml_ref node, const char *what)
{
	_cleanup_free_ char *item_of = xasprintf("%s: an item of a list", what);
	_cleanup_json_ json_t *array = json_array();

	if (yaml_count(node) > SETTINGS_ITEMS_MAX) {
		fault(reading, yaml_place(node), "%s: more than %d items", what,
			SETTINGS_ITEMS_MAX);
		return NULL;
	}
	for (size_t i = 0; i < yaml_count(node); i++) {
		struct yaml_ref item = yaml_value(node, i);
		json_t *json = yaml_kind(item) == YAML_MAPPING
			? mapping_json(reading, item, item_of)
			: word_json(reading, item, item_of);

		if (!json)
			return NULL;
		json_array_append_new(array, json);
	}
	return json_incref(array);
}

/* The value of a node for settings_set_value(); NULL with a fault: it has none. */
static json_t *node_json(struct reading *reading, struct yaml_ref node, const char *what)
{
	switch (yaml_kind(node)) {
	case YAML_LIST:
		return list_json(reading, node, what);
	case YAML_MAPPING:
		return mapping_json(reading, node, what);
	default:
		return word_json(reading, node, what);
	}
}

static void add_entry(struct reading *reading, const struct section *section,
	struct yaml_ref key, enum setting_id id, json_t *value)
{
	struct settings_file *file = reading->file;

	file->entries = xrealloc(file->entries, (file->count + 1) * sizeof(*file->entries));
	file->entries[file->count++] = (struct settings_entry){
		.section = section->kind,
		.profile = section->profile,
		.id = id,
		.value = value,
		.line = yaml_place(key).line,
		.column = yaml_place(key).column,
	};
}

static void unknown_name(
	struct reading *reading, const struct section *section, struct yaml_ref key)
{
	static const char *const sections[] = {"profiles", "limits"};
	const char *name = yaml_text(key);
	const struct other_name *other = other_name_find(name);
	const char *setting = other
		? other->setting
		: nearest(name, settings_table, SETTING_COUNT, sizeof(settings_table[0]));
	const char *near = nearest(name, sections, 2, sizeof(sections[0]));
	struct err err = ERR_INIT;
	int id;

	if (near && !setting && !other && section->kind == SECTION_PLAIN) {
		fault(reading, yaml_place(key),
			"there is no setting \"%s\"; did you mean \"%s:\"?", name, near);
		return;
	}
	settings_find(name, &err);
	fault(reading, yaml_place(key), "%s%s", err.text,
		setting || other ? "" : " (draco.yaml(5) lists all)");
	id = setting ? settings_find(setting, NULL) : -ENOENT;
	if (id >= 0) /* its value is not known, so skip rules about it */
		add_entry(reading, section, key, (enum setting_id)id, NULL);
}

/* Can the site limit this setting? Adds a fault if not. */
static bool check_limit(struct reading *reading, struct yaml_ref key, enum setting_id id)
{
	if (!settings_limit_find(id)) {
		fault(reading, yaml_place(key),
			"%s cannot be limited, only maximum, walltime and poll_interval",
			settings_table[id].name);
		return false;
	}
	return true;
}

static void read_setting(struct reading *reading, struct section *section, struct yaml_ref key,
	struct yaml_ref value)
{
	int id = settings_find(yaml_text(key), NULL);
	struct settings *scratch = &reading->scratch;
	_cleanup_json_ json_t *json = NULL;
	struct err err = ERR_INIT;

	if (id < 0) {
		unknown_name(reading, section, key);
		return;
	}
	if (section->seen[id]) {
		fault(reading, yaml_place(key),
			"%s is given twice, in line %u already: remove one of them",
			settings_table[id].name, section->seen[id]);
		return;
	}
	section->seen[id] = yaml_place(key).line;
	if (section->kind == SECTION_LIMIT && !check_limit(reading, key, id))
		return;
	if (!scratch->processes)
		settings_init(scratch);
	reading->nested = id == SETTING_QUEUE_OPTIONS;
	json = node_json(reading, value, settings_table[id].name);
	if (json && settings_set_value(scratch, id, json, "", &err) < 0) {
		fault(reading, yaml_place(value), "%s", err.text);
		json_decref(TAKE_PTR(json));
	}
	if (json && section->kind == SECTION_LIMIT &&
		*(int64_t *)settings_member(scratch, id) == 0) {
		fault(reading, yaml_place(value), "%s 0 would allow nothing: give at least 1",
			settings_table[id].name);
		json_decref(TAKE_PTR(json));
	}
	add_entry(reading, section, key, id, TAKE_PTR(json));
}

static void read_section(struct reading *reading, struct section *section, struct yaml_ref node,
	const char *what);

static size_t add_profile(struct reading *reading, struct yaml_ref key)
{
	struct settings_file *file = reading->file;

	file->profiles =
		xrealloc(file->profiles, (file->profile_count + 1) * sizeof(*file->profiles));
	file->profiles[file->profile_count] =
		(struct settings_profile){xstrdup(yaml_text(key)), yaml_place(key).line};
	return file->profile_count++;
}

static void read_profiles(struct reading *reading, struct yaml_ref node)
{
	if (yaml_is_null(node))
		return;
	if (yaml_kind(node) != YAML_MAPPING) {
		fault(reading, yaml_place(node),
			"profiles must have a name each, and below it lines \"setting: value\"");
		return;
	}
	for (size_t pair = 0; pair < yaml_count(node); pair++) {
		struct yaml_ref key = yaml_key(node, pair);
		struct section section = {.kind = SECTION_PROFILE};
		_cleanup_free_ char *what = NULL;
		size_t i;

		if (!word(reading, key, "the name of a profile"))
			continue;
		for (i = 0; i < reading->file->profile_count; i++)
			if (strcmp(reading->file->profiles[i].name, yaml_text(key)) == 0)
				break;
		if (i < reading->file->profile_count || i == PROFILES_MAX) {
			fault(reading, yaml_place(key),
				i < reading->file->profile_count
					? "profile \"%s\" is given twice: remove one of them"
					: "profile \"%s\" is one too many",
				yaml_text(key));
			continue;
		}
		section.profile = add_profile(reading, key);
		what = xasprintf("profile \"%s\"", yaml_text(key));
		read_section(reading, &section, yaml_value(node, pair), what);
	}
}

static void read_limits(struct reading *reading, struct yaml_ref key, struct yaml_ref value)
{
	struct section section = {.kind = SECTION_LIMIT};

	if (reading->is_site)
		read_section(reading, &section, value, "limits");
	else
		fault(reading, yaml_place(key),
			"limits can only be in the file of the site (dracoctl config path): "
			"remove them here, or set the value itself");
}

/* Read the lines "setting: value" of a section. */
static void read_section(struct reading *reading, struct section *section, struct yaml_ref node,
	const char *what)
{
	bool plain = section->kind == SECTION_PLAIN;
	const char *text = yaml_kind(node) == YAML_TEXT ? yaml_text(node) : NULL;
	unsigned profiles = 0, limits = 0;

	if (yaml_is_null(node))
		return;
	if (yaml_kind(node) != YAML_MAPPING) {
		fault(reading, yaml_place(node),
			"%s must consist of lines \"setting: value\", and here is %s%.60s",
			what, text ? "only " : "a list", text ? text : "");
		return;
	}
	for (size_t pair = 0; pair < yaml_count(node); pair++) {
		struct yaml_ref key = yaml_key(node, pair);
		struct yaml_ref value = yaml_value(node, pair);
		unsigned *seen;

		if (!word(reading, key, "the name of a setting"))
			continue;
		seen = strcmp(yaml_text(key), "profiles") == 0	? &profiles
			: strcmp(yaml_text(key), "limits") == 0 ? &limits
								: NULL;
		if (!seen)
			read_setting(reading, section, key, value);
		else if (!plain)
			fault(reading, yaml_place(key),
				"%s cannot be inside of %s: move it to the margin",
				yaml_text(key), what);
		else if (*seen)
			fault(reading, yaml_place(key),
				"%s is given twice, in line %u already: put both together",
				yaml_text(key), *seen);
		else if (seen == &profiles)
			read_profiles(reading, value);
		else
			read_limits(reading, key, value);
		if (seen)
			*seen = yaml_place(key).line;
	}
}

void settings_file_read(
	struct settings_file *ret, const char *path, bool is_site, struct problems *problems)
{
	struct reading reading = {.file = ret, .is_site = is_site, .problems = problems};
	struct section section = {.kind = SECTION_PLAIN};
	struct yaml_place place;
	struct yaml_doc *doc;
	struct yaml_ref root;
	_cleanup_free_ char *text = NULL;
	struct err err = ERR_INIT;
	size_t size;
	int r;

	*ret = (struct settings_file){.path = xstrdup(path)};
	r = slurp(path, &text, &size, &err);
	ret->exists = r != -ENOENT;
	if (r < 0 && ret->exists)
		problems_add(problems, path, "%s", err.text);
	if (r < 0)
		return;
	doc = yaml_doc_parse(text, size, &place, &err);
	if (!doc) {
		fault(&reading, place, "%s", err.text);
		return;
	}
	if (yaml_doc_root(doc, &root))
		read_section(&reading, &section, root, "the file");
	settings_finish(&reading.scratch);
	yaml_doc_destroy(doc);
}

void settings_file_finish(struct settings_file *file)
{
	for (size_t i = 0; i < file->count; i++)
		json_decref(file->entries[i].value);
	for (size_t i = 0; i < file->profile_count; i++)
		free(file->profiles[i].name);
	free(file->entries);
	free(file->profiles);
	free(file->path);
	*file = (struct settings_file){0};
}
