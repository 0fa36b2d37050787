/* config_show.c: dracoctl config show and explain: the values and their origins. */
#include "client/config_show.h"

#include <stdio.h>
#include <string.h>

#include "client/ctl.h"
#include "client/describe.h"
#include "client/output.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/settings_describe.h"
#include "common/settings_limits.h"
#include "common/settings_value.h"
#include "common/strv.h"

static const char *layer_name(enum settings_layer layer)
{
	static const char *const names[] = {
		[LAYER_DEFAULT] = "default",
		[LAYER_SITE] = "site",
		[LAYER_USER] = "user",
		[LAYER_ENVIRONMENT] = "environment",
		[LAYER_OPTION] = "option",
		[LAYER_LIMIT] = "limit",
	};

	return names[layer];
}

/* The origin of a value. The entries of a mapping may come from several places. */
static char *source_text(const struct config *config, enum setting_id id)
{
	const char *source = config->settings.source[id];
	struct strv parts = STRV_INIT;
	char *text;

	for (const char *plus = source; plus; source = plus + strlen(" + ")) {
		_cleanup_free_ char *part = NULL;

		plus = strstr(source, " + ");
		part = plus ? xstrndup(source, (size_t)(plus - source)) : xstrdup(source);
		strv_take(&parts, output_path(part));
		if (!plus)
			break;
	}
	if (config->settings.place[id].from_profile)
		strv_addf(&parts, "(profile %s)", config->settings.profile);
	text = strv_join(&parts, " ");
	strv_finish(&parts);
	return text;
}

/* A value for one line: its first line, if it has several. */
static char *one_line(const char *value)
{
	size_t length = strcspn(value, "\n");
	int more = 0;

	for (const char *c = value + length; *c; c++)
		more += c[0] == '\n' && c[1];
	if (more == 0)
		return xstrndup(value, length);
	return xasprintf(
		"%.*s ... (%d more line%s)", (int)length, value, more, more == 1 ? "" : "s");
}

static void show_table(const struct config *config)
{
	static const char *const titles[] = {"SETTING", "VALUE", "FROM"};
	struct table table = {.columns = 3};
	const json_t *limit;
	size_t i;

	for (int id = 0; id < SETTING_COUNT; id++) {
		_cleanup_free_ char *value = settings_format(&config->settings, id);
		enum settings_layer layer = config->settings.place[id].layer;
		enum colour colour = layer == LAYER_DEFAULT ? COLOUR_FAINT
			: layer == LAYER_LIMIT		    ? COLOUR_BUSY
							    : COLOUR_NONE;

		table_add(&table, colour, xstrdup(settings_table[id].name));
		table_add(&table, colour, one_line(value));
		table_add(&table, colour, source_text(config, id));
	}
	table_print(&table, titles);
	json_array_foreach (config->report.limits, i, limit)
		printf("%s%s\n", i == 0 ? "\n" : "", json_get_text(limit, "message", ""));
}

static json_t *show_one(const struct config *config, enum setting_id id)
{
	const struct setting_place *place = &config->settings.place[id];
	json_t *object = json_pack("{s:o, s:s, s:o}", "value",
		settings_value_to_json(&config->settings, id), "layer",
		layer_name(place->layer), "source", json_text(config->settings.source[id]));

	if (place->line) {
		json_object_set_new(object, "file",
			json_text(place->layer == LAYER_SITE ? config->report.site_file
							     : config->report.user_file));
		json_object_set_new(object, "line", json_integer(place->line));
	}
	if (place->from_profile)
		json_object_set_new(object, "profile", json_text(config->settings.profile));
	return object;
}

int config_show(struct config *config, int argc, char **argv)
{
	_cleanup_json_ json_t *answer = NULL, *all = json_object();

	command_no_more_arguments(config->ctl, argc, argv);
	output_problems(config->ctl, &config->report.problems);
	if (!config->good)
		return CTL_USAGE;
	if (!config->ctl->json) {
		show_table(config);
		return CTL_DONE;
	}
	for (int id = 0; id < SETTING_COUNT; id++)
		json_object_set_new(all, settings_table[id].name, show_one(config, id));
	answer = json_pack("{s:O, s:o, s:O}", "settings", all, "profile",
		json_text(config->settings.profile), "limits", config->report.limits);
	output_json(answer);
	return CTL_DONE;
}

static void print_field(const char *label, const char *text)
{
	printf("  %s%-8s%s  %s\n", output_colour(COLOUR_FAINT), label,
		output_colour(COLOUR_NONE), text);
}

static void explain_limit(const struct config *config, enum setting_id id)
{
	const struct settings_limit *kind = settings_limit_find(id);
	const struct setting_limit *limit = &config->settings.limit[id];
	_cleanup_free_ char *bound = NULL, *text = NULL;

	if (!kind || !limit->value)
		return;
	bound = value_format_number(&settings_table[id], limit->value);
	text = xasprintf("%s %s for all users of this site (%s)",
		kind->is_floor ? "at least" : "at most", bound, limit->source);
	print_field("limit", text);
}

static void explain_text(const struct config *config, enum setting_id id)
{
	const struct setting *setting = &settings_table[id];
	_cleanup_free_ char *form = value_describe(setting), *range = value_range(setting);
	_cleanup_free_ char *fallback = describe_default(id), *option = describe_option(id);
	_cleanup_free_ char *variable = settings_variable_name(id);
	_cleanup_free_ char *value = settings_format(&config->settings, id);
	_cleanup_free_ char *source = source_text(config, id);
	_cleanup_free_ char *given =
		xasprintf("%s: in a file, %s, %s", setting->name, variable, option);
	_cleanup_free_ char *now = NULL;

	printf("%s: %s\n", setting->name, setting->help);
	print_field("type", form);
	if (range)
		print_field("range", range);
	print_field("default", fallback);
	print_field("given by", given);
	explain_limit(config, id);
	if (!config->good)
		now = xstrdup("not known as long as dracoctl config check finds errors");
	else if (strchr(value, '\n'))
		now = xasprintf("these lines, from %s:", source);
	else
		now = xasprintf("%s, from %s", value, source);
	print_field("now", now);
	for (const char *line = value; config->good && strchr(value, '\n') && *line;) {
		int length = (int)strcspn(line, "\n");

		printf("    | %.*s\n", length, line);
		line += length + (line[length] == '\n');
	}
}

static json_t *explain_json(const struct config *config, enum setting_id id)
{
	const struct setting *setting = &settings_table[id];
	_cleanup_free_ char *form = value_describe(setting), *range = value_range(setting);
	_cleanup_free_ char *option = settings_option_name(id);
	_cleanup_free_ char *variable = settings_variable_name(id);
	json_t *object = config->good ? show_one(config, id) : json_object();
	struct settings defaults;

	settings_init(&defaults);
	json_object_set_new(object, "name", json_text(setting->name));
	json_object_set_new(object, "help", json_text(setting->help));
	json_object_set_new(object, "type", json_text(form));
	json_object_set_new(object, "range", json_text(range));
	json_object_set_new(object, "default", settings_value_to_json(&defaults, id));
	json_object_set_new(object, "variable", json_text(variable));
	json_object_set_new(object, "option", json_text(option));
	settings_finish(&defaults);
	return object;
}

int config_explain(struct config *config, int argc, char **argv)
{
	_cleanup_json_ json_t *all = json_array();
	struct err err = ERR_INIT;

	if (optind >= argc) {
		output_error(config->ctl,
			"explain needs the name of a setting (dracoctl config show lists all)");
		return CTL_USAGE;
	}
	for (int i = optind; i < argc; i++) {
		if (settings_find(argv[i], &err) < 0) {
			output_error(
				config->ctl, "%s (dracoctl config show lists all)", err.text);
			return CTL_USAGE;
		}
	}
	for (int i = optind; i < argc; i++) {
		enum setting_id id = (enum setting_id)settings_find(argv[i], NULL);

		if (config->ctl->json) {
			json_array_append_new(all, explain_json(config, id));
			continue;
		}
		if (i > optind)
			putchar('\n');
		explain_text(config, id);
	}
	if (config->ctl->json)
		output_json(json_array_size(all) == 1 ? json_array_get(all, 0) : all);
	return CTL_DONE;
}
