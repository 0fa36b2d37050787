/* fish.c: fish's completion, from the tables. */
#include <string.h>

#include "client/doc/doc.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/settings_resolve.h"

static const char head[] =
	"# Completion of dracoctl for fish. Made by draco-doc when draco was built.\n"
	"\n"
	"# The command and its arguments before the cursor, without options and their values.\n"
	"function __dracoctl_words\n"
	"    set -l skip 0\n"
	"    set -l all (commandline -opc)\n"
	"    for word in $all[2..-1]\n"
	"        if test $skip = 1\n"
	"            set skip 0\n"
	"        else if contains -- $word $__dracoctl_value_options\n"
	"            set skip 1\n"
	"        else if not string match -q -- '-*' $word\n"
	"            echo $word\n"
	"        end\n"
	"    end\n"
	"end\n"
	"\n"
	"# Whether these words are exactly there, or the first of all.\n"
	"function __dracoctl_are\n"
	"    set -l words (__dracoctl_words)\n"
	"    test \"$words\" = \"$argv\"\n"
	"end\n"
	"\n"
	"function __dracoctl_begin\n"
	"    set -l words (__dracoctl_words)\n"
	"    set -l count (count $argv)\n"
	"    test (count $words) -ge $count; and test \"$words[1..$count]\" = \"$argv\"\n"
	"end\n"
	"\n"
	"function __dracoctl_names\n"
	"    set -l state $HOME/.local/state\n"
	"    set -q XDG_STATE_HOME; and set state $XDG_STATE_HOME\n"
	"    for directory in $state/draco/*/\n"
	"        basename $directory\n"
	"    end\n"
	"end\n"
	"\n"
	"function __dracoctl_partitions\n"
	"    set -l word (commandline -ct | string replace -r '^--[^=]*=' '')\n"
	"    set -l before (string match -r '.*,' -- $word)\n"
	"    for name in (sinfo --noheader --format=%R 2>/dev/null)\n"
	"        echo \"$before$name\"\n"
	"    end\n"
	"end\n"
	"\n"
	"function __dracoctl_jobs\n"
	"    dracoctl status --all 2>/dev/null | awk 'table { print $1 } $1 == \"JOB\" { table "
	"= 1 }'\n"
	"end\n"
	"\n"
	"complete -c dracoctl -f\n";

static char *quote(const char *text)
{
	return doc_escape(text, "'\\");
}

/* The argument of -a for the values, without quotes; "": none. The caller frees. */
static char *list_of(const struct doc_values *values)
{
	struct strv words = STRV_INIT;
	char *text;

	strv_copy(&words, &values->words);
	for (const struct command *c = commands; values->commands && c->name; c++)
		strv_add(&words, c->name);
	for (int id = 0; values->settings && id < SETTING_COUNT; id++)
		strv_add(&words, settings_table[id].name);
	if (values->jobs)
		strv_add(&words, "(__dracoctl_jobs)");
	if (values->names)
		strv_add(&words, "(__dracoctl_names)");
	if (values->partitions)
		strv_add(&words, "(__dracoctl_partitions)");
	if (values->profiles)
		strv_add(&words, "(dracoctl config profiles --quiet 2>/dev/null)");
	if (values->directories)
		strv_add(&words, "(__fish_complete_directories)");
	text = strv_join(&words, " ");
	strv_finish(&words);
	return text;
}

static void put_option(FILE *file, const char *condition, char letter, const char *name,
	const char *value, const char *help, const struct doc_values *values)
{
	_cleanup_free_ char *list = list_of(values), *text = quote(help);

	fputs("complete -c dracoctl", file);
	if (condition)
		fprintf(file, " -n '%s'", condition);
	if (letter)
		fprintf(file, " -s %c", letter);
	fprintf(file, " -l %s -d '%s'", name, text);
	if (value)
		fputs(values->files ? " -r -F" : " -x", file);
	if (*list)
		fprintf(file, " -a '%s'", list);
	fputc('\n', file);
}

static void put_options(FILE *file, const char *condition, const struct command_option *option)
{
	for (; option && option->name; option++) {
		struct doc_values values = {0};

		doc_option_values(&values, option);
		put_option(file, condition, option->letter, option->name, option->placeholder,
			option->help, &values);
		doc_values_finish(&values);
	}
}

static void put_settings(FILE *file, const char *condition)
{
	for (int id = 0; id < SETTING_COUNT; id++) {
		const struct setting *setting = &settings_table[id];
		_cleanup_free_ char *name = settings_option_name(id);
		_cleanup_free_ char *no = xasprintf("no-%s", name);
		bool boolean = setting->type == SETTING_BOOLEAN;
		struct doc_values values = {0};

		doc_setting_values(&values, id);
		put_option(file, condition, 0, name, boolean ? NULL : setting->placeholder,
			setting->help, &values);
		if (boolean)
			put_option(file, condition, 0, no, NULL, "not so", &values);
		doc_values_finish(&values);
	}
}

static void put_arguments(FILE *file, const char *condition, const char *arguments)
{
	struct doc_values values = {0};
	_cleanup_free_ char *list = NULL;

	doc_values_parse(&values, arguments);
	list = list_of(&values);
	if (*list)
		fprintf(file, "complete -c dracoctl -n '%s' -a '%s'\n", condition, list);
	doc_values_finish(&values);
}

static void put_word(FILE *file, const char *condition, const char *word, const char *help)
{
	_cleanup_free_ char *text = quote(help);

	fprintf(file, "complete -c dracoctl -n '%s' -a %s -d '%s'\n", condition, word, text);
}

static void put_command(FILE *file, const struct command *command)
{
	_cleanup_free_ char *here = xasprintf("__dracoctl_are %s", command->name);
	_cleanup_free_ char *any = xasprintf("__dracoctl_begin %s", command->name);
	const struct command_action *action = command_actions(command);

	put_word(file, "__dracoctl_are", command->name, command->summary);
	put_options(file, any, command->options);
	if (command->takes_settings) {
		put_options(file, any, settings_options);
		put_settings(file, any);
	}
	if (!action)
		put_arguments(file, here, command->arguments);
	for (; action && action->name; action++) {
		_cleanup_free_ char *behind = xasprintf("%s %s %s",
			strstr(action->arguments, "...") ? "__dracoctl_begin"
							 : "__dracoctl_are",
			command->name, action->name);

		put_word(file, here, action->name, action->summary);
		put_arguments(file, behind, action->arguments);
	}
}

void doc_fish(FILE *file)
{
	struct strv options = STRV_INIT;
	_cleanup_free_ char *text = NULL;

	doc_value_options(&options);
	text = strv_join(&options, " ");
	strv_finish(&options);
	fputs(head, file);
	fprintf(file, "set -g __dracoctl_value_options %s\n\n", text);
	put_options(file, NULL, global_options);
	for (const struct command *command = commands; command->name; command++)
		put_command(file, command);
}
