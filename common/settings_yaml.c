/* settings_yaml.c: settings from a YAML file. The only place that knows libyaml. */
#include "common/settings_yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/nearest.h"
#include "common/problems.h"
#include "common/settings_limits.h"
#include "common/settings_list.h"
#include "common/slurp.h"

#define PROFILES_MAX 1000

struct reading {
	struct settings_file *file;
	bool is_site;
	struct problems *problems;
	yaml_document_t *document;
	struct settings scratch; /* where values are tried */
};

/* What is being read: the whole file, a profile, the limits. */
struct section {
	enum settings_section kind;
	size_t profile;
	unsigned seen[SETTING_COUNT]; /* lines */
};

static const char *scalar(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static unsigned line_of(const yaml_node_t *node)
{
	return (unsigned)node->start_mark.line + 1;
}

static void fault(struct reading *reading, const yaml_node_t *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void fault(struct reading *reading, const yaml_node_t *node, const char *format, ...)
{
	_cleanup_free_ char *place = xasprintf(
		"%s:%u:%zu", reading->file->path, line_of(node), node->start_mark.column + 1);
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	problems_add(reading->problems, place, "%s", text);
}

/* A scalar as text; NULL, with a fault, for anything else. */
static const char *word(struct reading *reading, const yaml_node_t *node, const char *what)
{
	bool is_scalar = node->type == YAML_SCALAR_NODE;

	if (is_scalar && strlen(scalar(node)) == node->data.scalar.length)
		return scalar(node);
	fault(reading, node,
		is_scalar ? "%s has a NUL character in its value"
			  : "%s must be one plain value",
		what);
	return NULL;
}

static bool is_null(const yaml_node_t *node)
{
	const char *text = scalar(node);

	return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		(!*text || strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0);
}

static json_t *scalar_json(struct reading *reading, const yaml_node_t *node, const char *what)
{
	const char *text = word(reading, node, what);

	if (!text)
		return NULL;
	return is_null(node) ? json_null() : json_text(text);
}

static json_t *sequence_json(
	struct reading *reading, const yaml_node_t *node, const char *what);
static json_t *mapping_json(struct reading *reading, const yaml_node_t *node, const char *what);

/* The value of a node as settings_set_value() takes it; NULL, with a fault, where it cannot be one. */
static json_t *node_json(
	struct reading *reading, const yaml_node_t *node, const char *what, bool is_item)
{
	if (node->type == YAML_SEQUENCE_NODE && !is_item)
		return sequence_json(reading, node, what);
	if (node->type == YAML_MAPPING_NODE)
		return mapping_json(reading, node, what);
	return scalar_json(reading, node, what);
}

static json_t *sequence_json(struct reading *reading, const yaml_node_t *node, const char *what)
{
	_cleanup_free_ char *item_of = xasprintf("%s: an item of a list", what);
	_cleanup_json_ json_t *array = json_array();

	for (yaml_node_item_t *i = node->data.sequence.items.start;
		i < node->data.sequence.items.top; i++) {
		json_t *item = node_json(
			reading, yaml_document_get_node(reading->document, *i), item_of, true);

		if (!item)
			return NULL;
		json_array_append_new(array, item);
		if (json_array_size(array) > SETTINGS_ITEMS_MAX) {
			fault(reading, node, "%s: more than %d items", what,
				SETTINGS_ITEMS_MAX);
			return NULL;
		}
	}
	return json_incref(array);
}

static json_t *mapping_json(struct reading *reading, const yaml_node_t *node, const char *what)
{
	_cleanup_json_ json_t *object = json_object();

	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
		pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(reading->document, pair->key);
		const yaml_node_t *value =
			yaml_document_get_node(reading->document, pair->value);
		const char *name = word(reading, key, what);
		_cleanup_free_ char *member = xasprintf("%s: %s", what, name ? name : "a name");
		json_t *json = name ? scalar_json(reading, value, member) : NULL;

		if (!json)
			return NULL;
		if (json_object_get(object, name)) {
			json_decref(json);
			fault(reading, key, "%s is given twice: remove one of them", member);
			return NULL;
		}
		json_object_set_new(object, name, json);
	}
	return json_incref(object);
}

static void add_entry(struct reading *reading, const struct section *section,
	const yaml_node_t *key, enum setting_id id, json_t *value)
{
	struct settings_file *file = reading->file;

	file->entries = xrealloc(file->entries, (file->count + 1) * sizeof(*file->entries));
	file->entries[file->count++] = (struct settings_entry){
		.section = section->kind,
		.profile = section->profile,
		.id = id,
		.value = value,
		.line = line_of(key),
		.column = (unsigned)key->start_mark.column + 1,
	};
}

static void unknown_name(
	struct reading *reading, const struct section *section, const yaml_node_t *key)
{
	static const char *const sections[] = {"profiles", "limits"};
	const char *name = scalar(key);
	const char *setting =
		nearest(name, settings_table, SETTING_COUNT, sizeof(settings_table[0]));
	const char *near = nearest(name, sections, 2, sizeof(sections[0]));
	struct err err = ERR_INIT;

	if (near && !setting && section->kind == SECTION_PLAIN) {
		fault(reading, key, "there is no setting \"%s\"; did you mean \"%s:\"?", name,
			near);
		return;
	}
	settings_find(name, &err);
	fault(reading, key, "%s%s", err.text,
		setting ? "" : " (dracoctl config show lists all)");
	if (setting) /* its value is not known, so nobody shall complain that it does not fit */
		add_entry(reading, section, key, (enum setting_id)settings_find(setting, NULL),
			NULL);
}

/* Whether the site can limit the setting. */
static bool check_limit(struct reading *reading, const yaml_node_t *key, enum setting_id id)
{
	if (!settings_limit_find(id)) {
		fault(reading, key,
			"%s cannot be limited, only maximum, walltime and poll_interval",
			settings_table[id].name);
		return false;
	}
	return true;
}

static void read_setting(struct reading *reading, struct section *section,
	const yaml_node_t *key, const yaml_node_t *value)
{
	int id = settings_find(scalar(key), NULL);
	_cleanup_json_ json_t *json = NULL;
	struct err err = ERR_INIT;

	if (id < 0) {
		unknown_name(reading, section, key);
		return;
	}
	if (section->seen[id]) {
		fault(reading, key, "%s is given twice, in line %u already: remove one of them",
			settings_table[id].name, section->seen[id]);
		return;
	}
	section->seen[id] = line_of(key);
	if (section->kind == SECTION_LIMIT && !check_limit(reading, key, id))
		return;
	json = node_json(reading, value, settings_table[id].name, false);
	if (json && settings_set_value(&reading->scratch, id, json, "", &err) < 0) {
		fault(reading, value, "%s", err.text);
		json_decref(TAKE_PTR(json));
	}
	if (json && section->kind == SECTION_LIMIT &&
		*(int64_t *)settings_member(&reading->scratch, id) == 0) {
		fault(reading, value, "%s 0 would allow nothing: give at least 1",
			settings_table[id].name);
		json_decref(TAKE_PTR(json));
	}
	add_entry(reading, section, key, id, TAKE_PTR(json));
}

static void read_section(struct reading *reading, struct section *section,
	const yaml_node_t *node, const char *what);

static size_t add_profile(struct reading *reading, const yaml_node_t *key)
{
	struct settings_file *file = reading->file;

	file->profiles =
		xrealloc(file->profiles, (file->profile_count + 1) * sizeof(*file->profiles));
	file->profiles[file->profile_count] =
		(struct settings_profile){xstrdup(scalar(key)), line_of(key)};
	return file->profile_count++;
}

static void read_profiles(struct reading *reading, const yaml_node_t *node)
{
	if (node->type == YAML_SCALAR_NODE && is_null(node))
		return;
	if (node->type != YAML_MAPPING_NODE) {
		fault(reading, node,
			"profiles must have a name each, and below it lines \"setting: value\"");
		return;
	}
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
		pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(reading->document, pair->key);
		struct section section = {.kind = SECTION_PROFILE};
		_cleanup_free_ char *what = NULL;
		size_t i;

		if (!word(reading, key, "the name of a profile"))
			continue;
		for (i = 0; i < reading->file->profile_count; i++)
			if (strcmp(reading->file->profiles[i].name, scalar(key)) == 0)
				break;
		if (i < reading->file->profile_count || i == PROFILES_MAX) {
			fault(reading, key,
				i < reading->file->profile_count
					? "profile \"%s\" is given twice: remove one of them"
					: "profile \"%s\" is one too many",
				scalar(key));
			continue;
		}
		section.profile = add_profile(reading, key);
		what = xasprintf("profile \"%s\"", scalar(key));
		read_section(reading, &section,
			yaml_document_get_node(reading->document, pair->value), what);
	}
}

static void read_limits(
	struct reading *reading, const yaml_node_t *key, const yaml_node_t *value)
{
	struct section section = {.kind = SECTION_LIMIT};

	if (reading->is_site)
		read_section(reading, &section, value, "limits");
	else
		fault(reading, key,
			"limits can only be in the file of the site (dracoctl config path): "
			"remove them here, or set the value itself");
}

/* The lines "setting: value" of a section. */
static void read_section(struct reading *reading, struct section *section,
	const yaml_node_t *node, const char *what)
{
	bool plain = section->kind == SECTION_PLAIN;
	unsigned profiles = 0, limits = 0;

	if (node->type == YAML_SCALAR_NODE && is_null(node))
		return;
	if (node->type != YAML_MAPPING_NODE) {
		fault(reading, node,
			"%s must consist of lines \"setting: value\", and here is %s%.60s",
			what, node->type == YAML_SCALAR_NODE ? "only " : "a list",
			node->type == YAML_SCALAR_NODE ? scalar(node) : "");
		return;
	}
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
		pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(reading->document, pair->key);
		const yaml_node_t *value =
			yaml_document_get_node(reading->document, pair->value);
		unsigned *seen;

		if (!word(reading, key, "the name of a setting"))
			continue;
		seen = strcmp(scalar(key), "profiles") == 0  ? &profiles
			: strcmp(scalar(key), "limits") == 0 ? &limits
							     : NULL;
		if (!seen)
			read_setting(reading, section, key, value);
		else if (!plain)
			fault(reading, key, "%s cannot be inside of %s: move it to the margin",
				scalar(key), what);
		else if (*seen)
			fault(reading, key,
				"%s is given twice, in line %u already: put both together",
				scalar(key), *seen);
		else if (seen == &profiles)
			read_profiles(reading, value);
		else
			read_limits(reading, key, value);
		if (seen)
			*seen = line_of(key);
	}
}

/* The text of a line, for an error; cut where it is long. */
static char *quote_line(const char *text, size_t line)
{
	for (; line > 0 && *text; line--)
		text += strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n');
	return xstrndup(text, strcspn(text, "\n") < 60 ? strcspn(text, "\n") : 60);
}

/* What would be right, by what libyaml complains about. */
static const char *yaml_remedy(const char *problem, const char *line)
{
	static const struct {
		const char *problem, *remedy;
	} remedies[] = {
		{"could not find expected ':'", "the \":\" behind the setting is missing"},
		{"mapping values are not allowed",
			"give lines of one kind the same indentation, and a value with \": \" in it quotes"},
		{"expected <document start>", "give lines of one kind the same indentation"},
		{"did not find expected key", "give lines of one kind the same indentation"},
		{"cannot start any token", "a value that begins with this needs quotes"},
		{"undefined alias", "a value that begins with \"*\" needs quotes"},
		{"unexpected end of stream", "a quote is missing"},
		{"expected ',' or ']'", "a \"]\" is missing"},
		{"expected ',' or '}'", "a \"}\" is missing"},
	};

	if (strchr(line, '\t'))
		return "indent by blanks, not by tabs";
	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
		if (strstr(problem, remedies[i].problem))
			return remedies[i].remedy;
	return "give lines \"setting: value\"";
}

static void not_yaml(struct reading *reading, const yaml_parser_t *parser, const char *text)
{
	/* Of what has no end, and of a key without its colon, libyaml gives where it noticed: where it
	 * began is the context. */
	bool at_context = parser->context &&
		(strstr(parser->context, "simple key") || strstr(parser->context, "quoted"));
	const yaml_mark_t *mark = at_context ? &parser->context_mark : &parser->problem_mark;
	_cleanup_free_ char *line = quote_line(text, mark->line);
	_cleanup_free_ char *place = NULL, *context = NULL;

	if (parser->error == YAML_READER_ERROR) {
		problems_add(reading->problems, reading->file->path,
			"%s at byte %zu: the file must be text in UTF-8", parser->problem,
			parser->problem_offset);
		return;
	}
	place = xasprintf("%s:%zu:%zu", reading->file->path, mark->line + 1, mark->column + 1);
	context = parser->context
		? xasprintf(" %s of line %zu", parser->context, parser->context_mark.line + 1)
		: xstrdup("");
	problems_add(reading->problems, place, "not YAML: %s%s, at \"%s\": %s", parser->problem,
		context, line, yaml_remedy(parser->problem, line));
}

static void second_document(struct reading *reading, const yaml_document_t *document)
{
	_cleanup_free_ char *place = xasprintf("%s:%zu:%zu", reading->file->path,
		document->start_mark.line + 1, document->start_mark.column + 1);

	problems_add(reading->problems, place,
		"another document begins here (\"---\"): the file must be one document");
}

static void read_yaml(struct reading *reading, const char *text, size_t size)
{
	struct section section = {.kind = SECTION_PLAIN};
	yaml_document_t document, next;
	yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	if (!yaml_parser_load(&parser, &document)) {
		not_yaml(reading, &parser, text);
		yaml_parser_delete(&parser);
		return;
	}
	reading->document = &document;
	if (yaml_document_get_root_node(&document))
		read_section(
			reading, &section, yaml_document_get_root_node(&document), "the file");
	if (!yaml_parser_load(&parser, &next)) {
		not_yaml(reading, &parser, text);
	} else {
		if (yaml_document_get_root_node(&next))
			second_document(reading, &next);
		yaml_document_delete(&next);
	}
	yaml_document_delete(&document);
	yaml_parser_delete(&parser);
}

void settings_file_read(
	struct settings_file *ret, const char *path, bool is_site, struct problems *problems)
{
	struct reading reading = {.file = ret, .is_site = is_site, .problems = problems};
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
	settings_init(&reading.scratch);
	read_yaml(&reading, text, size);
	settings_finish(&reading.scratch);
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
