/* cmd_config.c: dracoctl config: shows the settings, their origins and their errors. It asks no
 * dracod, because the settings of a start follow from the caller's files, environment and
 * options. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/caller.h"
#include "client/config_show.h"
#include "client/ctl.h"
#include "client/describe.h"
#include "client/output.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/nearest.h"
#include "common/paths.h"

static const struct command_action actions[] = {
	{"show", "", "every value and where it comes from"},
	{"check", "",
		"all mistakes in the files and variables; exit status 1 when there are any"},
	{"path", "[site|user]",
		"the paths of the settings files; with an argument only that one"},
	{"init", "[site|user]",
		"write a file with every setting, and values that fit this Slurm (default: user)"},
	{"profiles", "", "the profiles that the files define"},
	{"explain", "SETTING...", "type, range, default, meaning and value of a setting"},
	{0},
};

const struct command_action *command_actions(const struct command *command)
{
	return command->run == cmd_config ? actions : NULL;
}

/* Add the errors of a profile ("": of the plain settings), except those that are in problems
 * already. */
static void check_profile(struct config *config, const char *name, struct problems *problems)
{
	struct ctl with_profile = *config->ctl;
	struct settings_report report;
	struct settings settings;

	with_profile.profile = name;
	if (caller_resolve(&with_profile, &settings, &report) < 0)
		problems_join(problems, &report.problems);
	settings_finish(&settings);
	settings_report_finish(&report);
}

static void check_profiles(struct config *config, struct problems *problems)
{
	const json_t *profile;
	size_t i;

	check_profile(config, "", problems);
	json_array_foreach (config->report.profiles, i, profile)
		check_profile(config, json_get_text(profile, "name", ""), problems);
}

/* What only its administrator needs to know: is it there, and can all users read it? */
static void check_readers(const struct config *config, struct problems *problems)
{
	const char *path = config->report.site_file;
	struct stat st;

	if (!path)
		return;
	if (!config->report.site_exists && !problems->errors)
		problems_add(problems, path,
			"there is no such file (DRACO_SITE_CONFIG names another one)");
	else if (stat(path, &st) == 0 && !(st.st_mode & S_IROTH))
		problems_add(problems, path,
			"not all users can read it, with the mode %04o: chmod o+r %s",
			(unsigned)(st.st_mode & 07777), path);
}

static void print_file_state(const char *which, const char *path, bool exists)
{
	if (path)
		printf("%-5s %s: %s\n", which, path, exists ? "good" : "not there");
}

static int do_check(struct config *config, int argc, char **argv)
{
	struct problems *problems = &config->report.problems;
	_cleanup_json_ json_t *answer = NULL;
	const struct ctl *ctl = config->ctl;

	command_no_more_arguments(ctl, argc, argv);
	check_profiles(config, problems);
	if (ctl->site_only)
		check_readers(config, problems);
	if (ctl->json) {
		answer = json_pack("{s:b, s:o}", "good", problems->errors == 0, "problems",
			problems_to_json(problems));
		output_json(answer);
		return problems->errors ? CTL_FAILED : CTL_DONE;
	}
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->items[i];

		if (!problem->warning || !ctl->quiet)
			printf("%s%s%s%s\n", problem->place ? problem->place : "",
				problem->place ? ": " : "", problem->warning ? "warning: " : "",
				problem->text);
	}
	if (problems->dropped)
		printf("... and %zu more\n", problems->dropped);
	if (!problems->errors && !ctl->quiet) {
		print_file_state("site", config->report.site_file, config->report.site_exists);
		if (!ctl->site_only)
			print_file_state(
				"user", config->report.user_file, config->report.user_exists);
	}
	return problems->errors ? CTL_FAILED : CTL_DONE;
}

const char *config_which_file(
	const struct config *config, int argc, char **argv, const char *fallback)
{
	const char *which = optind < argc ? argv[optind] : fallback;

	if (which && strcmp(which, "site") != 0 && strcmp(which, "user") != 0) {
		output_error(config->ctl, "there is no settings file \"%s\": give site or user",
			which);
		exit(CTL_USAGE);
	}
	if (optind < argc)
		optind++;
	command_no_more_arguments(config->ctl, argc, argv);
	return which;
}

const char *config_file_path(const struct config *config, const char *which)
{
	bool is_site = strcmp(which, "site") == 0;
	const char *path = is_site ? config->report.site_file : config->report.user_file;

	if (!path)
		output_error(config->ctl,
			is_site ? "DRACO_SITE_CONFIG is not an absolute path"
				: "there is no home directory for a settings file");
	return path;
}

static int do_path(struct config *config, int argc, char **argv)
{
	static const char *const titles[] = {"WHOSE", "FILE", "STATE"};
	const struct settings_report *report = &config->report;
	const char *which = config_which_file(config, argc, argv, NULL);
	_cleanup_json_ json_t *answer = NULL;
	struct table table = {.columns = 3};

	if (which) {
		const char *path = config_file_path(config, which);

		if (path)
			puts(path);
		return path ? CTL_DONE : CTL_FAILED;
	}
	if (config->ctl->json) {
		answer = json_pack("{s:{s:o, s:b}, s:{s:o, s:b}}", "site", "path",
			json_text(report->site_file), "exists", report->site_exists, "user",
			"path", json_text(report->user_file), "exists", report->user_exists);
		output_json(answer);
		return CTL_DONE;
	}
	for (int i = 0; i < 2; i++) {
		const char *path = i == 0 ? report->site_file : report->user_file;
		bool exists = i == 0 ? report->site_exists : report->user_exists;

		table_add(&table, COLOUR_NONE, xstrdup(i == 0 ? "site" : "user"));
		table_add(&table, COLOUR_NONE, xstrdup(path ? path : "-"));
		table_add(&table, exists ? COLOUR_GOOD : COLOUR_FAINT,
			xstrdup(exists ? "exists" : "does not exist"));
	}
	table_print(&table, titles);
	return CTL_DONE;
}

static int do_profiles(struct config *config, int argc, char **argv)
{
	static const char *const titles[] = {"PROFILE", "DEFINED IN"};
	const json_t *profiles = config->report.profiles, *item;
	struct table table = {.columns = 2};
	size_t i;

	command_no_more_arguments(config->ctl, argc, argv);
	if (config->ctl->json) {
		output_json(profiles);
		return CTL_DONE;
	}
	json_array_foreach (profiles, i, item) {
		const json_t *places = json_object_get(item, "places");
		_cleanup_free_ char *first =
			output_path(json_string_value(json_array_get(places, 0)));
		const char *second = json_string_value(json_array_get(places, 1));
		_cleanup_free_ char *other = second ? output_path(second) : NULL;

		if (config->ctl->quiet) { /* names only, for the shells' completions */
			puts(json_get_text(item, "name", ""));
			continue;
		}
		table_add(&table, COLOUR_NONE, xstrdup(json_get_text(item, "name", "")));
		table_add(&table, COLOUR_NONE,
			xasprintf("%s%s%s", first, other ? ", " : "", other ? other : ""));
	}
	if (table.rows)
		table_print(&table, titles);
	else if (!config->ctl->quiet)
		printf("No file defines a profile (draco.yaml(5) tells how).\n");
	return CTL_DONE;
}

static int (*find_action(const struct ctl *ctl, const char *name))(
	struct config *config, int argc, char **argv)
{
	static int (*const functions[])(struct config * config, int argc, char **argv) = {
		config_show, do_check, do_path, config_init, do_profiles, config_explain};
	const char *near;
	size_t i;

	for (i = 0; actions[i].name; i++)
		if (strcmp(actions[i].name, name) == 0)
			return functions[i];
	near = nearest(name, actions, i, sizeof(actions[0]));
	output_error(ctl, "config has no action \"%s\"; %s%s%s", name,
		near ? "did you mean \"" : "see dracoctl config --help", near ? near : "",
		near ? "\"?" : "");
	return NULL;
}

int cmd_config(struct ctl *ctl, int argc, char **argv)
{
	struct config config = {.ctl = ctl};
	int (*function)(struct config * config, int argc, char **argv);
	const char *action = "show";
	int status;

	while (command_option(ctl, argc, argv) != -1) /* --site is the only one */
		ctl->site_only = true;
	if (optind < argc)
		action = argv[optind++];
	function = find_action(ctl, action);
	if (!function)
		return CTL_USAGE;
	ctl->checks = function == do_check;
	if (ctl->site_only && !ctl->checks) {
		output_error(ctl, "--site goes with check: dracoctl config check --site");
		return CTL_USAGE;
	}
	config.good = caller_resolve(ctl, &config.settings, &config.report) == 0;
	status = function(&config, argc, argv);
	settings_finish(&config.settings);
	settings_report_finish(&config.report);
	return status;
}
