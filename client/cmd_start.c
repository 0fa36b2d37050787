/* cmd_start.c: dracoctl start: dracod when it is needed, the cluster, and what happens meanwhile. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/launch.h"
#include "client/output.h"
#include "client/request.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/rpc.h"
#include "common/settings.h"
#include "common/settings_yaml.h"

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

struct waiting {
	const struct ctl *ctl;
	struct live live;
	char *message;
	struct timespec since;
	bool joined; /* somebody else started it: it is not ours to stop */
};

static double seconds_since(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - since->tv_sec) +
		(double)(now.tv_nsec - since->tv_nsec) / 1e9;
}

static bool on_notification(void *arg, const char *method, const json_t *params)
{
	struct waiting *waiting = arg;

	if (method && strcmp(method, "progress") == 0) {
		xreplace(&waiting->message, json_get_text(params, "message", ""));
		waiting->joined = json_get_boolean(params, "joined", 0);
		if (waiting->ctl->json) {
			json_dumpf(params, stdout, JSON_COMPACT);
			putchar('\n');
			fflush(stdout);
		}
	}
	if (waiting->message && !waiting->ctl->json && !waiting->ctl->quiet)
		live_show(&waiting->live, method != NULL, "%5.1f s  %s",
			seconds_since(&waiting->since), waiting->message);
	return !interrupted;
}

/* The settings given as options; checked here together with the others, so that a mistake costs no
 * daemon. Returns an exit status. */
static int read_options(struct ctl *ctl, int argc, char **argv, json_t *ret_options)
{
	struct settings settings;
	struct err err = ERR_INIT;
	int option, r;

	settings_init(&settings);
	r = paths_init(&ctl->paths, ctl->name, &err);
	if (r == 0)
		r = settings_load_file(&settings, ctl->paths.config_file, &err);
	while (r == 0 && (option = command_option(ctl, argc, argv)) != -1) {
		enum setting_id id = (enum setting_id)(option - COMMAND_SETTING);

		r = settings_set(&settings, id, optarg, "option", &err);
		json_object_set_new(ret_options, settings_table[id].name, json_text(optarg));
	}
	if (r == 0) {
		command_no_more_arguments(ctl, argc, argv);
		r = settings_check(&settings, &err);
	}
	settings_finish(&settings);
	if (r == 0)
		return CTL_DONE;
	output_error(ctl, "%s", err.text);
	return CTL_USAGE;
}

static json_t *own_environment(void)
{
	json_t *object = json_object();

	for (char **variable = environ; *variable; variable++) {
		const char *equals = strchr(*variable, '=');
		_cleanup_free_ char *name = NULL;

		if (!equals)
			continue;
		name = xstrndup(*variable, (size_t)(equals - *variable));
		json_object_set_new(object, name, json_text(equals + 1));
	}
	return object;
}

/* Connect, starting dracod when there is none. */
static int connect_or_launch(
	struct connection *connection, struct ctl *ctl, bool *ret_launched, struct err *err)
{
	int r = -ENOENT;

	*ret_launched = false;
	for (int tries = 0; tries < 40; tries++) {
		struct err why = ERR_INIT;

		r = connection_open(connection, ctl, err);
		if (r != -ENOENT)
			return r;
		/* Another dracoctl may have been quicker with its dracod: then that one serves.
		 * Or one that is ending is still there for a moment. */
		r = launch_dracod(ctl, &why);
		*err = why;
		if (r == 0)
			*ret_launched = true;
		else if (r != -EBUSY)
			return r;
		else
			usleep(50000);
	}
	return r;
}

/* dracod was started for a cluster that did not come up: leave nothing behind. */
static void end_dracod(struct connection *connection)
{
	_cleanup_json_ json_t *result = NULL;
	struct refusal refusal = {0};
	struct err err = ERR_INIT;

	if (connection_call(connection, "shutdown", NULL, NULL, NULL, &result, &refusal, &err) <
		0)
		fprintf(stderr, "dracoctl: dracod did not end in good order: %s\n", err.text);
	json_decref(refusal.data);
}

static int stop_after_interrupt(
	struct connection *connection, struct waiting *waiting, bool launched)
{
	_cleanup_json_ json_t *result = NULL;
	struct refusal refusal = {0};
	struct err err = ERR_INIT;

	live_clear(&waiting->live);
	signal(SIGINT, SIG_DFL); /* a second Ctrl-C ends dracoctl; dracod goes on cleaning up */
	if (waiting->joined) {
		fprintf(stderr,
			"dracoctl: not waiting any more; the start goes on, because "
			"somebody else began it\n");
		return CTL_INTERRUPTED;
	}
	fprintf(stderr, "dracoctl: interrupted, giving everything back ...\n");
	if (launched)
		end_dracod(connection);
	else if (connection_call(
			 connection, "stop", NULL, NULL, NULL, &result, &refusal, &err) < 0)
		fprintf(stderr, "dracoctl: %s\n", err.text);
	json_decref(refusal.data);
	fprintf(stderr, "dracoctl: done, nothing is left\n");
	return CTL_INTERRUPTED;
}

static void print_differences(const json_t *list)
{
	const json_t *item;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	printf("It was started with other settings, which stay:\n");
	json_array_foreach (list, i, item)
		printf("  %s is %s, not %s\n", json_get_text(item, "setting", ""),
			json_get_text(item, "running", ""), json_get_text(item, "asked", ""));
	printf("dracoctl --name OTHER start ... makes a cluster of its own.\n");
}

static void print_ready(
	const struct ctl *ctl, const struct waiting *waiting, const json_t *status)
{
	const json_t *cluster = json_object_get(status, "cluster");
	const json_t *scheduler = json_object_get(status, "scheduler");
	json_int_t jobs = json_get_integer(cluster, "jobs", 0);
	json_int_t workers = json_get_integer(cluster, "workers", 0);
	const char *dashboard = json_get_text(scheduler, "dashboard", NULL);
	bool named = strcmp(ctl->name, PATHS_NAME_DEFAULT) != 0;

	printf("Cluster \"%s\" is %s%s%s: %" JSON_INTEGER_FORMAT " job%s, %" JSON_INTEGER_FORMAT
	       " worker%s, after %.1f s.\n",
		ctl->name, output_colour(COLOUR_GOOD),
		json_get_boolean(status, "joined", 0) ? "running" : "ready",
		output_colour(COLOUR_NONE), jobs, jobs == 1 ? "" : "s", workers,
		workers == 1 ? "" : "s", seconds_since(&waiting->since));
	printf("  scheduler  %s\n", json_get_text(scheduler, "address", "?"));
	if (dashboard)
		printf("  dashboard  %s\n", dashboard);
	printf("  connect    eval \"$(dracoctl%s%s env)\", then Client() in Python\n",
		named ? " --name " : "", named ? ctl->name : "");
	print_differences(json_object_get(status, "differences"));
}

static int request_start(
	struct connection *connection, struct ctl *ctl, json_t *options, bool launched)
{
	struct waiting waiting = {.ctl = ctl};
	_cleanup_json_ json_t *status = NULL;
	_cleanup_free_ char *directory = getcwd(NULL, 0);
	struct sigaction action = {.sa_handler = on_interrupt};
	struct refusal refusal = {0};
	struct err err = ERR_INIT;
	int r;

	live_init(&waiting.live);
	clock_gettime(CLOCK_MONOTONIC, &waiting.since);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	r = connection_call(connection, "start",
		json_pack("{s:O, s:o, s:s, s:b}", "settings", options, "environment",
			own_environment(), "directory", directory ? directory : "/", "progress",
			1),
		on_notification, &waiting, &status, &refusal, &err);
	if (r == -EINTR) {
		free(waiting.message);
		return stop_after_interrupt(connection, &waiting, launched);
	}
	live_clear(&waiting.live);
	free(waiting.message);
	if (r < 0) {
		output_failure(ctl, err.text, refusal.data);
		json_decref(refusal.data);
		if (launched)
			end_dracod(connection);
		return refusal.code == RPC_INVALID_PARAMS ? CTL_USAGE : CTL_FAILED;
	}
	if (ctl->json)
		output_json(status);
	else if (!ctl->quiet)
		print_ready(ctl, &waiting, status);
	return CTL_DONE;
}

int cmd_start(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *options = json_object();
	struct connection connection;
	struct err err = ERR_INIT;
	bool launched;
	int status = read_options(ctl, argc, argv, options);

	if (status != CTL_DONE)
		return status;
	if (connect_or_launch(&connection, ctl, &launched, &err) < 0) {
		output_error(ctl, "%s", err.text);
		return CTL_FAILED;
	}
	status = request_start(&connection, ctl, options, launched);
	connection_close(&connection);
	return status;
}
