/* zsh.c: zsh's completion, from the tables. */
#include <string.h>

#include "client/doc/doc.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/settings_resolve.h"

static const char head[] =
	"#compdef dracoctl\n"
	"# Completion of dracoctl for zsh. Made by draco-doc when draco was built.\n"
	"\n"
	"_dracoctl_names() {\n"
	"\tlocal -a names=(${XDG_STATE_HOME:-$HOME/.local/state}/draco/*(/N:t))\n"
	"\t_describe name names\n"
	"}\n"
	"\n"
	"_dracoctl_jobs() {\n"
	"\tlocal -a jobs=(\"$@\" ${(f)\"$(_call_program jobs dracoctl status --all 2>/dev/null |\n"
	"\t\tawk 'table { print $1 } $1 == \"JOB\" { table = 1 }')\"})\n"
	"\t_describe job jobs\n"
	"}\n"
	"\n"
	"_dracoctl_partitions() {\n"
	"\tlocal -a partitions=(${(f)\"$(_call_program partitions \\\n"
	"\t\tsinfo --noheader --format=%R 2>/dev/null)\"})\n"
	"\tcompadd \"$@\" -a partitions\n"
	"}\n"
	"\n"
	"_dracoctl_profiles() {\n"
	"\tlocal -a profiles=(${(f)\"$(_call_program profiles \\\n"
	"\t\tdracoctl config profiles --quiet 2>/dev/null)\"})\n"
	"\t_describe profile profiles\n"
	"}\n";

/* Write NAME:DESCRIPTION, for _describe. */
static void put_item(FILE *file, const char *name, const char *help)
{
	_cleanup_free_ char *quoted = doc_shell_quote(help);

	fprintf(file, "\t\t'%s:%s'\n", name, quoted);
}

static void put_lists(FILE *file)
{
	fputs("\n_dracoctl_commands() {\n\tlocal -a items=(\n", file);
	for (const struct command *c = commands; c->name; c++)
		put_item(file, c->name, c->summary);
	fputs("\t)\n\t_describe command items\n}\n\n_dracoctl_settings() {\n\tlocal -a items=(\n",
		file);
	for (int id = 0; id < SETTING_COUNT; id++)
		put_item(file, settings_table[id].name, settings_table[id].help);
	fputs("\t)\n\t_describe setting items\n}\n", file);
}

/* The action that completes a value: "(a b)" or a function; "": none. The caller frees. */
static char *action_of(const struct doc_values *values)
{
	_cleanup_free_ char *words = strv_join(&values->words, " ");

	if (values->commands)
		return xstrdup("_dracoctl_commands");
	if (values->settings)
		return xstrdup("_dracoctl_settings");
	if (values->profiles)
		return xstrdup("_dracoctl_profiles");
	if (values->names)
		return xstrdup("_dracoctl_names");
	if (values->partitions)
		return xstrdup("_sequence _dracoctl_partitions");
	if (values->files)
		return xstrdup("_files");
	if (values->directories)
		return xstrdup("_files -/");
	/* The blank keeps _arguments from adding its own arguments. */
	if (values->jobs)
		return xasprintf(" _dracoctl_jobs %s", words);
	return *words ? xasprintf("(%s)", words) : xstrdup(" ");
}

/* Write one specification of _arguments. */
static void put_option(FILE *file, char letter, const char *name, const char *value,
	const char *help, const struct doc_values *values)
{
	_cleanup_free_ char *escaped = doc_escape(help, "[]:\\");
	_cleanup_free_ char *text = doc_shell_quote(escaped);
	_cleanup_free_ char *label = value ? doc_escape(value, ":\\") : NULL;
	_cleanup_free_ char *action = action_of(values);

	if (letter)
		fprintf(file, "\t\t'-%c[%s]%s%s%s%s'\n", letter, text, value ? ":" : "",
			value ? label : "", value ? ":" : "", value ? action : "");
	fprintf(file, "\t\t'--%s%s[%s]%s%s%s%s'\n", name, value ? "=" : "", text,
		value ? ":" : "", value ? label : "", value ? ":" : "", value ? action : "");
}

static void put_options(FILE *file, const struct command_option *option)
{
	for (; option && option->name; option++) {
		struct doc_values values = {0};

		doc_option_values(&values, option);
		put_option(file, option->letter, option->name, option->placeholder,
			option->help, &values);
		doc_values_finish(&values);
	}
}

static void put_settings(FILE *file)
{
	for (int id = 0; id < SETTING_COUNT; id++) {
		const struct setting *setting = &settings_table[id];
		_cleanup_free_ char *name = settings_option_name(id);
		_cleanup_free_ char *no = xasprintf("no-%s", name);
		bool boolean = setting->type == SETTING_BOOLEAN;
		struct doc_values values = {0};

		doc_setting_values(&values, id);
		put_option(file, 0, name, boolean ? NULL : setting->placeholder, setting->help,
			&values);
		if (boolean)
			put_option(file, 0, no, NULL, "not so", &values);
		doc_values_finish(&values);
	}
}

/* Write a specification for the arguments of a command: "NUMBER:label:action". */
static void put_argument(FILE *file, const char *number, const char *arguments)
{
	struct doc_values values = {0};
	_cleanup_free_ char *action = NULL;

	if (!*arguments)
		return;
	doc_values_parse(&values, arguments);
	action = action_of(&values);
	fprintf(file, "\t\t'%s:argument:%s'\n", number, action);
	doc_values_finish(&values);
}

static void put_actions(FILE *file, const struct command_action *action)
{
	fputs("\t\t'1:action:((", file);
	for (const struct command_action *a = action; a->name; a++) {
		_cleanup_free_ char *escaped = doc_escape(a->summary, ":\\\"");
		_cleanup_free_ char *text = doc_shell_quote(escaped);

		fprintf(file, "%s%s\\:\"%s\"", a == action ? "" : " ", a->name, text);
	}
	fputs("))'\n\t\t'*:: :->rest'\n", file);
}

static void put_rest(FILE *file, const struct command_action *action)
{
	fputs("\t\t[[ $state == rest ]] && case $words[1] in\n", file);
	for (; action->name; action++) {
		if (!*action->arguments)
			continue;
		fprintf(file, "\t\t%s) _arguments \\\n", action->name);
		put_argument(
			file, strstr(action->arguments, "...") ? "*" : "1", action->arguments);
		fputs("\t\t;;\n", file);
	}
	fputs("\t\tesac\n", file);
}

static void put_command(FILE *file, const struct command *command)
{
	const struct command_action *actions = command_actions(command);

	fprintf(file, "\t%s)\n\t\tspecs+=(\n", command->name);
	put_options(file, command->options);
	if (command->takes_settings) {
		put_options(file, settings_options);
		put_settings(file);
	}
	if (actions)
		put_actions(file, actions);
	else
		put_argument(file, "1", command->arguments);
	fputs("\t\t)\n\t\t_arguments -C $specs\n", file);
	if (actions)
		put_rest(file, actions);
	fputs("\t\t;;\n", file);
}

void doc_zsh(FILE *file)
{
	fputs(head, file);
	put_lists(file);
	fputs("\n_dracoctl() {\n\tlocal curcontext=\"$curcontext\" state line\n"
	      "\ttypeset -A opt_args\n\tlocal -a specs=(\n",
		file);
	put_options(file, global_options);
	fputs("\t)\n\t_arguments -C $specs '1:command:_dracoctl_commands' '*:: :->arguments'\n"
	      "\t[[ $state == arguments ]] && case $words[1] in\n",
		file);
	for (const struct command *command = commands; command->name; command++)
		put_command(file, command);
	fputs("\tesac\n}\n\n_dracoctl \"$@\"\n", file);
}
