/* bash.c: bash's completion, from the tables. It works without the package bash-completion. */
#include <string.h>

#include "client/doc/doc.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/settings_resolve.h"

static const char head[] =
	"# Completion of dracoctl for bash. Made by draco-doc when draco was built.\n"
	"\n"
	"_dracoctl_names()\n"
	"{\n"
	"\tlocal directory\n"
	"\n"
	"\tfor directory in \"${XDG_STATE_HOME:-$HOME/.local/state}\"/draco/*/; do\n"
	"\t\t[ -d \"$directory\" ] && basename \"$directory\"\n"
	"\tdone\n"
	"}\n"
	"\n"
	"_dracoctl_jobs()\n"
	"{\n"
	"\t\"${COMP_WORDS[0]}\" status --all 2>/dev/null |\n"
	"\t\tawk 'table { print $1 } $1 == \"JOB\" { table = 1 }'\n"
	"}\n"
	"\n"
	"# Slurm's partitions, behind those of a list that are there already.\n"
	"_dracoctl_partitions()\n"
	"{\n"
	"\tlocal before=\n"
	"\n"
	"\t[ \"${1%,*}\" = \"$1\" ] || before=\"${1%,*},\"\n"
	"\tsinfo --noheader --format=%R 2>/dev/null | sed \"s|^|$before|\"\n"
	"}\n"
	"\n"
	"_dracoctl_profiles()\n"
	"{\n"
	"\t\"${COMP_WORDS[0]}\" config profiles --quiet 2>/dev/null\n"
	"}\n";

/* Finds the command and its arguments before the cursor, and the option whose value is at the
 * cursor. bash makes "=" a word of its own. */
static const char middle[] =
	"\n"
	"_dracoctl()\n"
	"{\n"
	"\tlocal current=\"${COMP_WORDS[COMP_CWORD]}\" option= command= i word\n"
	"\tlocal -a words=()\n"
	"\n"
	"\tCOMPREPLY=()\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tword=\"${COMP_WORDS[i]}\"\n"
	"\t\toption=\n"
	"\t\tif [ \"$word\" = \"=\" ]; then\n"
	"\t\t\t[ $((i + 1)) -eq \"$COMP_CWORD\" ] && option=\"${COMP_WORDS[i - 1]}\"\n"
	"\t\t\ti=$((i + 1))\n"
	"\t\telif _dracoctl_takes_value \"$word\" && [ \"${COMP_WORDS[i + 1]}\" != \"=\" ]; then\n"
	"\t\t\toption=\"$word\"\n"
	"\t\t\t[ $((i + 1)) -lt \"$COMP_CWORD\" ] && option=\n"
	"\t\t\ti=$((i + 1))\n"
	"\t\telif [ \"${word#-}\" = \"$word\" ]; then\n"
	"\t\t\twords+=(\"$word\")\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tif [ \"$current\" = \"=\" ]; then\n"
	"\t\toption=\"${COMP_WORDS[COMP_CWORD - 1]}\"\n"
	"\t\tcurrent=\n"
	"\tfi\n"
	"\tcommand=\"${words[0]}\"\n"
	"\tif [ -n \"$option\" ]; then\n"
	"\t\t_dracoctl_value \"$command\" \"$option\" \"$current\"\n"
	"\telif [ \"${current#-}\" != \"$current\" ]; then\n"
	"\t\tCOMPREPLY=($(compgen -W \"$(_dracoctl_options \"$command\")\" -- \"$current\"))\n"
	"\telse\n"
	"\t\t_dracoctl_argument \"${#words[@]}\" \"$command\" \"${words[1]}\" \"$current\"\n"
	"\tfi\n"
	"}\n"
	"\n"
	"complete -F _dracoctl dracoctl\n";

static void put_takes_value(FILE *file)
{
	struct strv options = STRV_INIT;
	_cleanup_free_ char *text = NULL;

	doc_value_options(&options);
	text = strv_join(&options, " | ");
	fprintf(file,
		"\n_dracoctl_takes_value()\n{\n\tcase \"$1\" in\n\t%s) return 0 ;;\n"
		"\tesac\n\treturn 1\n}\n",
		text);
	strv_finish(&options);
}

static void add_options(struct strv *ret, const struct command_option *option)
{
	for (; option && option->name; option++)
		strv_addf(ret, "--%s", option->name);
}

static void add_settings(struct strv *ret)
{
	for (int id = 0; id < SETTING_COUNT; id++) {
		_cleanup_free_ char *name = settings_option_name(id);

		strv_addf(ret, "--%s", name);
		if (settings_table[id].type == SETTING_BOOLEAN)
			strv_addf(ret, "--no-%s", name);
	}
}

static void put_words(FILE *file, const char *pattern, const struct strv *words)
{
	_cleanup_free_ char *text = strv_join(words, " ");

	fprintf(file, "\t%s) echo '%s' ;;\n", pattern, text);
}

static void put_options(FILE *file)
{
	struct strv words = STRV_INIT;

	fputs("\n_dracoctl_options()\n{\n\tcase \"$1\" in\n", file);
	for (const struct command *command = commands; command->name; command++) {
		add_options(&words, command->options);
		if (command->takes_settings) {
			add_options(&words, settings_options);
			add_settings(&words);
		}
		add_options(&words, global_options);
		put_words(file, command->name, &words);
		strv_finish(&words);
	}
	add_options(&words, global_options);
	put_words(file, "*", &words);
	strv_finish(&words);
	fputs("\tesac\n}\n", file);
}

/* Shell code that sets COMPREPLY for "$4", as one branch of a case. */
static void put_branch(FILE *file, const char *pattern, const struct doc_values *values)
{
	struct strv words = STRV_INIT;
	_cleanup_free_ char *text = NULL;

	strv_copy(&words, &values->words);
	for (const struct command *c = commands; values->commands && c->name; c++)
		strv_add(&words, c->name);
	for (int id = 0; values->settings && id < SETTING_COUNT; id++)
		strv_add(&words, settings_table[id].name);
	if (values->jobs)
		strv_add(&words, "$(_dracoctl_jobs)");
	if (values->profiles)
		strv_add(&words, "$(_dracoctl_profiles)");
	if (values->names)
		strv_add(&words, "$(_dracoctl_names)");
	if (values->partitions)
		strv_add(&words, "$(_dracoctl_partitions \"$4\")");
	text = strv_join(&words, " ");
	strv_finish(&words);
	if (*text)
		fprintf(file, "\t%s) COMPREPLY=($(compgen -W \"%s\" -- \"$4\")) ;;\n", pattern,
			text);
	else if (values->files || values->directories)
		fprintf(file,
			"\t%s)\n\t\tcompopt -o filenames\n"
			"\t\tCOMPREPLY=($(compgen %s -- \"$4\"))\n\t\t;;\n",
			pattern, values->files ? "-f" : "-d");
}

static void put_argument(FILE *file)
{
	struct doc_values values = {0};

	fputs("\n# Number of words before, the command, its first argument, the word itself.\n"
	      "_dracoctl_argument()\n{\n\tcase \"$1 $2 $3\" in\n",
		file);
	values.commands = true;
	put_branch(file, "\"0 \"*", &values);
	doc_values_finish(&values);
	for (const struct command *command = commands; command->name; command++) {
		_cleanup_free_ char *first = xasprintf("\"1 %s \"*", command->name);

		doc_values_parse(&values, command->arguments);
		put_branch(file, first, &values);
		doc_values_finish(&values);
		for (const struct command_action *action = command_actions(command);
			action && action->name; action++) {
			bool many = strstr(action->arguments, "...");
			_cleanup_free_ char *pattern = xasprintf(
				"%s\" %s %s\"", many ? "*" : "2", command->name, action->name);

			doc_values_parse(&values, action->arguments);
			put_branch(file, pattern, &values);
			doc_values_finish(&values);
		}
	}
	fputs("\tesac\n}\n", file);
}

static void put_option_values(
	FILE *file, const char *command, const struct command_option *option)
{
	for (; option && option->name; option++) {
		_cleanup_free_ char *pattern = xasprintf("%s\" --%s\"", command, option->name);
		struct doc_values values = {0};

		doc_option_values(&values, option);
		put_branch(file, pattern, &values);
		doc_values_finish(&values);
	}
}

static void put_value(FILE *file)
{
	fputs("\n# The command, its option, the word at the cursor.\n"
	      "_dracoctl_value()\n{\n\tset -- \"$1\" \"$2\" \"\" \"$3\"\n\tcase \"$1 $2\" in\n",
		file);
	for (const struct command *command = commands; command->name; command++)
		put_option_values(file, command->name, command->options);
	put_option_values(file, "*", settings_options);
	put_option_values(file, "*", global_options);
	for (int id = 0; id < SETTING_COUNT; id++) {
		_cleanup_free_ char *name = settings_option_name(id);
		_cleanup_free_ char *pattern = xasprintf("*\" --%s\"", name);
		struct doc_values values = {0};

		doc_setting_values(&values, id);
		put_branch(file, pattern, &values);
		doc_values_finish(&values);
	}
	fputs("\tesac\n}\n", file);
}

void doc_bash(FILE *file)
{
	fputs(head, file);
	put_takes_value(file);
	put_options(file);
	put_argument(file);
	put_value(file);
	fputs(middle, file);
}
