/* start_wait.c: starts the cluster for a command: starts dracod if necessary, sends the request,
 * shows progress, and gives everything back after an interruption. */
#include "client/start_wait.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/caller.h"
#include "client/ctl.h"
#include "client/launch.h"
#include "client/need.h"
#include "client/output.h"
#include "client/request.h"
#include "client/unconfirmed.h"
#include "client/where.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/rpc.h"
#include "common/settings.h"
#include "common/site_told.h"

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
	json_int_t step; /* from the last message */
	struct timespec since;
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
		json_int_t step = json_get_integer(params, "step", 0);

		if (waiting->message && step != waiting->step)
			live_keep(&waiting->live);
		waiting->step = step;
		xreplace(&waiting->message, json_get_text(params, "message", ""));
		if (waiting->ctl->json && params) {
			output_json_line(params);
			fflush(stdout);
		}
	}
	if (waiting->message && !waiting->ctl->json && !waiting->ctl->quiet)
		live_show(&waiting->live, method != NULL, "%5.1f s  %s",
			seconds_since(&waiting->since), waiting->message);
	return !interrupted;
}

/* Check the settings here, so that an error starts no dracod, and print the site's limits. Returns
 * an exit status. */
static int check_settings(struct ctl *ctl, json_t **ret_limits)
{
	struct settings_report report;
	struct settings settings;
	struct err err = ERR_INIT;
	int status;

	if (where_find(ctl, &err) < 0) {
		output_error(ctl, "%s", err.text);
		return CTL_USAGE;
	}
	status = caller_resolve(ctl, &settings, &report) < 0 ? CTL_USAGE : CTL_DONE;
	if (!ctl->quiet)
		site_told_once(&ctl->paths, &report.problems);
	output_problems(ctl, &report.problems);
	if (status == CTL_DONE)
		*ret_limits = json_incref(report.limits);
	settings_finish(&settings);
	settings_report_finish(&report);
	return status;
}

/* Print the values that a limit of the site has changed, except those in told. */
static void print_limits(const struct ctl *ctl, const json_t *limits, const json_t *told)
{
	const json_t *limit, *known;
	size_t i, j;

	json_array_foreach (limits, i, limit) {
		bool is_told = false;

		json_array_foreach (told, j, known)
			is_told = is_told || json_equal(limit, known);
		if (!is_told)
			output_warning(ctl, json_get_text(limit, "message", ""));
	}
}

int start_connect(
	struct connection *connection, struct ctl *ctl, json_t **ret_limits, bool *ret_launched)
{
	struct sigaction action = {.sa_handler = on_interrupt};
	struct err err = ERR_INIT;
	int status = check_settings(ctl, ret_limits);

	if (status != CTL_DONE)
		return status;
	print_limits(ctl, *ret_limits, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (launch_connect(connection, ctl, ret_launched, &err) == 0)
		return CTL_DONE;
	output_error(ctl, "%s", err.text);
	return CTL_FAILED;
}

static int stop_after_interrupt(
	struct connection *connection, struct waiting *waiting, bool launched)
{
	_cleanup_json_ json_t *result = NULL;
	_cleanup_free_ char *left = NULL;
	struct refusal refusal = {0};
	struct err err = ERR_INIT;
	int r;

	live_clear(&waiting->live);
	/* A second Ctrl-C ends dracoctl; dracod continues to clean up. */
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	fprintf(stderr, "dracoctl: interrupted, ending what this start began ...\n");
	r = connection_call(connection, "stop",
		json_pack("{s:b, s:b, s:[]}", "own", 1, "alone", 1, "clients"), NULL, NULL,
		&result, &refusal, &err);
	json_decref(refusal.data);
	left = unconfirmed_text(waiting->ctl, result, false);
	if (r < 0)
		fprintf(stderr, "dracoctl: %s\n", err.text);
	else if (json_get_boolean(result, "kept", 0))
		fprintf(stderr,
			"dracoctl: not waiting any more; the cluster stays, because %s\n",
			json_get_text(result, "why", "others use it"));
	else if (left)
		fprintf(stderr, "dracoctl: %s\n", left);
	else
		fprintf(stderr, "dracoctl: done, nothing is left\n");
	if (launched && r == 0 && !json_get_boolean(result, "kept", 0))
		launch_end(connection);
	return CTL_INTERRUPTED;
}

json_t *start_params(const struct ctl *ctl)
{
	_cleanup_free_ char *directory = getcwd(NULL, 0);
	json_t *params = caller_params(ctl);

	json_object_set_new(params, "directory", json_text(directory ? directory : "/"));
	json_object_set_new(params, "progress", json_true());
	return params;
}

int start_wait(struct connection *connection, struct ctl *ctl, json_t *params,
	const json_t *limits, bool launched, double *ret_seconds, json_t **ret_status)
{
	struct waiting waiting = {.ctl = ctl};
	struct refusal refusal = {0};
	struct err err = ERR_INIT;
	int r;

	live_init(&waiting.live);
	clock_gettime(CLOCK_MONOTONIC, &waiting.since);
	do {
		r = connection_call(connection, "start", json_incref(params), on_notification,
			&waiting, ret_status, &refusal, &err);
	} while (r < 0 && connection_renew(connection, ctl, r));
	json_decref(params);
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
			launch_end(connection);
		return refusal.code == RPC_INVALID_PARAMS ? CTL_USAGE : CTL_FAILED;
	}
	print_limits(ctl, json_object_get(*ret_status, "limits"), limits);
	*ret_seconds = seconds_since(&waiting.since);
	return CTL_DONE;
}
