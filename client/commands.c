/* commands.c: the table of commands, and their help. */
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
	{"dry-run", 0, NULL, "show where the jobs would run, and when; submit nothing"},
	{0},
};

static const struct command_option status_options[] = {
	{"all", 'a', NULL, "show each job in a row of its own, however many there are"},
	{0},
};

static const struct command_option stop_options[] = {
	{"force", 0, NULL, "do not ask, even when tasks run or others use the cluster"},
	{0},
};

static const struct command_option takeover_options[] = {
	{"force", 0, NULL, "do not ask"},
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
	{"workers", 0, NULL, "N is a number of workers (the default)"},
	{"cores", 0, NULL, "N is a number of CPU cores"},
	{"memory", 0, NULL, "N is an amount of memory, such as 64GiB"},
	{0},
};

static const struct command_option adapt_options[] = {
	{"minimum", 0, "N", "the fewest workers, also without work"},
	{"maximum", 0, "N", "the most workers"},
	{0},
};

static const struct command_option logs_options[] = {
	{"follow", 'f', NULL, "wait for more lines and print them, until Ctrl-C"},
	{"lines", 'n', "N", "begin with the last N lines (default: 50)"},
	{"list", 'l', NULL, "list the logs of the present or last start"},
	{0},
};

static const struct command_option events_options[] = {
	{"follow", 'f', NULL, "wait for more events and print them, until Ctrl-C"},
	{"lines", 'n', "N", "begin with the last N events (default: 50; dracod keeps 1000)"},
	{0},
};

static const struct command_option doctor_options[] = {
	{"nodes", 0, NULL, "examine a node, too, by one short job"},
	{"wait", 0, "TIME", "how long that job may be pending (default: 2 min)"},
	{"fix", 0, NULL, "turn lingering on if the cluster would end at logout"},
	{0},
};

static const struct command_option config_options[] = {
	{"site", 0, NULL, "with check: only the site's file, as its administrator sees it"},
	{0},
};

static const struct command_option env_options[] = {
	{"format", 0, "sh|csh|fish|json", "the shell to write for (default: sh)"},
	{0},
};

const struct command commands[] = {
	{"start", "", "start the cluster, or join it, and wait until it is ready",
		"Starts dracod when none runs. A cluster that runs already is joined, and\n"
		"nothing about it changes. Settings come from the built-in defaults, the site's\n"
		"file, your file, variables (DRACO_CORES ...) and the options below; later ones\n"
		"win. dracoctl config shows the effective values. With --json each step is an\n"
		"object on a line; the last object is what status prints.\n",
		true, start_options, cmd_start},
	{"run", "[--] COMMAND [ARGUMENT]...", "run a command on the cluster",
		"Starts the cluster, or joins it, as start does. Then runs the command with the\n"
		"variables of env, so that distributed.Client() without arguments connects.\n"
		"Stops the cluster afterwards if this run started it and nobody else is\n"
		"attached. The exit status is that of the command. All words after COMMAND\n"
		"belong to it.\n",
		true, NULL, cmd_run},
	{"launch", "", "start dracod without a cluster",
		"For programs that talk to dracod themselves. Does nothing when dracod runs\n"
		"already. With --json it prints dracod's host, process, version and control\n"
		"socket.\n",
		false, NULL, cmd_launch},
	{"status", "", "show the cluster, its jobs and the state of Slurm",
		"Answers at once, from what dracod knows. Exit status 0 when the cluster runs\n"
		"or starts, 1 when it has failed, 3 when there is none. Of many jobs, tasks of\n"
		"one array that are alike share a row.\n",
		false, status_options, cmd_status},
	{"list", "", "list all your clusters",
		"Of each name, Slurm and host: clusters that run, clusters that have stopped\n"
		"while their dracod still runs, and clusters whose dracod was killed: they go\n"
		"on, or jobs may remain. NAME@SLURM is the cluster NAME in another Slurm than\n"
		"the one where you used that name first. You can give this form to --name, too.\n",
		false, NULL, cmd_list},
	{"stop", "", "end all jobs and the Dask scheduler",
		"dracod stays, ready for the next start. At a terminal it asks first when tasks\n"
		"run or wait, results are in memory, or other programs use the cluster. In a\n"
		"script it does not ask.\n",
		false, stop_options, cmd_stop},
	{"shutdown", "", "stop the cluster, then end dracod",
		"At a terminal it asks first when tasks run or wait, results are in memory, or\n"
		"other programs use the cluster. In a script it does not ask.\n",
		false, stop_options, cmd_shutdown},
	{"restart", "", "replace dracod by a new one; the cluster goes on",
		"For upgrades: the programs that are installed now take over, in the middle of\n"
		"a computation. Scheduler and jobs stay, and programs that are attached\n"
		"reconnect.\n",
		false, NULL, cmd_restart},
	{"scale", "N", "set a fixed size, regardless of load",
		"N is a number of workers, unless an option says otherwise, and is rounded up\n"
		"to whole jobs. The size counts until dracoctl adapt, or until the cluster\n"
		"stops. When the cluster shrinks, jobs finish their running tasks and hand over\n"
		"their data before they end.\n",
		false, scale_options, cmd_scale},
	{"adapt", "", "return to adaptive scaling",
		"The cluster grows and shrinks with the work, within the bounds that were given\n"
		"last: here, or by the settings minimum and maximum. Bounds are in whole jobs:\n"
		"the minimum is rounded up and the maximum down, but to one job at least. They\n"
		"hold until the cluster stops.\n",
		false, adapt_options, cmd_adapt},
	{"pause", "", "request no jobs and end none, until dracoctl resume",
		"Running jobs stay. Jobs that end by themselves are not replaced.\n", false,
		NULL, cmd_pause},
	{"resume", "", "continue after a pause", "", false, NULL, cmd_resume},
	{"retire", "JOB", "end one job without losing its work",
		"JOB is an id from dracoctl status. The job gets no new tasks; it ends when its\n"
		"running tasks are done and its data is on other jobs. A pending job is\n"
		"cancelled. If the cluster should have more jobs than are left, another job\n"
		"replaces it. If there is no other job to take its data, it stays until the\n"
		"data is no longer needed.\n",
		false, retire_options, cmd_retire},
	{"share", "PROGRAM N", "give an attached program another share of the cluster",
		"PROGRAM is the process, the notebook or the program, as dracoctl status names\n"
		"it. N is a number from 0.01 to 100. Programs that want more than there is get\n"
		"parts in proportion to their shares; 1 is usual. It holds until the program\n"
		"ends, also for its tasks that wait already. See the setting fair_share.\n",
		false, NULL, cmd_share},
	{"logs", "[JOB|scheduler|daemon]", "show a log",
		"JOB is a job's id, also of an earlier start. Without an argument the log is\n"
		"that of dracod. This works without a running cluster, too. With -f, the logs\n"
		"of dracod and of the Dask scheduler continue with those of the next start.\n",
		false, logs_options, cmd_logs},
	{"events", "", "show what happened, and why",
		"Changes of phase, decisions and failures, also those of earlier dracods. With\n"
		"--json each event is an object on a line. With -f it continues from one dracod\n"
		"to the next.\n",
		false, events_options, cmd_events},
	{"env", "", "print the variables that make Client() connect",
		"The command  eval \"$(dracoctl env)\"  sets them in this shell. After that,\n"
		"distributed.Client() without arguments connects to this cluster.\n",
		false, env_options, cmd_env},
	{"config", "show|check|path|init|profiles|explain",
		"show, check and explain the settings",
		"The settings as dracoctl start would have them now, with the same options.\n"
		"Without an action it does what show does.\n",
		true, config_options, cmd_config},
	{"script", "", "print the batch script of a job",
		"As dracoctl start would submit it now, with the same options. Where no cluster\n"
		"runs, PYTHON and HOST:PORT stand for what a start finds out.\n",
		true, NULL, cmd_script},
	{"dashboard", "", "print the dashboard's address, and how to reach it remotely",
		"Prints its address on this host, an ssh command that forwards it to your own\n"
		"machine, and its path below a JupyterHub server that runs on this host. The\n"
		"settings dashboard, dashboard_address and dashboard_port decide where it is.\n",
		false, NULL, cmd_dashboard},
	{"doctor", "", "check this host, Slurm and Python for problems",
		"Looks for what would keep a cluster from running well, with or without a\n"
		"running dracod, and says what helps. The settings decide which partitions,\n"
		"Python and directories are checked. Exit status 0 when all is well or there\n"
		"are only warnings, 1 when a check failed.\n",
		true, doctor_options, cmd_doctor},
	{"where", "", "print where the cluster's files and sockets are",
		"They depend on the Slurm that this shell uses (SLURM_CONF, or\n"
		"/etc/slurm/slurm.conf): a name has one state directory for each Slurm.\n",
		false, NULL, cmd_where},
	{"takeover", "", "declare the host of a dracod gone",
		"For a dracod on another host that is gone for good. Most file systems show by\n"
		"their locks that it is gone; then start goes on by itself. Where they do not,\n"
		"this command declares it gone, and the next start ends what is left of its\n"
		"cluster. It refuses while that dracod holds its lock, or answers. A dracod\n"
		"that is alive after all notices, ends its cluster and exits. The command asks\n"
		"first; a script needs --force.\n",
		false, takeover_options, cmd_takeover},
	{"version", "", "print the versions of dracoctl and of the running dracod", "", false,
		NULL, cmd_version},
	{"help", "[COMMAND]", "explain dracoctl or one of its commands", "", false, NULL,
		cmd_help},
	{0},
};

const struct command_option global_options[] = {
	{"name", 0, "NAME",
		"the cluster with this name (default: $DRACO_NAME, or job-ID inside a Slurm job, "
		"or " PATHS_NAME_DEFAULT ")"},
	{"json", 0, NULL, "print JSON for programs"},
	{"quiet", 'q', NULL, "print errors only"},
	{"version", 'V', NULL, "print the version of dracoctl"},
	{"help", 'h', NULL, "explain the command"},
	{0},
};

const struct command_option settings_options[] = {
	{"profile", 0, "NAME", "use the values of this profile (default: $DRACO_PROFILE)"},
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
	if (command_actions(command)) { /* list its actions instead */
		printf("\nSettings: those of dracoctl start --help, such as --cores N.\n");
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
	       "One Dask cluster on Slurm, shared by all your notebooks, scripts and terminals.\n"
	       "\nCommands:\n");
	for (const struct command *c = commands; c->name; c++)
		printf("  %-22s %s\n", c->name, c->summary);
	printf("\nOptions, before or after the command:\n");
	for (const struct command_option *o = global_options; o->name; o++)
		print_option(o);
	printf("\nExit status: 0 done or running, 1 failed, 2 wrong usage, 3 not running,\n"
	       "130 interrupted by Ctrl-C.\n"
	       "dracoctl COMMAND --help explains a command.\n");
}

/* The command for another program's word. Words near to a command that ends work are in the list as
 * well. */
static const char *other_command(const char *name)
{
	static const struct {
		const char *name, *command;
	} others[] = {
		{"cancel", "retire"},
		{"info", "status"},
		{"kill", "stop"},
		{"ls", "list"},
		{"ps", "status"},
		{"quit", "shutdown"},
		{"sbatch", "start"},
		{"scancel", "retire"},
		{"sinfo", "doctor"},
		{"squeue", "status"},
		{"submit", "start"},
		{"top", "status"},
		{"up", "start"},
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(others[i].name, name) == 0)
			return others[i].command;
	return NULL;
}

const struct command *command_find(const struct ctl *ctl, const char *name)
{
	const char *near = other_command(name);
	size_t count = 0;

	for (const struct command *c = commands; c->name; c++, count++)
		if (strcmp(c->name, name) == 0)
			return c;
	if (!near)
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
