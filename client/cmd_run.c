/* cmd_run.c: dracoctl run: runs a command with a cluster. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/command_python.h"
#include "client/ctl.h"
#include "client/launch.h"
#include "client/need.h"
#include "client/output.h"
#include "client/request.h"
#include "client/start_wait.h"
#include "client/variables.h"
#include "common/alloc.h"
#include "common/argv.h"
#include "common/cleanup.h"
#include "common/host.h"
#include "common/json.h"

#define CANNOT_EXECUTE 126 /* as shells do */
#define NOT_FOUND      127

#define STOP_TRIES    8
#define STOP_PAUSE_US 100000

static pid_t child;

static void pass_on(int signal_number)
{
	if (child > 0)
		kill(child, signal_number);
}

/* Send a request whose failure does not matter here. Returns its result, or NULL. */
static json_t *ask(struct connection *connection, const char *method, json_t *params)
{
	struct refusal refusal = {0};
	struct err err = ERR_INIT;
	json_t *result = NULL;

	if (connection_call(connection, method, params, NULL, NULL, &result, &refusal, &err) <
		0)
		fprintf(stderr, "dracoctl: %s\n", err.text);
	json_decref(refusal.data);
	return result;
}

/* The variables for the command; NULL: there are none, or a forbidden one. */
static json_t *ask_environment(struct connection *connection, const struct ctl *ctl)
{
	json_t *environment = ask(connection, "environment", NULL);
	struct err err = ERR_INIT;

	if (!environment)
		return NULL;
	if (variables_check(environment, &err) == 0) {
		variables_keep_preloads(environment);
		return environment;
	}
	output_error(ctl, "%s", err.text);
	json_decref(environment);
	return NULL;
}

/* Attach to the cluster, with the command as the label. own: this run has begun the cluster. */
static void attach(struct connection *connection, const char *command, bool own)
{
	struct host here;

	host_get(&here);
	json_decref(ask(connection, "attach",
		json_pack("{s:{s:s, s:i, s:o}, s:b}", "label", "host", here.name, "pid",
			(int)getpid(), "program", json_text(command), "own", own)));
}

/* The error that execvp(3) would give: 0, ENOENT or EACCES. With this check a mistyped command does
 * not wait for jobs. */
static int find_failure(const char *command)
{
	const char *place = getenv("PATH");
	int failure = ENOENT;

	if (strchr(command, '/'))
		return access(command, X_OK) == 0 ? 0 : errno == ENOENT ? ENOENT : EACCES;
	if (!place)
		return 0; /* execvp(3) then uses a default */
	for (;; place++) {
		int length = (int)strcspn(place, ":");
		_cleanup_free_ char *file = xasprintf(
			"%.*s/%s", length ? length : 1, length ? place : ".", command);

		if (access(file, X_OK) == 0)
			return 0;
		if (errno != ENOENT && errno != ENOTDIR)
			failure = EACCES;
		place += length;
		if (!*place)
			return failure;
	}
}

static int say_failure(const struct ctl *ctl, const char *command, int failure)
{
	output_error(ctl, "cannot run %s: %s", command, strerror(failure));
	return failure == ENOENT ? NOT_FOUND : CANNOT_EXECUTE;
}

/* Runs in the new process. Does not return. */
static void become(const struct ctl *ctl, char **command, const json_t *environment)
{
	const char *name;
	json_t *value;

	json_object_foreach (UNCONST(environment), name, value)
		setenv(name, json_string_value(value), 1);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	execvp(command[0], command);
	_exit(say_failure(ctl, command[0], errno));
}

/* Run the command. Returns its exit status, as shells do. */
static int run(const struct ctl *ctl, char **command, const json_t *environment)
{
	static const int passed[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = pass_on};
	int status;

	child = fork();
	if (child == 0)
		become(ctl, command, environment);
	if (child < 0) {
		output_error(ctl, "cannot start a process: %s", strerror(errno));
		return CTL_FAILED;
	}
	signal(SIGINT, SIG_IGN); /* the terminal sends Ctrl-C to the command, too */
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return CTL_FAILED;
	child = 0;
	/* What follows may wait for dracod, and has nothing to pass signals on to. */
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		signal(passed[i], SIG_DFL);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* dracod may have been killed meanwhile: connect to the next one. */
static void come_back(
	struct connection *connection, struct ctl *ctl, const char *command, bool own)
{
	_cleanup_json_ json_t *status = NULL;
	struct refusal refusal = {0};
	struct err err = ERR_INIT;
	int r = connection_call(
		connection, "status", NULL, NULL, NULL, &status, &refusal, &err);

	json_decref(refusal.data);
	if (r < 0 && connection_renew(connection, ctl, r))
		attach(connection, command, own);
}

/* Stop the cluster if this command has started it and no one else uses it. The command's own
 * Client() needs a moment to disconnect. */
static void give_back(struct connection *connection, bool launched)
{
	_cleanup_json_ json_t *result = NULL;

	for (int tries = 0; tries < STOP_TRIES; tries++) {
		json_decref(result);
		result = ask(connection, "stop",
			json_pack("{s:b, s:b, s:[]}", "own", 1, "alone", 1, "clients"));
		if (json_get_integer(result, "clients", 0) == 0)
			break;
		usleep(STOP_PAUSE_US);
	}
	if (launched && result && !json_get_boolean(result, "kept", 0))
		launch_end(connection);
}

/* The workers are to run the Python of the command: put it first in the PATH in which dracod looks
 * for one. The setting "python" still wins. */
static void prefer_python(json_t *params, const char *command)
{
	json_t *environment = json_object_get(params, "environment");
	const char *path = getenv("PATH");
	_cleanup_free_ char *directory = command_python_directory(command, path);
	_cleanup_free_ char *first = program_find(path, "python3"), *own = NULL;

	if (!directory)
		return;
	own = xasprintf("%s/python3", directory);
	if (strcmp(own, first) != 0)
		json_object_set_new(environment, "PATH",
			json_sprintf("%s%s%s", directory, path ? ":" : "", path ? path : ""));
}

/* Say that the workers may not understand the command, if their versions are others. */
static void hint_at_versions(const struct ctl *ctl, const char *directory, const char *theirs)
{
	_cleanup_free_ char *own = xasprintf("%s/python3", directory), *text = NULL;
	_cleanup_free_ char *here = command_python_versions(own);
	_cleanup_free_ char *there = here ? command_python_versions(theirs) : NULL;

	if (!there || strcmp(here, there) == 0)
		return;
	text = xasprintf(
		"the command runs %s, and the workers run %s (%s): they may not understand "
		"each other; dracoctl --name OTHER run ... makes a cluster for the "
		"command's Python",
		here, there, theirs);
	output_warning(ctl, text);
}

/* Where the workers do not run the Python of the command, say why the command will not find Dask,
 * or why the workers may not understand it. */
static void hint_at_python(const struct ctl *ctl, const char *command, const json_t *status)
{
	const char *python =
		json_get_text(json_object_get(status, "scheduler"), "python", NULL);
	_cleanup_free_ char *own = command_python_directory(command, getenv("PATH"));
	_cleanup_free_ char *text = NULL;

	if (!own || !python || command_python_is_in(python, own))
		return;
	if (!command_python_lacks_distributed(own)) {
		hint_at_versions(ctl, own, python);
		return;
	}
	text = xasprintf(
		"%s/python3 has no distributed: the workers run %s, and the command cannot use "
		"Dask; run it with that one, or: %s/python3 -m pip install distributed",
		own, python, own);
	output_warning(ctl, text);
}

int cmd_run(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *limits = NULL, *started = NULL, *environment = NULL;
	struct connection connection;
	json_t *params;
	bool launched, own;
	double seconds;
	int status, failure;

	while (command_option(ctl, argc, argv) != -1)
		;
	if (optind >= argc) {
		output_error(ctl, "run: no command was given: dracoctl run -- COMMAND ...");
		return CTL_USAGE;
	}
	failure = find_failure(argv[optind]);
	if (failure)
		return say_failure(ctl, argv[optind], failure);
	status = start_connect(&connection, ctl, &limits, &launched);
	if (status != CTL_DONE)
		return status;
	params = start_params(ctl);
	json_object_set_new(params, "bound", json_true());
	prefer_python(params, argv[optind]);
	status = start_wait(&connection, ctl, params, limits, launched, &seconds, &started);
	if (status == CTL_DONE) {
		own = !json_get_boolean(started, "joined", 0);
		output_pause(ctl, started);
		hint_at_python(ctl, argv[optind], started);
		attach(&connection, command_name(argv + optind), false);
		environment = ask_environment(&connection, ctl);
		status = environment ? run(ctl, argv + optind, environment) : CTL_FAILED;
		come_back(&connection, ctl, command_name(argv + optind), own);
		give_back(&connection, launched);
	}
	connection_close(&connection);
	return status;
}
