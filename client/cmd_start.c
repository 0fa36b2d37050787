/* cmd_start.c: dracoctl start: starts the cluster and shows its addresses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/caller.h"
#include "client/command_python.h"
#include "client/ctl.h"
#include "client/dry_run.h"
#include "client/launch.h"
#include "client/output.h"
#include "client/request.h"
#include "client/start_wait.h"
#include "client/wrap.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/settings.h"
#include "common/strv.h"

/* A bound does not belong to one start: adapt changes it while the cluster runs. */
static bool is_bound(const char *setting)
{
	return strcmp(setting, settings_table[SETTING_MINIMUM].name) == 0 ||
		strcmp(setting, settings_table[SETTING_MAXIMUM].name) == 0;
}

/* 0 means the value that follows from other settings. */
static void add_bound(struct strv *words, const char *setting, const char *asked)
{
	if (strcmp(asked, "0") != 0 || strcmp(setting, "minimum") == 0)
		strv_addf(words, " --%s %s", setting, asked);
}

static void print_differences(const struct ctl *ctl, const json_t *list)
{
	_cleanup_free_ char *adapt = output_command(ctl, "adapt"), *bounds = NULL;
	struct strv words = STRV_INIT;
	bool others = false;
	const json_t *item;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	printf("It was started with other settings, which stay:\n");
	json_array_foreach (list, i, item) {
		const char *setting = json_get_text(item, "setting", "");
		const char *asked = json_get_text(item, "asked", "");

		printf("  %s is %s, not %s\n", setting, json_get_text(item, "running", ""),
			asked);
		if (is_bound(setting))
			add_bound(&words, setting, asked);
		else
			others = true;
	}
	bounds = strv_join(&words, "");
	strv_finish(&words);
	if (*bounds)
		printf("%s%s changes the size.\n", adapt, bounds);
	if (others)
		printf("dracoctl --name OTHER start ... makes a cluster of its own.\n");
}

/* Does the size follow the load? Otherwise a user has set it. */
static bool follows_work(const json_t *status)
{
	const json_t *size = json_object_get(status, "size");

	return strcmp(json_get_text(size, "mode", ""), "fixed") != 0 &&
		!json_get_boolean(size, "paused", 0);
}

/* Name the Python of the cluster where it is not the first python3 of PATH. */
static void print_python(const json_t *scheduler)
{
	const char *python = json_get_text(scheduler, "python", NULL);
	_cleanup_free_ char *own = command_python_directory("python3", getenv("PATH"));

	if (python && !(own && command_python_is_in(python, own)))
		printf("  python     %s\n", python);
}

static void print_ready(const struct ctl *ctl, double seconds, const json_t *status)
{
	const json_t *cluster = json_object_get(status, "cluster");
	const json_t *scheduler = json_object_get(status, "scheduler");
	json_int_t jobs = json_get_integer(cluster, "jobs", 0);
	json_int_t workers = json_get_integer(cluster, "workers", 0);
	const json_t *status_dashboard = json_object_get(status, "dashboard");
	const char *note = json_get_text(status_dashboard, "note", NULL);
	const char *dashboard = json_get_text(
		scheduler, "dashboard", json_get_text(status_dashboard, "socket", NULL));
	_cleanup_free_ char *elsewhere = output_elsewhere(status);
	_cleanup_free_ char *env = output_command(ctl, "env"), *connect = NULL;
	_cleanup_free_ char *job = output_job_around(status);

	printf("Cluster \"%s\" is %s%s%s: %" JSON_INTEGER_FORMAT " job%s, %" JSON_INTEGER_FORMAT
	       " worker%s, after %.1f s.\n",
		ctl->paths.name, output_colour(COLOUR_GOOD),
		json_get_boolean(status, "joined", 0) ? "running" : "ready",
		output_colour(COLOUR_NONE), jobs, jobs == 1 ? "" : "s", workers,
		workers == 1 ? "" : "s", seconds);
	if (workers == 0)
		printf("  workers    none now%s\n",
			follows_work(status) ? ": new tasks start them" : "");
	printf("  scheduler  %s\n", json_get_text(scheduler, "address", "?"));
	print_python(scheduler);
	if (dashboard)
		printf("  dashboard  %s%s\n", dashboard, elsewhere);
	if (note && strcmp(json_get_text(status_dashboard, "mode", ""), "off") != 0) {
		_cleanup_free_ char *text = xasprintf("%s%s", dashboard ? "" : "none: ", note);

		fputs(dashboard ? "  note       " : "  dashboard  ", stdout);
		wrap_print(stdout, 13, 13, text);
	}
	if (job)
		printf("  ends with  %s\n", job);
	connect = xasprintf("eval \"$(%s)\", then Client() in Python", env);
	fputs("  connect    ", stdout);
	wrap_print(stdout, 13, 13, connect);
	output_notices(stdout, json_object_get(cluster, "notices"));
	print_differences(ctl, json_object_get(status, "differences"));
}

static int start(
	struct ctl *ctl, struct connection *connection, const json_t *limits, bool launched)
{
	_cleanup_json_ json_t *status = NULL;
	double seconds;
	int r = start_wait(
		connection, ctl, start_params(ctl), limits, launched, &seconds, &status);

	if (r != CTL_DONE)
		return r;
	if (ctl->json)
		output_json(status);
	else if (!ctl->quiet)
		print_ready(ctl, seconds, status);
	if (!ctl->json && !ctl->quiet)
		output_warnings(ctl, json_object_get(status, "warnings"));
	if (!ctl->json)
		output_pause(ctl, status);
	return CTL_DONE;
}

int cmd_start(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *limits = NULL;
	struct connection connection;
	bool launched, dry_run = false;
	int option, status;

	while ((option = command_option(ctl, argc, argv)) != -1)
		dry_run |= option == COMMAND_OPTION;
	command_no_more_arguments(ctl, argc, argv);
	status = start_connect(&connection, ctl, &limits, &launched);
	if (status != CTL_DONE)
		return status;
	if (!dry_run) {
		status = start(ctl, &connection, limits, launched);
	} else {
		status = dry_run_show(&connection, ctl, caller_params(ctl));
		if (launched)
			launch_end(&connection);
	}
	connection_close(&connection);
	return status;
}
