/* request.c: requests to dracod: one connection, one request at a time. */
#include "client/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl.h"
#include "client/output.h"
#include "client/seek.h"
#include "client/where.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/rpc.h"
#include "common/secure.h"
#include "common/sock.h"
#include "common/visible.h"

#define TICK_MS	    250
#define GREETING_MS 10000

static int greet(struct connection *connection, struct err *err)
{
	struct refusal refusal = {0};
	json_int_t protocol;
	int r = connection_call(connection, "hello",
		json_pack("{s:i, s:s, s:s}", "protocol", RPC_PROTOCOL, "client", "dracoctl",
			"version", PACKAGE_VERSION),
		NULL, NULL, &connection->hello, &refusal, err);

	json_decref(refusal.data);
	protocol = json_get_integer(connection->hello, "protocol", 0);
	if (r == 0 && protocol != RPC_PROTOCOL)
		return err_set(err, -EPROTO,
			"this dracod is of version %s (protocol %d), and dracoctl of "
			"version " PACKAGE_VERSION
			" (protocol %d): use the same version of both",
			json_get_text(connection->hello, "version", "?"), (int)protocol,
			RPC_PROTOCOL);
	return r;
}

int connection_open(struct connection *connection, struct ctl *ctl, struct err *err)
{
	int r = 0;

	*connection = (struct connection)CONNECTION_INIT;
	connection->ctl = ctl;
	connection->exact = ctl->json;
	if (!ctl->paths.name)
		r = where_find(ctl, err);
	if (r < 0)
		return -EINVAL;
	for (int tries = 0; tries < 2; tries++) {
		r = seek_dracod(&connection->channel, &ctl->paths, err);
		if (r < 0)
			return r;
		r = greet(connection, err);
		if (r == 0)
			return 0;
		connection_close(connection);
		connection->ctl = ctl;
		connection->exact = ctl->json;
		if (r != -ECONNRESET && r != -EPIPE)
			return r;
		*err = (struct err)ERR_INIT; /* dracod was about to end */
	}
	return -ENOENT;
}

void connection_close(struct connection *connection)
{
	channel_close(&connection->channel);
	line_reader_finish(&connection->reader);
	json_decref(connection->hello);
	*connection = (struct connection)CONNECTION_INIT;
}

/* Must the texts of this answer stay unchanged? They go into an environment or a file. */
static bool is_exact(const char *method)
{
	return strcmp(method, "environment") == 0 || strcmp(method, "script") == 0;
}

static int take_answer(const struct rpc_message *message, json_t **ret_result,
	struct refusal *refusal, struct err *err)
{
	_cleanup_free_ char *text = NULL;

	if (message->kind == RPC_RESULT) {
		*ret_result = json_incref(message->result);
		return 0;
	}
	/* A person reads it, also with exact texts. */
	text = visible_text(message->text, "\n\t");
	refusal->code = message->code;
	refusal->data = json_incref(message->data);
	return err_set(err, -EREMOTEIO, "%s", text);
}

/* Handle one line. 1: it is the answer, and *ret_status is set. 0: it is not. -EINTR: fn has
 * returned false. */
static int handle_line(char *line, size_t length, json_int_t id, bool exact, notification_fn fn,
	void *arg, json_t **ret_result, struct refusal *refusal, int *ret_status,
	struct err *err)
{
	struct rpc_message message;
	int r = rpc_parse(line, length, &message, err);

	/* All texts of dracod pass here: replace control characters, so that printing them is
	 * safe. */
	if (r == 0 && !exact)
		rpc_message_make_visible(&message);
	if (r < 0) {
		err_prefix(err, "cannot read dracod's message");
		*ret_status = r;
		r = 1;
	} else if (message.kind == RPC_NOTIFICATION) {
		r = !fn || fn(arg, message.method, message.params) ? 0 : -EINTR;
	} else if (message.kind == RPC_ERROR && json_is_null(message.id)) {
		/* An error without a request. */
		*ret_status = take_answer(&message, ret_result, refusal, err);
		r = 1;
	} else if (message.kind != RPC_REQUEST && json_is_integer(message.id) &&
		json_integer_value(message.id) == id) {
		*ret_status = take_answer(&message, ret_result, refusal, err);
		r = 1;
	}
	rpc_message_finish(&message);
	return r;
}

static int no_greeting(const struct connection *connection, struct err *err)
{
	uid_t uid;
	pid_t pid = 0;

	if (connection->channel.session)
		return err_set(err, -ETIMEDOUT,
			"dracod does not answer at its port within %d s: is it stopped, or its "
			"host overloaded?",
			GREETING_MS / 1000);
	sock_peer(connection->channel.fd, &uid, &pid);
	return err_set(err, -ETIMEDOUT,
		"dracod runs as process %d, but does not answer within %d s: is it stopped, or "
		"this host overloaded? (kill -CONT %d, or kill -9 %d)",
		(int)pid, GREETING_MS / 1000, (int)pid, (int)pid);
}

/* Wait for data from dracod and read them. 1: some were read. 0: timeout_ms (-1: without limit) is
 * over, or a signal has arrived. */
static int wait_and_read(struct connection *connection, int timeout_ms, struct err *err)
{
	int r;

	if (!channel_wait(&connection->channel, timeout_ms))
		return 0;
	r = (int)line_reader_fill_by(&connection->reader, channel_read, &connection->channel);
	if (r == -EAGAIN) /* an incomplete TLS record */
		return 0;
	if (r == 0)
		return err_set(err, -ECONNRESET, "dracod has ended");
	if (r < 0)
		return err_set(err, r, "cannot read from dracod: %s",
			r == -EPROTO ? secure_reason() : strerror(-r));
	return 1;
}

/* If dracod has refused a request because it has another version, say so in err. Returns status. */
static int compare(const struct connection *connection, const struct refusal *refusal,
	int status, struct err *err)
{
	const char *version = json_get_text(connection->hello, "version", PACKAGE_VERSION);
	_cleanup_free_ char *end = NULL, *text = NULL;

	if (status == 0 || strcmp(version, PACKAGE_VERSION) == 0 ||
		(refusal->code != RPC_METHOD_NOT_FOUND && refusal->code != RPC_INVALID_PARAMS))
		return status;
	text = xstrdup(err->text);
	end = output_command(connection->ctl, "shutdown");
	return err_set(err, status,
		"%s (this dracod is of version %s, and dracoctl is of version " PACKAGE_VERSION
		": use the same version of both; %s ends the old dracod)",
		text, version, end);
}

/* Say that the request is longer than dracod takes, and which variable it may be. */
static int too_large(const char *request, struct err *err)
{
	_cleanup_json_ json_t *message = json_loads(request, 0, NULL);
	const json_t *params = json_object_get(message, "params");
	json_t *environment = json_object_get(params, "environment"), *value;
	const char *name, *largest = NULL;
	size_t most = 0;

	json_object_foreach (environment, name, value)
		if (json_string_length(value) > most) {
			most = json_string_length(value);
			largest = name;
		}
	if (!largest)
		return err_set(err, -E2BIG, "the request is too large (%zu KiB of %d)",
			strlen(request) / 1024, LINE_LIMIT / 1024);
	return err_set(err, -E2BIG,
		"the request is too large (%zu KiB of %d): is the environment that large? Its "
		"largest variable is %s (%zu KiB): unset what the jobs do not need",
		strlen(request) / 1024, LINE_LIMIT / 1024, largest, most / 1024);
}

int connection_call(struct connection *connection, const char *method, json_t *params,
	notification_fn fn, void *arg, json_t **ret_result, struct refusal *refusal,
	struct err *err)
{
	json_int_t id = ++connection->last_id;
	_cleanup_free_ char *request = rpc_format_request(id, method, params);
	bool greeting = strcmp(method, "hello") == 0;
	bool exact = connection->exact || is_exact(method);
	int64_t begin_ms = clock_now_ms();
	int status = 0;
	size_t length;
	char *line;
	int r;

	if (strlen(request) >= LINE_LIMIT)
		return too_large(request, err);
	r = channel_write(&connection->channel, request, strlen(request), err);
	if (r < 0)
		return r;
	for (;;) {
		while ((line = line_reader_next(&connection->reader, &length))) {
			r = handle_line(line, length, id, exact, fn, arg, ret_result, refusal,
				&status, err);
			if (r != 0)
				return r < 0 ? r : compare(connection, refusal, status, err);
		}
		r = wait_and_read(connection, fn ? TICK_MS : greeting ? GREETING_MS : -1, err);
		if (r < 0)
			return r;
		if (r == 0 && greeting && clock_now_ms() - begin_ms >= GREETING_MS)
			return no_greeting(connection, err);
		if (r == 0 && fn && !fn(arg, NULL, NULL))
			return -EINTR;
	}
}

int connection_listen(
	struct connection *connection, notification_fn fn, void *arg, struct err *err)
{
	struct refusal refusal = {0};
	json_t *result = NULL;
	int status = 0, r;
	size_t length;
	char *line;

	for (;;) {
		while ((line = line_reader_next(&connection->reader, &length))) {
			/* No request has the id 0, so only notifications are handled. */
			r = handle_line(line, length, 0, connection->exact, fn, arg, &result,
				&refusal, &status, err);
			if (r != 0)
				return r < 0 ? 0 : status;
		}
		r = wait_and_read(connection, TICK_MS, err);
		if (r < 0)
			return r;
		if (r == 0 && !fn(arg, NULL, NULL))
			return 0;
	}
}
