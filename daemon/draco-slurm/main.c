/* main.c of draco-slurm: serves requests of dracod from descriptor 3, one after the other, by
 * libslurm.
 *
 * It is a process of its own because libslurm blocks, may call exit(), and fits one version of
 * Slurm only. It ends when its connection closes or dracod dies. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <slurm/slurm.h>
#include <slurm/slurm_version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/line.h"
#include "common/rpc.h"
#include "daemon/draco-slurm/munge.h"
#include "daemon/draco-slurm/slurm_calls.h"

/* The version of the libslurm that this was built with: "22.05.8". */
static void format_version(char text[static 32])
{
	long version = SLURM_VERSION_NUMBER;

	snprintf(text, 32, "%ld.%02ld.%ld", version >> 16 & 0xff, version >> 8 & 0xff,
		version & 0xff);
}

static enum slurm_outcome call_hello(const json_t *params, json_t **ret_result, struct err *err)
{
	char version[32];

	const char *conf = getenv("SLURM_CONF");

	identity_expect(json_object_get(params, "slurm"));
	/* Otherwise libslurm would try to read it for a minute. */
	if (conf && access(conf, R_OK) < 0) {
		err_set(err, -errno, "SLURM_CONF names %s: %s", conf, strerror(errno));
		return OUTCOME_UNUSABLE;
	}
	slurm_init(NULL); /* ends the process if there is no configuration */
	format_version(version);
	*ret_result =
		json_pack("{s:i, s:s}", "protocol", SLURM_MSG_PROTOCOL, "version", version);
	return OUTCOME_DONE;
}

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
	struct err err = ERR_INIT;
	json_t *result = NULL;
	enum slurm_outcome outcome = prepare(request->method, &err);

	if (outcome != OUTCOME_DONE)
		return refuse(request, outcome, &err);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, request->method) != 0)
			continue;
		outcome = calls[i].call(request->params, &result, &err);
		if (outcome == OUTCOME_DONE)
			return rpc_format_result(request->id, result);
		return refuse(request, outcome, &err);
	}
	return rpc_format_error(request->id, RPC_METHOD_NOT_FOUND, "unknown method", NULL);
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
	return reply ? line_write(SLURM_MSG_FD, reply, strlen(reply)) : 0;
}

int main(int argc, char **argv)
{
	struct line_reader reader = LINE_READER_INIT;
	size_t length;
	char *line;
	long n;

	(void)argv;
	if (argc > 1 || fcntl(SLURM_MSG_FD, F_GETFD) < 0) {
		char version[32];

		format_version(version);
		fprintf(stderr,
			"draco-slurm is started by dracod and takes no arguments.\n"
			"Its libslurm is of Slurm %s.\n",
			version);
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
