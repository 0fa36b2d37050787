/* man.c: manual pages from their templates and the tables, in the macros of man(7). */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/describe.h"
#include "client/doc/doc.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/paths.h"
#include "common/settings_describe.h"
#include "common/settings_limits.h"
#include "common/settings_resolve.h"

#define WIDTH 78

static const char *roff_escape(char c)
{
	static const struct {
		char c;
		const char *escape;
	} escapes[] = {
		{'\\', "\\e"}, {'-', "\\-"}, {'~', "\\(ti"}, {'^', "\\(ha"}, {'"', "\\(dq"}};

	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++)
		if (escapes[i].c == c)
			return escapes[i].escape;
	return NULL;
}

/* Write text for roff so that no part of it is a request or an escape. Lines are filled again. */
static void put_text(FILE *page, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t length = strcspn(text, " \n");

		if (column > 0 && column + 1 + length > WIDTH) {
			fputc('\n', page);
			column = 0;
		} else if (column > 0) {
			column += (size_t)fprintf(page, " ");
		}
		if (column == 0 && strchr(".'", *text))
			column += (size_t)fprintf(page, "\\&");
		for (; length > 0; length--, text++) {
			const char *escape = roff_escape(*text);

			column += (size_t)(escape ? fprintf(page, "%s", escape)
						  : fprintf(page, "%c", *text));
		}
		text += strspn(text, " \n");
	}
}

/* Write text, which begins with a small letter and has no full stop, as a sentence. */
static void put_sentence(FILE *page, const char *text)
{
	_cleanup_free_ char *copy = xstrdup(text);

	*copy = (char)toupper((unsigned char)*copy);
	put_text(page, copy);
	fputs(".\n", page);
}

/* Write "--name NAME" as the head of a paragraph. */
static void put_option_head(FILE *page, char letter, const char *option, const char *value)
{
	fputs(".TP\n", page);
	if (letter)
		fprintf(page, "\\fB\\-%c\\fR, ", letter);
	fputs("\\fB", page);
	put_text(page, option);
	fputs("\\fR", page);
	if (value) {
		fputs(" \\fI", page);
		put_text(page, value);
		fputs("\\fR", page);
	}
	fputc('\n', page);
}

static void put_options(FILE *page, const struct command_option *option)
{
	for (; option && option->name; option++) {
		_cleanup_free_ char *name = xasprintf("--%s", option->name);

		put_option_head(page, option->letter, name, option->placeholder);
		put_sentence(page, option->help);
	}
}

static void put_global_options(FILE *page)
{
	put_options(page, global_options);
}

static void put_setting_option(FILE *page, enum setting_id id)
{
	const struct setting *setting = &settings_table[id];
	_cleanup_free_ char *name = settings_option_name(id);
	_cleanup_free_ char *option = setting->type == SETTING_BOOLEAN
		? xasprintf("--%s, --no-%s", name, name)
		: xasprintf("--%s", name);

	put_option_head(page, 0, option,
		setting->type == SETTING_BOOLEAN ? NULL : setting->placeholder);
	put_sentence(page, setting->help);
}

static void put_setting(FILE *page, enum setting_id id)
{
	const struct setting *setting = &settings_table[id];
	_cleanup_free_ char *form = value_describe(setting);
	_cleanup_free_ char *range = value_range(setting);
	_cleanup_free_ char *fallback = describe_default(id);

	put_option_head(page, 0, setting->name, NULL);
	put_sentence(page, setting->help);
	fputs(".br\n", page);
	put_sentence(page, form);
	if (range)
		put_sentence(page, range);
	fputs("Default: \\fB", page);
	put_text(page, fallback);
	fputs("\\fR.\n", page);
}

/* Write all settings, with a section for each group. */
static void put_groups(FILE *page, void (*put)(FILE *page, enum setting_id id))
{
	for (enum setting_group group = GROUP_NONE + 1; group < GROUP_COUNT; group++) {
		fputs(".SS ", page);
		put_text(page, setting_groups[group]);
		fputc('\n', page);
		for (int id = settings_in_group(group, 0); id < SETTING_COUNT;
			id = settings_in_group(group, id + 1))
			put(page, (enum setting_id)id);
	}
}

static void put_setting_options(FILE *page)
{
	put_options(page, settings_options);
	put_groups(page, put_setting_option);
}

static void put_actions(FILE *page, const struct command_action *action)
{
	for (; action && action->name; action++) {
		put_option_head(
			page, 0, action->name, *action->arguments ? action->arguments : NULL);
		put_sentence(page, action->summary);
	}
}

static void put_commands(FILE *page)
{
	for (const struct command *command = commands; command->name; command++) {
		const struct command_action *actions = command_actions(command);

		put_option_head(page, 0, command->name,
			actions			      ? "ACTION"
				: *command->arguments ? command->arguments
						      : NULL);
		put_sentence(page, command->summary);
		put_text(page, command->text);
		if (*command->text)
			fputc('\n', page);
		if (!command->options && !actions)
			continue;
		fputs(".RS\n", page);
		put_actions(page, actions);
		put_options(page, command->options);
		fputs(".RE\n", page);
	}
}

static void put_settings(FILE *page)
{
	put_groups(page, put_setting);
}

static void put_limits(FILE *page)
{
	for (const struct settings_limit *limit = settings_limits; limit->name; limit++) {
		put_option_head(page, 0, limit->name, NULL);
		put_sentence(page, limit->help);
	}
}

static void put_variables(FILE *page)
{
	for (const struct settings_variable *v = settings_variables; v->name; v++) {
		if (!v->help)
			continue;
		put_option_head(page, 0, v->name, NULL);
		put_sentence(page, v->help);
	}
}

static const struct doc_mark marks[] = {
	{"COMMANDS", put_commands, NULL},
	{"GLOBAL_OPTIONS", put_global_options, NULL},
	{"SETTING_OPTIONS", put_setting_options, NULL},
	{"SETTINGS", put_settings, NULL},
	{"LIMITS", put_limits, NULL},
	{"VARIABLES", put_variables, NULL},
	{"VERSION", NULL, PACKAGE_VERSION},
	{"SITE_FILE", NULL, PATHS_SITE_FILE},
	{"NAME_DEFAULT", NULL, PATHS_NAME_DEFAULT},
	{0},
};

int doc_man(FILE *template, FILE *page)
{
	fputs(".\\\" Made by draco-doc when draco was built: change the template, or the tables.\n",
		page);
	return doc_template(template, page, marks, put_text);
}
