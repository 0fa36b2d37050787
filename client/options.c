/* options.c: the options of dracoctl and its commands, from the tables of commands and settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl.h"
#include "common/alloc.h"
#include "common/nearest.h"
#include "common/settings.h"

enum { GLOBAL = 0x100 }; /* + index in global_options */

/* Options as getopt_long(3) wants them. */
struct option_list {
	struct option *items;
	size_t count;
	char letters[32];
};

static void add_option(struct option_list *list, char *name, int has_arg, int value)
{
	list->items = xrealloc(list->items, (list->count + 2) * sizeof(*list->items));
	list->items[list->count++] = (struct option){name, has_arg, NULL, value};
	list->items[list->count] = (struct option){0};
}

static void add_table(struct option_list *list, const struct command_option *table, int base)
{
	for (int i = 0; table && table[i].name; i++) {
		bool has_value = table[i].placeholder;
		size_t length = strlen(list->letters);

		add_option(list, xstrdup(table[i].name), has_value, base + i);
		if (table[i].letter) {
			list->letters[length] = table[i].letter;
			strcpy(list->letters + length + 1, has_value ? ":" : "");
		}
	}
}

static void add_settings(struct option_list *list)
{
	for (int id = 0; id < SETTING_COUNT; id++) {
		char *name = xstrdup(settings_table[id].name);
		bool boolean = settings_table[id].type == SETTING_BOOLEAN;

		for (char *c = name; *c; c++)
			if (*c == '_')
				*c = '-';
		if (boolean)
			add_option(list, xasprintf("no-%s", name), no_argument,
				COMMAND_SETTING + SETTING_COUNT + id);
		add_option(list, name, boolean ? optional_argument : required_argument,
			COMMAND_SETTING + id);
	}
}

static void make_options(struct option_list *list, const struct command *command)
{
	*list = (struct option_list){0};
	strcpy(list->letters, command ? ":" : "+:"); /* '+': stop at the command */
	add_table(list, global_options, GLOBAL);
	if (command)
		add_table(list, command->options, COMMAND_OPTION);
	if (command && command->takes_settings)
		add_settings(list);
}

static void free_options(struct option_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(UNCONST(list->items[i].name));
	free(list->items);
}

static void handle_global(struct ctl *ctl, int index)
{
	switch (index) {
	case 0:
		ctl->name = optarg;
		break;
	case 1:
		ctl->json = true;
		break;
	case 2:
		ctl->quiet = true;
		break;
	default:
		if (ctl->command)
			command_help(ctl->command);
		else
			command_overview();
		exit(CTL_DONE);
	}
}

/* The number behind a short option's letter, as make_options() gave it to the long one. */
static int find_letter(const struct ctl *ctl, int letter)
{
	for (int i = 0; global_options[i].name; i++)
		if (global_options[i].letter == letter)
			return GLOBAL + i;
	for (int i = 0; ctl->command && ctl->command->options && ctl->command->options[i].name;
		i++)
		if (ctl->command->options[i].letter == letter)
			return COMMAND_OPTION + i;
	return -1;
}

static void wrong_option(
	const struct ctl *ctl, const struct option_list *list, int found, char **argv)
{
	const char *word = argv[optind - 1];
	const char *near = NULL;
	char start[64];

	if (found == ':') {
		fprintf(stderr, "dracoctl: the option %s needs a value\n", word);
	} else if (strncmp(word, "--", 2) == 0 && strchr(word, '=')) {
		fprintf(stderr, "dracoctl: wrong option %s\n", word);
	} else {
		snprintf(start, sizeof(start), "%s", word + strspn(word, "-"));
		if (strncmp(word, "--", 2) == 0)
			near = nearest(start, list->items, list->count, sizeof(list->items[0]));
		if (near)
			fprintf(stderr, "dracoctl: there is no option %s; did you mean --%s?\n",
				word, near);
		else
			fprintf(stderr,
				"dracoctl: there is no option %s; see dracoctl %s--help\n",
				strncmp(word, "--", 2) == 0 ? word
							    : (char[]){'-', (char)optopt, 0},
				ctl->command ? "COMMAND " : "");
	}
	exit(CTL_USAGE);
}

int command_option(struct ctl *ctl, int argc, char **argv)
{
	struct option_list list;
	int found;

	make_options(&list, ctl->command);
	opterr = 0;
	do {
		found = getopt_long(argc, argv, list.letters, list.items, NULL);
		if (found > 0 && found < GLOBAL && found != '?' && found != ':')
			found = find_letter(ctl, found);
		if (found == '?' || found == ':')
			wrong_option(ctl, &list, found, argv);
		if (found >= GLOBAL && found < COMMAND_OPTION)
			handle_global(ctl, found - GLOBAL);
	} while (found >= GLOBAL && found < COMMAND_OPTION);
	free_options(&list);
	if (found >= COMMAND_SETTING + SETTING_COUNT) { /* --no-SETTING */
		found -= SETTING_COUNT;
		optarg = UNCONST("false");
	} else if (found >= COMMAND_SETTING && !optarg) { /* a boolean alone */
		optarg = UNCONST("true");
	}
	return found;
}

void command_no_more_arguments(const struct ctl *ctl, int argc, char **argv)
{
	if (optind >= argc)
		return;
	fprintf(stderr,
		"dracoctl: %s does not know what to do with \"%s\"; see dracoctl %s --help\n",
		ctl->command->name, argv[optind], ctl->command->name);
	exit(CTL_USAGE);
}
