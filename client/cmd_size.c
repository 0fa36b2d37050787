/* cmd_size.c: the commands that change the cluster's size: dracoctl scale, adapt, pause, resume and
 * retire; and dracoctl share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ask.h"
#include "client/ctl.h"
#include "client/need.h"
#include "client/output.h"
#include "client/request.h"
#include "common/alloc.h"
#include "common/amount.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/rpc.h"

static int exit_status(const struct refusal *refusal)
{
	switch (refusal->code) {
	case RPC_INVALID_PARAMS:
		return CTL_USAGE;
	case RPC_NOT_RUNNING:
		return CTL_NOT_RUNNING;
	default:
		return CTL_FAILED;
	}
}

/* Send a request, and take params over. *ret_size is the new size from the answer; NULL: dracod has
 * refused. With --json the answer is printed. Returns an exit status. */
static int request(struct ctl *ctl, const char *method, json_t *params, json_t **ret_size)
{
	struct refusal refusal = {0};
	struct connection connection;
	struct err err = ERR_INIT;
	int status = connection_need(&connection, ctl);

	if (status != CTL_DONE) {
		json_decref(params);
		return status;
	}
	if (connection_ask(&connection, ctl, method, params, ret_size, &refusal, &err) < 0) {
		output_error(ctl, "%s", err.text);
		status = exit_status(&refusal);
	} else if (ctl->json) {
		output_json(*ret_size);
	}
	connection_close(&connection);
	json_decref(refusal.data);
	return status;
}

static bool is_for_people(const struct ctl *ctl, int status)
{
	return status == CTL_DONE && !ctl->json && !ctl->quiet;
}

/* The end of a line about a future size. The caller frees. */
static char *when(const struct ctl *ctl, const json_t *size)
{
	_cleanup_free_ char *resume = output_command(ctl, "resume");

	return json_get_boolean(size, "paused", 0)
		? xasprintf(", once %s ends the pause", resume)
		: xstrdup("");
}

/* The only argument of the command. NULL, after a message: it is missing. */
static const char *take_argument(struct ctl *ctl, int argc, char **argv, const char *what)
{
	const char *argument = optind < argc ? argv[optind++] : NULL;

	command_no_more_arguments(ctl, argc, argv);
	if (!argument)
		output_error(ctl, "%s: %s is missing; see dracoctl %s --help",
			ctl->command->name, what, ctl->command->name);
	return argument;
}

/* Read an amount from the argument, or from the value of an option. Returns an exit status. */
static int read_amount(const struct ctl *ctl, const char *option, enum amount_unit unit,
	const char *text, int64_t *ret)
{
	struct err err = ERR_INIT;

	if (amount_parse(unit, text, ret, &err) == 0)
		return CTL_DONE;
	output_error(ctl, "%s: %s%s%s%s", ctl->command->name, option ? "--" : "",
		option ? option : "", option ? ": " : "", err.text);
	return CTL_USAGE;
}

static void print_scaled(
	const struct ctl *ctl, enum amount_unit unit, int64_t amount, const json_t *size)
{
	enum amount_unit shape = unit == AMOUNT_JOBS ? AMOUNT_WORKERS : unit;
	_cleanup_free_ char *text = amount_explain(unit, amount,
		json_get_integer(size, "target", 0),
		json_get_integer(json_object_get(size, "per_job"), amount_name(shape), 0));
	_cleanup_free_ char *end = when(ctl, size);

	printf("%s%s.\n", text, end);
}

int cmd_scale(struct ctl *ctl, int argc, char **argv)
{
	enum amount_unit unit = AMOUNT_WORKERS;
	_cleanup_json_ json_t *size = NULL;
	const char *text;
	int option, chosen = 0, status;
	int64_t amount;

	while ((option = command_option(ctl, argc, argv)) != -1) {
		chosen |= 1 << (option - COMMAND_OPTION);
		unit = (enum amount_unit)(option - COMMAND_OPTION);
	}
	if (chosen & (chosen - 1)) {
		output_error(ctl,
			"scale: only one of --jobs, --workers, --cores and --memory can be "
			"given");
		return CTL_USAGE;
	}
	text = take_argument(ctl, argc, argv, "the size");
	if (!text || read_amount(ctl, NULL, unit, text, &amount) != CTL_DONE)
		return CTL_USAGE;
	status = request(
		ctl, "scale", json_pack("{s:I}", amount_name(unit), (json_int_t)amount), &size);
	if (is_for_people(ctl, status))
		print_scaled(ctl, unit, amount, size);
	return status;
}

/* A bound that was asked for in workers and became another number of them. */
static void print_rounded(
	const json_t *asked, const char *name, json_int_t jobs, json_int_t per_job)
{
	json_int_t workers = json_get_integer(asked, name, 0);

	if (json_object_get(asked, name) && per_job > 0 &&
		(workers % per_job != 0 || workers / per_job != jobs))
		printf("A job has %" JSON_INTEGER_FORMAT " workers, so a %s of "
		       "%" JSON_INTEGER_FORMAT " became %" JSON_INTEGER_FORMAT " job%s.\n",
			per_job, name, workers, jobs, jobs == 1 ? "" : "s");
}

static void print_adapted(const struct ctl *ctl, const json_t *size, const json_t *asked)
{
	_cleanup_free_ char *end = when(ctl, size);
	json_int_t minimum = json_get_integer(size, "minimum_jobs", 0);
	json_int_t maximum = json_get_integer(size, "maximum_jobs", 0);
	json_int_t workers = json_get_integer(json_object_get(size, "per_job"), "workers", 0);

	printf("Adaptive scaling: %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT
	       " job%s of %" JSON_INTEGER_FORMAT " worker%s%s.\n",
		minimum, maximum, maximum == 1 ? "" : "s", workers, workers == 1 ? "" : "s",
		end);
	print_rounded(asked, "minimum", minimum, workers);
	print_rounded(asked, "maximum", maximum, workers);
}

int cmd_adapt(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *params = json_object(), *size = NULL;
	int option, status;
	int64_t workers;

	while ((option = command_option(ctl, argc, argv)) != -1) {
		const char *name = ctl->command->options[option - COMMAND_OPTION].name;

		if (read_amount(ctl, name, AMOUNT_WORKERS, optarg, &workers) != CTL_DONE)
			return CTL_USAGE;
		json_object_set_new(params, name, json_integer((json_int_t)workers));
	}
	command_no_more_arguments(ctl, argc, argv);
	status = request(ctl, "adapt", json_incref(params), &size);
	if (is_for_people(ctl, status))
		print_adapted(ctl, size, params);
	return status;
}

static int simple(struct ctl *ctl, int argc, char **argv, const char *method, json_t **ret_size)
{
	while (command_option(ctl, argc, argv) != -1)
		;
	command_no_more_arguments(ctl, argc, argv);
	return request(ctl, method, NULL, ret_size);
}

int cmd_pause(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *size = NULL;
	_cleanup_free_ char *resume = output_command(ctl, "resume");
	int status = simple(ctl, argc, argv, "pause", &size);

	if (is_for_people(ctl, status))
		printf("Paused: no jobs are requested and none are given back until %s.\n",
			resume);
	return status;
}

int cmd_resume(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *size = NULL;
	int status = simple(ctl, argc, argv, "resume", &size);
	json_int_t jobs = json_get_integer(size, "target", 0);

	if (!is_for_people(ctl, status))
		return status;
	if (strcmp(json_get_text(size, "mode", ""), "fixed") == 0)
		printf("Resumed: %" JSON_INTEGER_FORMAT " job%s, as set by hand.\n", jobs,
			jobs == 1 ? "" : "s");
	else
		printf("Resumed: adaptive scaling.\n");
	return status;
}

int cmd_share(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *answer = NULL;
	const char *program, *text;
	char *end = NULL;
	double share;
	int status;

	while (command_option(ctl, argc, argv) != -1)
		;
	program = optind < argc ? argv[optind++] : NULL;
	text = take_argument(ctl, argc, argv, program ? "the share" : "the program");
	if (!text)
		return CTL_USAGE;
	share = strtod(text, &end);
	if (end == text || *end) {
		output_error(ctl, "share: %s is not a number, such as 2 or 0.5", text);
		return CTL_USAGE;
	}
	status = request(ctl, "share",
		json_pack("{s:o, s:f}", "program", json_text(program), "share", share),
		&answer);
	if (is_for_people(ctl, status))
		printf("%s has the share %g now; 1 is usual.\n", program, share);
	return status;
}

static void print_retired(
	const struct ctl *ctl, const char *job, const json_t *size, bool force)
{
	_cleanup_free_ char *retire = output_command(ctl, "retire --force");

	if (force)
		printf("Job %s ends now.\n", job);
	else if (json_get_boolean(size, "waits", 0))
		printf("Job %s gets no more tasks, but its results have nowhere to go: it stays "
		       "until they are not needed,\nor another job takes them. %s %s ends it "
		       "without them.\n",
			job, retire, job);
	else
		printf("Job %s is given back as soon as its tasks are done and its data has "
		       "moved.\n",
			job);
}

int cmd_retire(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *size = NULL;
	bool force = false;
	const char *job;
	int status;

	while (command_option(ctl, argc, argv) != -1)
		force = true;
	job = take_argument(ctl, argc, argv, "the job's id");
	if (!job)
		return CTL_USAGE;
	status = request(ctl, "retire",
		json_pack("{s:o, s:b}", "job", json_text(job), "force", force), &size);
	if (is_for_people(ctl, status))
		print_retired(ctl, job, size, force);
	return status;
}
