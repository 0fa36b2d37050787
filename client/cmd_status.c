/* cmd_status.c: dracoctl status: shows the cluster's state, size, jobs and programs. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/ask.h"
#include "client/ctl.h"
#include "client/need.h"
#include "client/output.h"
#include "client/request.h"
#include "client/status_jobs.h"
#include "client/wrap.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/parse.h"

#define LABEL_WIDTH 11

static const char *duration_since(int64_t when, char buffer[FORMAT_MAX])
{
	return when ? format_duration((time(NULL) - when) * 1000, buffer) : "?";
}

static void print_label(const char *label)
{
	printf("%s%-*s%s ", output_colour(COLOUR_FAINT), LABEL_WIDTH - 1, label,
		output_colour(COLOUR_NONE));
}

/* Print a label, and after it the text, in as many lines as it needs on the terminal. */
__attribute__((format(printf, 2, 3))) static void print_value(
	const char *label, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	print_label(label);
	wrap_print(stdout, LABEL_WIDTH, LABEL_WIDTH, text);
}

static void print_cluster(const json_t *status)
{
	_cleanup_free_ char *elsewhere = output_elsewhere(status);
	const json_t *cluster = json_object_get(status, "cluster");
	json_int_t workers = json_get_integer(cluster, "workers", 0);
	const char *state = json_get_text(cluster, "state", "?");
	_cleanup_free_ char *size = NULL;
	char since[FORMAT_MAX];

	if (strcmp(state, "running") == 0)
		size = xasprintf(", %" JSON_INTEGER_FORMAT " worker%s", workers,
			workers == 1 ? "" : "s");
	if (strcmp(state, "starting") == 0)
		size = xasprintf(", %" JSON_INTEGER_FORMAT " of at least %" JSON_INTEGER_FORMAT
				 " workers",
			workers, json_get_integer(cluster, "workers_wanted", 0));
	print_value("cluster", "%s%s: %s%s%s for %s%s", json_get_text(status, "name", "?"),
		elsewhere, output_colour(output_state_colour(state)), state,
		output_colour(COLOUR_NONE),
		duration_since(json_get_time(cluster, "since"), since), size ? size : "");
	output_notices(stdout, json_object_get(cluster, "notices"));
}

/* Print the nodes that jobs avoid for a while. */
static void print_excluded(const json_t *nodes)
{
	const json_t *node;
	char until[OUTPUT_TIME_MAX];
	size_t i;

	if (json_array_size(nodes) == 0)
		return;
	print_label("excluded");
	json_array_foreach (nodes, i, node)
		printf("%s%s until %s", i ? ", " : "", json_get_text(node, "node", "?"),
			output_time(json_get_time(node, "until"), until));
	putchar('\n');
}

/* Print the dashboard's URL, or why there is none. */
static void print_dashboard(const json_t *status)
{
	_cleanup_free_ char *elsewhere = output_elsewhere(status);
	const json_t *dashboard = json_object_get(status, "dashboard");
	const char *place =
		json_get_text(dashboard, "url", json_get_text(dashboard, "socket", NULL));
	const char *note = json_get_text(dashboard, "note", NULL);

	if (!place && !note)
		return;
	if (!place)
		print_value("dashboard", "none: %s", note);
	else
		print_value("dashboard", "%s%s%s%s%s", place, elsewhere, note ? " (" : "",
			note ? note : "", note ? ")" : "");
}

static void print_job_around(const json_t *status)
{
	_cleanup_free_ char *job = output_job_around(status);

	if (job)
		print_value("ends with", "%s", job);
}

/* "3 of at most 5 jobs: ready tasks 400, target 5 jobs, limit 5" */
static void print_size(const struct ctl *ctl, const json_t *cluster, const json_t *size)
{
	bool fixed = strcmp(json_get_text(size, "mode", ""), "fixed") == 0;
	json_int_t most = json_get_integer(size, fixed ? "target" : "maximum_jobs", 0);
	_cleanup_free_ char *resume = output_command(ctl, "resume"), *paused = NULL;

	if (!json_is_object(size))
		return;
	if (json_get_boolean(size, "paused", 0))
		paused = xasprintf("; %spaused%s (%s), %s ends that",
			output_colour(COLOUR_BUSY), output_colour(COLOUR_NONE),
			json_get_text(size, "paused_why", "?"), resume);
	print_value("size",
		"%" JSON_INTEGER_FORMAT " of %s%" JSON_INTEGER_FORMAT " job%s: %s%s",
		json_get_integer(cluster, "jobs", 0), fixed ? "" : "at most ", most,
		most == 1 ? "" : "s", json_get_text(size, "why", "?"), paused ? paused : "");
	if (json_get_text(size, "shortage", NULL))
		print_value("shortage", "%s", json_get_text(size, "shortage", ""));
	if (!fixed && strcmp(json_get_text(cluster, "state", ""), "running") == 0 &&
		json_get_text(size, "hold_why", NULL))
		print_value("hold", "%s", json_get_text(size, "hold_why", ""));
}

static void print_count(const json_t *load, const char *name, const char *text)
{
	json_int_t count = json_get_integer(load, name, 0);

	if (count > 0)
		printf(", %" JSON_INTEGER_FORMAT " %s", count, text);
}

/* Print a part of a line such as ", 2 workers paused (memory above 80 %)". */
static void print_paused(const json_t *load)
{
	json_int_t paused = json_get_integer(load, "paused", 0);
	json_int_t percent = json_get_integer(load, "pause_percent", 0);

	if (paused > 0 && percent > 0)
		printf(", %" JSON_INTEGER_FORMAT " worker%s paused (memory above"
		       " %" JSON_INTEGER_FORMAT " %%)",
			paused, paused == 1 ? "" : "s", percent);
	else if (paused > 0)
		printf(", %" JSON_INTEGER_FORMAT " worker%s paused (memory)", paused,
			paused == 1 ? "" : "s");
}

/* Print a line such as "30 running, 400 ready, results of 2.3 GiB in memory". */
static void print_tasks(const json_t *load)
{
	json_int_t memory = json_get_integer(load, "memory", 0);
	char size[FORMAT_MAX];

	if (json_get_integer(load, "tasks", 0) == 0)
		return;
	print_label("tasks");
	printf("%" JSON_INTEGER_FORMAT " running, %" JSON_INTEGER_FORMAT " ready",
		json_get_integer(load, "running", 0), json_get_integer(load, "ready", 0));
	print_count(load, "long_running", "long-running");
	if (memory > 0)
		printf(", results of %s in memory", format_bytes(memory, size));
	print_count(load, "unrunnable",
		"unrunnable (they need a resource or worker that no job offers)");
	print_paused(load);
	putchar('\n');
}

static void print_scheduler(const json_t *scheduler, const char *interface)
{
	const char *address = json_get_text(scheduler, "address", NULL);
	const char *state = json_get_text(scheduler, "state", "?");
	const char *path = json_get_text(scheduler, "python", NULL);
	_cleanup_free_ char *python = path ? output_path(path) : NULL;
	/* Empty until the scheduler has said hello. */
	const char *distributed = json_get_text(scheduler, "distributed", "");

	if (!address)
		return;
	print_value("scheduler", "%s%s%s at %s%s%s", output_colour(output_state_colour(state)),
		state, output_colour(COLOUR_NONE), address, interface ? " on " : "",
		interface ? interface : "");
	if (python)
		print_value("python", "%s%s%s", python, *distributed ? ", distributed " : "",
			distributed);
	print_tasks(json_object_get(scheduler, "load"));
}

static void print_slurm(const json_t *slurm)
{
	const char *cluster = json_get_text(slurm, "cluster", NULL);
	const char *colon = cluster ? ": " : "";
	int64_t since = json_get_time(slurm, "since");
	char when[OUTPUT_TIME_MAX], ago[FORMAT_MAX];

	if (!cluster)
		cluster = "";
	if (!json_get_boolean(slurm, "asked", 0)) {
		if (*cluster)
			print_value("slurm", "%s", cluster);
		return;
	}
	if (json_get_boolean(slurm, "answering", 0))
		print_value("slurm", "%s%sanswers (last %s ago)", cluster, colon,
			duration_since(since, ago));
	else
		print_value("slurm", "%s%s%sdoes not answer%s since %s (%s): %s", cluster,
			colon, output_colour(COLOUR_BAD), output_colour(COLOUR_NONE),
			output_time(since, when), duration_since(since, ago),
			json_get_text(slurm, "error", "?"));
}

/* What a program has, such as ", share 2, 8 tasks running, 3.5 core hours, 2.3 GiB of results". The
 * caller frees. */
static char *describe_usage(const json_t *lease)
{
	double share = json_number_value(json_object_get(lease, "share"));
	double seconds = json_number_value(json_object_get(lease, "core_seconds"));
	json_int_t running = json_get_integer(lease, "running", 0);
	json_int_t bytes = json_get_integer(lease, "bytes", 0);
	_cleanup_free_ char *part = NULL, *tasks = NULL, *held = NULL;
	char size[FORMAT_MAX];

	if (share > 0 && (share < 1 || share > 1))
		part = xasprintf(", share %g", share);
	if (running > 0)
		tasks = xasprintf(", %" JSON_INTEGER_FORMAT " task%s running", running,
			running == 1 ? "" : "s");
	if (bytes > 0)
		held = xasprintf(", results of about %s", format_bytes(bytes, size));
	if (seconds >= 3600)
		return xasprintf("%s%s, %.1f core hours used%s", part ? part : "",
			tasks ? tasks : "", seconds / 3600, held ? held : "");
	if (seconds >= 1)
		return xasprintf("%s%s, %.0f core seconds used%s", part ? part : "",
			tasks ? tasks : "", seconds, held ? held : "");
	return xasprintf("%s%s%s", part ? part : "", tasks ? tasks : "", held ? held : "");
}

/* Print a line for each program, such as "analysis.ipynb on login1 (process 4711) for 12 min, last
 * use 3 s ago", with what it has. */
static void print_attached(const json_t *attached)
{
	const json_t *lease;
	size_t i;

	json_array_foreach (attached, i, lease) {
		const char *what = json_get_text(
			lease, "notebook", json_get_text(lease, "program", "a program"));
		_cleanup_free_ char *usage = describe_usage(lease);
		char since[FORMAT_MAX], use[FORMAT_MAX];

		print_value("attached",
			"%s on %s (process %" JSON_INTEGER_FORMAT ") for %s, last use %s ago%s",
			what, json_get_text(lease, "host", "?"),
			json_get_integer(lease, "pid", 0),
			duration_since(json_get_time(lease, "since"), since),
			duration_since(json_get_time(lease, "last_use"), use), usage);
	}
}

static void print_failure(const json_t *failure)
{
	_cleanup_free_ char *message = NULL;

	if (!json_is_object(failure))
		return;
	message = xstrdup(json_get_text(failure, "message", "?"));
	for (char *rest = message, *line; (line = strsep(&rest, "\n"));)
		print_value(line == message ? "failure" : "", "%s%s%s",
			output_colour(COLOUR_BAD), line, output_colour(COLOUR_NONE));
	output_log_tail(stdout, failure);
}

static void print_jobs(const struct ctl *ctl, const json_t *jobs, bool all)
{
	_cleanup_free_ char *summary = status_jobs_summary(jobs);

	if (json_array_size(jobs) == 0)
		return;
	if (json_array_size(jobs) > 1)
		print_value("jobs", "%s", summary);
	putchar('\n');
	status_jobs_print(ctl, jobs, all);
}

int cmd_status(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *status = NULL;
	struct refusal refusal = {0};
	struct connection connection;
	struct err err = ERR_INIT;
	const char *state;
	bool all = false;
	int option, r;

	while ((option = command_option(ctl, argc, argv)) != -1)
		all |= option == COMMAND_OPTION;
	command_no_more_arguments(ctl, argc, argv);
	r = connection_need(&connection, ctl);
	if (r != CTL_DONE)
		return r;
	r = connection_ask(&connection, ctl, "status", NULL, &status, &refusal, &err);
	connection_close(&connection);
	json_decref(refusal.data);
	if (r < 0) {
		output_error(ctl, "%s", err.text);
		return CTL_FAILED;
	}
	if (ctl->json) {
		output_json(status);
	} else if (!ctl->quiet) {
		print_cluster(status);
		print_failure(json_object_get(json_object_get(status, "cluster"), "failure"));
		print_scheduler(json_object_get(status, "scheduler"),
			json_get_text(status, "interface", NULL));
		print_size(ctl, json_object_get(status, "cluster"),
			json_object_get(status, "size"));
		print_dashboard(status);
		print_job_around(status);
		print_attached(json_object_get(status, "attached"));
		print_slurm(json_object_get(status, "slurm"));
		print_excluded(
			json_object_get(json_object_get(status, "cluster"), "excluded_nodes"));
		print_jobs(ctl, json_object_get(status, "jobs"), all);
		output_warnings(ctl, json_object_get(status, "warnings"));
	}
	state = json_get_text(json_object_get(status, "cluster"), "state", "");
	if (strcmp(state, "failed") == 0)
		return CTL_FAILED;
	return strcmp(state, "stopped") == 0 ? CTL_NOT_RUNNING : CTL_DONE;
}
