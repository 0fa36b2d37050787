/* main.c of draco-slurm: serves requests of dracod from descriptor 3, one after the other, by
 * libslurm or by Slurm's commands (way.h).
 *
 * It is a process of its own because libslurm blocks, may call exit(), and fits one version of
 * Slurm only. It ends when its connection closes or dracod dies. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/line.h"
#include "common/rpc.h"
#include "daemon/draco-slurm/munge.h"
#include "daemon/draco-slurm/slurm_calls.h"
#include "daemon/draco-slurm/way.h"

static enum slurm_outcome call_hello(const json_t *params, json_t **ret_result, struct err *err)
{
	const char *conf = getenv("SLURM_CONF");

	identity_expect(json_object_get(params, "slurm"));
	/* Otherwise libslurm would try to read it for a minute. */
	if (conf && access(conf, R_OK) < 0) {
		err_set(err, -errno, "SLURM_CONF names %s: %s", conf, strerror(errno));
		return OUTCOME_UNUSABLE;
	}
	/* libslurm ends the process if there is no configuration. */
	if (way_choose(err) < 0)
		return OUTCOME_UNUSABLE;
	*ret_result =
		json_pack("{s:i, s:o}", "protocol", SLURM_MSG_PROTOCOL, "way", way_describe());
	return OUTCOME_DONE;
}

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *name;
	enum slurm_outcome (*call)(const json_t *params, json_t **ret_result, struct err *err);
} calls[] = {
	{"hello", call_hello},
	{"identify", call_identify},
	{"site", call_site},
	{"submit", call_submit},
	{"query", call_query},
	{"cancel", call_cancel},
	{"survey", call_survey},
	{"predict", call_predict},
	{"update", call_update},
	{"munge", call_munge},
	{"inspect", call_inspect},
	{"try", call_try},
};

static char *refuse(
	const struct rpc_message *request, enum slurm_outcome outcome, const struct err *err)
{
	return rpc_format_error(request->id, RPC_FAILED, err->text,
		json_pack("{s:s}", "outcome", slurm_outcome_name(outcome)));
}

/* Can this host serve the request, and does the expected Slurm answer? */
static enum slurm_outcome prepare(const char *method, struct err *err)
{
	if (strcmp(method, "hello") == 0 || strcmp(method, "munge") == 0)
		return OUTCOME_DONE;
	if (munge_check(err) < 0)
		return OUTCOME_UNUSABLE;
	return identity_check(err);
}

static char *serve(const struct rpc_message *request)
{
	enum slurm_outcome outcome = OUTCOME_DONE;
	struct err err = ERR_INIT;
	json_t *result = NULL;
	size_t i = 0;

	while (i < LENGTH(calls) && strcmp(calls[i].name, request->method) != 0)
		i++;
	if (i == LENGTH(calls))
		return rpc_format_error(
			request->id, RPC_METHOD_NOT_FOUND, "unknown method", NULL);
	do {
		err = (struct err)ERR_INIT;
		outcome = prepare(request->method, &err);
		if (outcome == OUTCOME_DONE)
			outcome = calls[i].call(request->params, &result, &err);
	} while (outcome != OUTCOME_DONE && way_takes_over(&err));
	return outcome == OUTCOME_DONE ? rpc_format_result(request->id, result)
				       : refuse(request, outcome, &err);
}

/* Tell dracod that from now on another way is used. */
static int tell_way(void)
{
	_cleanup_free_ char *line = NULL;

	if (!way_has_changed())
		return 0;
	line = rpc_format_notification("way", way_describe());
	return line_write(SLURM_MSG_FD, line, strlen(line));
}

static int answer(const char *line, size_t length)
{
	_cleanup_free_ char *reply = NULL;
	struct rpc_message request;
	struct err err = ERR_INIT;

	if (rpc_parse(line, length, &request, &err) < 0)
		reply = rpc_format_error(request.id, RPC_INVALID_REQUEST, err.text, NULL);
	else if (request.kind == RPC_REQUEST)
		reply = serve(&request);
	rpc_message_finish(&request);
	if (tell_way() < 0)
		return -EPIPE;
	return reply ? line_write(SLURM_MSG_FD, reply, strlen(reply)) : 0;
}

int main(int argc, char **argv)
{
	struct line_reader reader = LINE_READER_INIT_ANSWERS;
	size_t length;
	char *line;
	long n;

	if (argc == 2 && strcmp(argv[1], WAY_TRIAL) == 0)
		way_try();
	if (argc > 1 || fcntl(SLURM_MSG_FD, F_GETFD) < 0) {
		fprintf(stderr, "draco-slurm is started by dracod and takes no arguments.\n");
		return 2;
	}
	fcntl(SLURM_MSG_FD, F_SETFD, FD_CLOEXEC);
	signal(SIGPIPE, SIG_IGN);
	setenv("SLURM_BITSTR_LEN", "0", 1); /* do not truncate the list of an array's tasks */
	do {
		n = line_reader_fill(&reader, SLURM_MSG_FD);
		while (n > 0 && (line = line_reader_next(&reader, &length)))
			if (answer(line, length) < 0)
				n = 0;
	} while (n > 0);
	line_reader_finish(&reader);
	return n == 0 ? 0 : 1;
}
