/* commands.c: the table of commands, and the help that comes from it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl.h"
#include "client/describe.h"
#include "client/output.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/nearest.h"
#include "common/settings.h"

static const struct command_option start_options[] = {
	{"dry-run", 0, NULL, "show where the jobs would run and when; submit nothing"},
	{0},
};

static const struct command_option stop_options[] = {
	{"force", 0, NULL, "do not ask, even when tasks run or others use it"},
	{0},
};

static const struct command_option retire_options[] = {
	{"force", 0, NULL,
		"end it at once: its tasks run again elsewhere, its results are lost"},
	{0},
};

/* In the order of enum amount_unit. */
static const struct command_option scale_options[] = {
	{"jobs", 0, NULL, "N is a number of jobs"},
	{"workers", 0, NULL, "N is a number of workers, as without an option"},
	{"cores", 0, NULL, "N is a number of CPU cores"},
	{"memory", 0, NULL, "N is an amount of memory, such as 64GiB"},
	{0},
};

static const struct command_option adapt_options[] = {
	{"minimum", 0, "N", "at least so many workers, without work, too"},
	{"maximum", 0, "N", "at most so many workers"},
	{0},
};

static const struct command_option logs_options[] = {
	{"follow", 'f', NULL, "go on with what is added, until Ctrl-C"},
	{"lines", 'n', "N", "begin with the last N lines (default: 50)"},
	{"list", 'l', NULL, "list the logs of the present or last start"},
	{0},
};

static const struct command_option events_options[] = {
	{"follow", 'f', NULL, "go on with what happens, until Ctrl-C"},
	{"lines", 'n', "N", "begin with the last N events (default: 50; dracod keeps 1000)"},
	{0},
};

static const struct command_option doctor_options[] = {
	{"nodes", 0, NULL, "look at a node, too, by one short job"},
	{"wait", 0, "TIME", "how long that job may be pending (default: 2 min)"},
	{0},
};

static const struct command_option env_options[] = {
	{"format", 0, "sh|csh|fish|json", "for which shell; sh unless given"},
	{0},
};

const struct command commands[] = {
	{"start", "", "bring the cluster up and wait until it is usable",
		"Starts dracod when it does not run. When the cluster runs already, it is joined: nothing\n"
		"is changed. Settings come from the built-in defaults, the file of the site, your file,\n"
		"variables (DRACO_CORES ...) and the options here; the later ones win. dracoctl config\n"
		"shows them all. With --json each step is an object on a line, and what status tells is\n"
		"the last one.\n",
		true, start_options, cmd_start},
	{"run", "[--] COMMAND [ARGUMENT]...", "run a command with the cluster under it",
		"Starts the cluster, or joins it, as start does, and runs the command with the variables of\n"
		"env: distributed.Client() without arguments connects. When this began the cluster and nobody\n"
		"else is attached, it is stopped afterwards. The exit status is that of the command. What\n"
		"stands behind COMMAND is left to it.\n",
		true, NULL, cmd_run},
	{"launch", "", "start dracod alone, when it does not run",
		"No cluster is started. For programs that talk to dracod themselves: with --json its host,\n"
		"process, version and control socket are printed.\n",
		false, NULL, cmd_launch},
	{"status", "", "show the cluster, its jobs and the state of Slurm",
		"Answers at once, from what dracod knows. Exit status 0 when the cluster runs or starts,\n"
		"3 when it does not.\n",
		false, NULL, cmd_status},
	{"stop", "", "give all jobs back and end the Dask scheduler",
		"dracod stays, ready for the next start. When tasks run or wait, results are in memory, or\n"
		"programs are attached or connected, it asks before it stops; without a terminal, as in a\n"
		"script, it does not ask.\n",
		false, stop_options, cmd_stop},
	{"shutdown", "", "stop, then end dracod, too",
		"When tasks run or wait, results are in memory, or programs are attached or connected, it asks\n"
		"before it stops; without a terminal, as in a script, it does not ask.\n",
		false, stop_options, cmd_shutdown},
	{"scale", "N", "keep the cluster at one size, whatever the work is",
		"N is a number of workers, unless an option says otherwise, and is rounded up to whole jobs. It\n"
		"counts until dracoctl adapt, or until the cluster stops. When it is less than there is, jobs\n"
		"finish their running tasks and hand over their data before they go.\n",
		false, scale_options, cmd_scale},
	{"adapt", "", "let the cluster be as large as the work again",
		"As after a start, within the bounds that were given last: here, or by the settings minimum and\n"
		"maximum. In whole jobs, the minimum rounded up and the maximum down. They count until the cluster\n"
		"stops.\n",
		false, adapt_options, cmd_adapt},
	{"pause", "", "ask for no job and give none back",
		"The jobs that there are stay, those that end are not replaced, until dracoctl resume.\n",
		false, NULL, cmd_pause},
	{"resume", "", "go on after a pause", "", false, NULL, cmd_resume},
	{"retire", "JOB", "give one job back",
		"JOB is its id as in dracoctl status. No new tasks go to it; when the running ones are done and\n"
		"its data is on other jobs, it ends. A pending job is cancelled. Where the size of the cluster\n"
		"asks for it, another job takes its place. Where no other job is there, or wanted, it stays\n"
		"until its results are not needed any more.\n",
		false, retire_options, cmd_retire},
	{"logs", "[JOB|scheduler|daemon]", "show a log",
		"JOB is a job's id as in dracoctl status, also of an earlier start; without an argument it is\n"
		"dracod's own log. Works without a running cluster, too. With -f, the logs of dracod and of the\n"
		"Dask scheduler go on with those of the next start.\n",
		false, logs_options, cmd_logs},
	{"events", "", "show what happened, and why",
		"Changes of phase, decisions and failures, those of earlier dracods too. With --json each event\n"
		"is one line. With -f it goes on from one dracod to the next.\n",
		false, events_options, cmd_events},
	{"env", "", "print the variables that make Client() connect",
		"Use it as:  eval \"$(dracoctl env)\"\n"
		"After that, distributed.Client() without arguments connects to this cluster.\n",
		false, env_options, cmd_env},
	{"config", "show|check|path|init|profiles|explain",
		"show, check and explain the settings",
		"The settings as dracoctl start would have them now, with the same options. Without an\n"
		"action it is show.\n",
		true, NULL, cmd_config},
	{"script", "", "print the batch script of a job",
		"As dracoctl start would submit it now, with the same options. Where no cluster runs, PYTHON and\n"
		"HOST:PORT stand for what a start finds out.\n",
		true, NULL, cmd_script},
	{"dashboard", "", "print where Dask's dashboard is, and how to get there from afar",
		"Prints its address on this host, an ssh command that brings it to your own machine, and\n"
		"the path below a JupyterHub server that runs on this host. See the settings dashboard,\n"
		"dashboard_address and dashboard_port in dracoctl start --help.\n",
		false, NULL, cmd_dashboard},
	{"doctor", "", "look for what would keep a cluster from running well",
		"Looks at this host and at Slurm, with or without a running dracod, and says what helps. The\n"
		"settings decide which partitions, Python and directories are looked at. Exit status 0 when all\n"
		"is well or there are warnings only, 1 when something failed.\n",
		true, doctor_options, cmd_doctor},
	{"version", "", "print the versions of dracoctl and of the running dracod", "", false,
		NULL, cmd_version},
	{"help", "[COMMAND]", "explain dracoctl or one of its commands", "", false, NULL,
		cmd_help},
	{0},
};

const struct command_option global_options[] = {
	{"name", 0, "NAME",
		"the cluster of this name (" PATHS_NAME_DEFAULT ", or $DRACO_NAME)"},
	{"json", 0, NULL, "print JSON for programs"},
	{"quiet", 'q', NULL, "print errors only"},
	{"help", 'h', NULL, "explain"},
	{0},
};

const struct command_option settings_options[] = {
	{"profile", 0, "NAME", "take the values of this profile, too (or $DRACO_PROFILE)"},
	{0},
};

static void print_option(const struct command_option *option)
{
	_cleanup_free_ char *text = xasprintf("%c%c%s --%s%s%s", option->letter ? '-' : ' ',
		option->letter ? option->letter : ' ', option->letter ? "," : " ", option->name,
		option->placeholder ? " " : "", option->placeholder ? option->placeholder : "");

	printf("  %-22s %s\n", text, option->help);
}

static void print_setting(enum setting_id id)
{
	_cleanup_free_ char *option = describe_option(id);
	_cleanup_free_ char *first = xasprintf("  %-34s ", option);
	_cleanup_free_ char *indent = xasprintf("  %-34s ", "");

	const char *value = settings_table[id].default_value;
	bool bare = settings_table[id].type == SETTING_DURATION &&
		value[strspn(value, "0123456789")] == '\0';

	describe_lines(stdout, first, indent, settings_table[id].help);
	printf("%s(default: %s%s)\n", indent, value, bare ? " s" : "");
}

static void print_settings(const struct command *command)
{
	if (command_actions(command)) { /* what matters there are the actions */
		printf("\nSettings: all that dracoctl start --help has, such as --cores N.\n");
		return;
	}
	for (enum setting_group group = GROUP_NONE + 1; group < GROUP_COUNT; group++) {
		printf("\nSettings: %c%s\n", tolower((unsigned char)setting_groups[group][0]),
			setting_groups[group] + 1);
		for (int id = settings_in_group(group, 0); id < SETTING_COUNT;
			id = settings_in_group(group, id + 1))
			print_setting((enum setting_id)id);
	}
}

static void print_actions(const struct command_action *action)
{
	printf("\nActions:\n");
	for (; action->name; action++) {
		_cleanup_free_ char *text = xasprintf("%s %s", action->name, action->arguments);

		printf("  %-22s %s\n", text, action->summary);
	}
}

void command_help(const struct command *command)
{
	printf("Usage: dracoctl %s%s%s%s%s\n%c%s.\n", command->name,
		command->options || command->takes_settings ? " [OPTION]..." : "",
		*command->arguments ? " " : "", command->arguments,
		command_actions(command) ? " [ARGUMENT]..." : "",
		command->summary[0] - 'a' + 'A', command->summary + 1);
	if (*command->text)
		printf("\n%s", command->text);
	if (command_actions(command))
		print_actions(command_actions(command));
	if (command->takes_settings)
		print_settings(command);
	printf("\nOptions:\n");
	for (const struct command_option *o = command->options; o && o->name; o++)
		print_option(o);
	for (const struct command_option *o = settings_options;
		command->takes_settings && o->name; o++)
		print_option(o);
	for (const struct command_option *o = global_options; o->name; o++)
		print_option(o);
}

void command_overview(void)
{
	printf("Usage: dracoctl [OPTION]... COMMAND [ARGUMENT]...\n"
	       "One Dask cluster on Slurm for all your notebooks, scripts and terminals.\n"
	       "\nCommands:\n");
	for (const struct command *c = commands; c->name; c++)
		printf("  %-22s %s\n", c->name, c->summary);
	printf("\nOptions, before or after the command:\n");
	for (const struct command_option *o = global_options; o->name; o++)
		print_option(o);
	printf("\nExit status: 0 done or running, 1 failed, 2 wrong usage, 3 not running.\n"
	       "dracoctl COMMAND --help explains a command.\n");
}

const struct command *command_find(const struct ctl *ctl, const char *name)
{
	const char *near;
	size_t count = 0;

	for (const struct command *c = commands; c->name; c++, count++)
		if (strcmp(c->name, name) == 0)
			return c;
	near = nearest(name, commands, count, sizeof(commands[0]));
	if (near)
		output_error(
			ctl, "there is no command \"%s\"; did you mean \"%s\"?", name, near);
	else
		output_error(ctl, "there is no command \"%s\"; see dracoctl --help", name);
	exit(CTL_USAGE);
}

int cmd_help(struct ctl *ctl, int argc, char **argv)
{
	while (command_option(ctl, argc, argv) != -1)
		;
	if (optind < argc)
		command_help(command_find(ctl, argv[optind]));
	else
		command_overview();
	return CTL_DONE;
}
