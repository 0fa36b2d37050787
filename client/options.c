/* options.c: the options of dracoctl and its commands, from the tables of commands and settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl.h"
#include "client/output.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/nearest.h"
#include "common/other_names.h"
#include "common/parse.h"
#include "common/settings.h"
#include "common/settings_list.h"
#include "common/settings_resolve.h"

#define MEANT_MAX 4 /* more suggestions do not help */

enum {
	GLOBAL = 0x100,	     /* plus the index in global_options */
	PROFILE = 0x200,     /* plus the index in settings_options, which has one entry */
	SETTING = 0x2000,    /* plus the enum setting_id */
	NO_SETTING = 0x3000, /* plus the enum setting_id, for "--no-SETTING" */
};

/* The options in the form of getopt_long(3). */
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
		char *name = settings_option_name(id);
		bool boolean = settings_table[id].type == SETTING_BOOLEAN;

		if (boolean)
			add_option(
				list, xasprintf("no-%s", name), no_argument, NO_SETTING + id);
		add_option(list, name, boolean ? optional_argument : required_argument,
			SETTING + id);
	}
}

static void make_options(struct option_list *list, const struct command *command)
{
	*list = (struct option_list){0};
	/* '+': stop at the command, be it dracoctl's or the one to run */
	strcpy(list->letters, !command || command->run == cmd_run ? "+:" : ":");
	add_table(list, global_options, GLOBAL);
	if (command)
		add_table(list, command->options, COMMAND_OPTION);
	if (command && command->takes_settings) {
		add_table(list, settings_options, PROFILE);
		add_settings(list);
	}
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
	case 3:
		printf("dracoctl %s\n", PACKAGE_VERSION);
		exit(CTL_DONE);
	default:
		if (ctl->command)
			command_help(ctl->command);
		else
			command_overview();
		exit(CTL_DONE);
	}
}

/* The number that make_options() gave to the long form of a short option. */
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

static bool is_option(const struct option_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return true;
	return false;
}

/* Suggestions for a word that is no option: "--walltime" or "--wait-timeout or --walltime"; NULL:
 * none. The caller frees. */
static char *meant(const struct option_list *list, const char *name)
{
	struct strv found = STRV_INIT;
	const char *near;
	char *text = NULL;

	for (size_t i = 0; i < list->count; i++)
		if (strncmp(list->items[i].name, name, strlen(name)) == 0)
			strv_addf(&found, "--%s", list->items[i].name);
	near = found.count == 0
		? nearest(name, list->items, list->count, sizeof(list->items[0]))
		: NULL;
	if (near)
		strv_addf(&found, "--%s", near);
	if (found.count > 0 && found.count <= MEANT_MAX)
		text = strv_join(&found, " or ");
	strv_finish(&found);
	return text;
}

/* Suggest the setting for an option of sbatch or Dask. Returns whether there is one. */
static bool tell_other_name(const struct ctl *ctl, const char *word, const char *name)
{
	bool is_letter = strlen(name) == 1;
	const char *long_name = is_letter ? other_name_of_letter(*name) : name;
	const struct other_name *other = long_name ? other_name_find(long_name) : NULL;
	const char *setting = other ? other->setting : is_letter ? long_name : NULL;
	const char *advice = other && other->advice ? other->advice : "";
	_cleanup_free_ char *option = NULL;
	int id;

	if (!ctl->command || !ctl->command->takes_settings || (!other && !setting))
		return false;
	if (!setting) {
		output_error(ctl, "there is no option %s: %s", word, advice);
		return true;
	}
	id = settings_find(setting, NULL);
	option = id >= 0 ? settings_option_name((enum setting_id)id) : xstrdup(setting);
	output_error(ctl, "there is no option %s; use --%s %s%s%s%s", word, option,
		id >= 0 ? settings_table[id].placeholder : "NAME", *advice ? " (" : "", advice,
		*advice ? ")" : "");
	return true;
}

/* Is it an option of a command, in front of which it stands? Then say so. */
static bool tell_place(const struct ctl *ctl, const char *name)
{
	for (const struct command *c = ctl->command ? NULL : commands; c && c->name; c++) {
		struct option_list list;
		bool found;

		make_options(&list, c);
		found = is_option(&list, name);
		free_options(&list);
		if (!found)
			continue;
		output_error(ctl, "--%s goes behind the command: dracoctl %s --%s", name,
			c->name, name);
		return true;
	}
	return false;
}

static void no_such_option(
	const struct ctl *ctl, const struct option_list *list, const char *dashes, char *name)
{
	_cleanup_free_ char *word = xasprintf("%s%s", dashes, name);
	_cleanup_free_ char *text = NULL;

	if (tell_other_name(ctl, word, name) || (strlen(dashes) > 1 && tell_place(ctl, name)))
		return;
	text = strlen(dashes) > 1 ? meant(list, name) : NULL;
	if (text)
		output_error(ctl, "there is no option %s; did you mean %s?", word, text);
	else
		output_error(ctl, "there is no option %s; see dracoctl %s%s--help", word,
			ctl->command ? ctl->command->name : "", ctl->command ? " " : "");
}

/* Print the error for an option that getopt_long(3) rejected, or took for a longer one, and end. */
static void wrong_option(
	const struct ctl *ctl, const struct option_list *list, int found, char **argv)
{
	const char *word = argv[optind - 1];
	bool is_long = strncmp(word, "--", 2) == 0;
	_cleanup_free_ char *name =
		is_long ? xstrndup(word + 2, strcspn(word + 2, "=")) : xasprintf("%c", optopt);

	if (found == ':' && (!is_long || is_option(list, name)))
		output_error(ctl, "the option %s needs a value", word);
	else if (is_long && is_option(list, name))
		output_error(ctl, "the option --%s takes no value: %s", name, word);
	else
		no_such_option(ctl, list, is_long ? "--" : "-", name);
	exit(CTL_USAGE);
}

/* getopt_long(3) accepts the beginning of an option. A script that uses one would break when
 * another option gets the same beginning, so refuse it. index: the option that was found; -1: a
 * short one. */
static void refuse_beginning(
	const struct ctl *ctl, const struct option_list *list, int index, char **argv)
{
	char *word = optarg == argv[optind - 1] ? argv[optind - 2] : argv[optind - 1];
	_cleanup_free_ char *name = NULL;

	if (index < 0)
		return;
	name = xstrndup(word + 2, strcspn(word + 2, "="));
	if (strcmp(name, list->items[index].name) == 0)
		return;
	no_such_option(ctl, list, "--", name);
	exit(CTL_USAGE);
}

/* A mapping may be given in parts, and each option adds to earlier ones. An unreadable value is
 * kept for the error that follows when all settings are checked. */
static json_t *add_to_mapping(const struct ctl *ctl, const struct setting *setting)
{
	struct strv items = STRV_INIT, map = STRV_INIT;
	enum map_kind kind = setting->minimum ? MAP_VARIABLES : MAP_DIRECTIVES;
	json_t *before = json_object_get(ctl->settings, setting->name);
	json_t *object = json_is_object(before) ? json_copy(before) : json_object();
	int r = list_parse(optarg, &items, NULL);

	if (r == 0)
		r = map_set_items(&map, kind, &items, NULL);
	for (size_t i = 0; r == 0 && i < map.count; i++) {
		const char *equals = strchrnul(map.item[i], '=');
		_cleanup_free_ char *name =
			xstrndup(map.item[i], (size_t)(equals - map.item[i]));

		json_object_set_new(object, name, json_text(*equals ? equals + 1 : NULL));
	}
	strv_finish(&items);
	strv_finish(&map);
	if (r == 0)
		return object;
	json_decref(object);
	return json_text(optarg);
}

/* The value of a boolean in a word of its own: "--use-scratch-dir false". After run that word is
 * the command. */
static const char *boolean_word(const struct ctl *ctl, int argc, char **argv)
{
	bool value;

	if (ctl->command->run == cmd_run || optind >= argc ||
		parse_boolean(argv[optind], &value, NULL) < 0)
		return NULL;
	return argv[optind++];
}

static void take_setting(struct ctl *ctl, int found, int argc, char **argv)
{
	bool no = found >= NO_SETTING;
	const struct setting *setting = &settings_table[found - (no ? NO_SETTING : SETTING)];
	json_t *value;

	if (setting->type == SETTING_BOOLEAN && !no && !optarg)
		optarg = UNCONST(boolean_word(ctl, argc, argv));
	if (setting->type == SETTING_MAP)
		value = add_to_mapping(ctl, setting);
	else
		value = json_text(no	 ? "false"
				: optarg ? optarg
					 : "true"); /* a boolean without a value */
	if (!ctl->settings)
		ctl->settings = json_object();
	json_object_set_new(ctl->settings, setting->name, value);
}

/* Handle a global option or a setting. Returns whether it was one. */
static bool take_option(struct ctl *ctl, int found, int argc, char **argv)
{
	if (found >= SETTING)
		take_setting(ctl, found, argc, argv);
	else if (found >= PROFILE && found < COMMAND_OPTION)
		ctl->profile = optarg;
	else if (found >= GLOBAL && found < PROFILE)
		handle_global(ctl, found - GLOBAL);
	else
		return false;
	return true;
}

int command_option(struct ctl *ctl, int argc, char **argv)
{
	struct option_list list;
	int found, index;

	make_options(&list, ctl->command);
	opterr = 0;
	do {
		index = -1;
		found = getopt_long(argc, argv, list.letters, list.items, &index);
		if (found > 0 && found < GLOBAL && found != '?' && found != ':')
			found = find_letter(ctl, found);
		if (found == '?' || found == ':')
			wrong_option(ctl, &list, found, argv);
		refuse_beginning(ctl, &list, found == -1 ? -1 : index, argv);
	} while (found != -1 && take_option(ctl, found, argc, argv));
	free_options(&list);
	return found;
}

void command_no_more_arguments(const struct ctl *ctl, int argc, char **argv)
{
	if (optind >= argc)
		return;
	output_error(ctl, "%s takes no argument \"%s\"; see dracoctl %s --help",
		ctl->command->name, argv[optind], ctl->command->name);
	exit(CTL_USAGE);
}
