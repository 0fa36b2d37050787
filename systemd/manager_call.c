/* manager_call.c: calls of the bus that are answered later.
 *
 * A call is a program at the control socket: it has a connection of its own, says hello, and sends
 * one request. So checks, answers and errors are the same as there. */
#include "systemd/manager_call.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/home.h"
#include "common/inheritance.h"
#include "common/json.h"
#include "common/queue.h"
#include "common/rpc.h"
#include "daemon/io/stream.h"
#include "systemd/bus_json.h"
#include "systemd/names.h"

#define CALLS_MAX    64
#define HELLO_ID     1
#define REQUEST_ID   2
#define ANSWER_LIMIT (16 * 1024 * 1024)

struct call {
	TAILQ_ENTRY(call) link; /* manager_calls.list */
	struct manager_calls *calls;
	sd_bus_message *message;
	struct stream *stream; /* NULL: it waits for the bus */
	sd_bus_slot *slot;
	int method;
	bool wait; /* a start: answer when the cluster is usable, not when it begins */
};

struct manager_calls {
	struct loop *loop;
	int count;
	TAILQ_HEAD(, call) list;
};

static void call_free(struct call *call)
{
	TAILQ_REMOVE(&call->calls->list, call, link);
	call->calls->count--;
	stream_destroy(call->stream);
	sd_bus_slot_unref(call->slot);
	sd_bus_message_unref(call->message);
	free(call);
}

static struct call *call_create(struct manager_calls *calls, sd_bus_message *message)
{
	struct call *call = xcalloc(1, sizeof(*call));

	call->calls = calls;
	call->message = sd_bus_message_ref(message);
	TAILQ_INSERT_TAIL(&calls->list, call, link);
	calls->count++;
	return call;
}

static const char *error_name(int code)
{
	switch (code) {
	case RPC_INVALID_PARAMS:
		return SD_BUS_ERROR_INVALID_ARGS;
	case RPC_NOT_RUNNING:
		return "org.draco.Error.NotRunning";
	case RPC_CANCELLED:
		return "org.draco.Error.Cancelled";
	default:
		return "org.draco.Error.Failed";
	}
}

static void answer(const struct call *call, const json_t *result)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(call->message, &reply);

	if (r >= 0)
		r = bus_json_append(reply, result);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	if (r < 0)
		sd_bus_reply_method_errno(call->message, r, NULL);
}

static void on_line(void *owner, char *line, size_t length)
{
	struct call *call = owner;
	struct rpc_message message;
	struct err err = ERR_INIT;
	bool done = true;

	if (rpc_parse(line, length, &message, &err) < 0)
		sd_bus_reply_method_errorf(
			call->message, "org.draco.Error.Failed", "%s", err.text);
	else if (message.kind == RPC_ERROR)
		sd_bus_reply_method_errorf(
			call->message, error_name(message.code), "%s", message.text);
	else if (message.kind == RPC_RESULT && json_integer_value(message.id) == REQUEST_ID)
		answer(call, message.result);
	else if (message.kind == RPC_NOTIFICATION && !call->wait)
		answer(call, message.params); /* the start has begun */
	else
		done = false;
	rpc_message_finish(&message);
	if (done)
		call_free(call);
}

static void on_closed(void *owner, const char *why)
{
	struct call *call = owner;

	sd_bus_reply_method_errorf(call->message, "org.draco.Error.Failed", "%s", why);
	call_free(call);
}

static void set_variable(void *arg, const char *name, const char *value)
{
	json_object_set_new(arg, name, json_text(value));
}

/* The environment of jobs and scheduler, unless the caller gives one: that of this dracod. */
static json_t *own_environment(void)
{
	json_t *object = json_object();

	for (char **variable = environ; *variable; variable++) {
		_cleanup_free_ char *name = xstrndup(*variable, strcspn(*variable, "="));

		if (strchr(*variable, '='))
			json_object_set_new(
				object, name, json_text(*variable + strlen(name) + 1));
	}
	inheritance_collect(set_variable, object);
	return object;
}

static void complete_start(struct call *call, json_t *params)
{
	call->wait = json_is_true(json_object_get(params, "wait"));
	json_object_del(params, "wait");
	json_object_set_new(params, "progress", json_boolean(!call->wait));
	if (!json_object_get(params, "environment"))
		json_object_set_new(params, "environment", own_environment());
}

int manager_calls_request(
	struct manager_calls *calls, struct sd_bus_message *message, int method, int fd)
{
	static const struct stream_ops ops = {on_line, on_closed};
	_cleanup_close_ int connection = fd;
	json_t *params = NULL;
	struct call *call;
	int r;

	if (calls->count >= CALLS_MAX)
		return -EBUSY;
	r = bus_json_read(message, &params);
	if (r < 0)
		return r;
	call = call_create(calls, message);
	call->method = method;
	call->wait = true;
	if (method == RPC_START)
		complete_start(call, params);
	call->stream = stream_create(calls->loop, TAKE_FD(connection), &ops, call);
	stream_set_limit(call->stream, ANSWER_LIMIT);
	stream_send_take(call->stream,
		rpc_format_request(HELLO_ID, "hello",
			json_pack("{s:i, s:s, s:s}", "protocol", RPC_PROTOCOL, "version",
				PACKAGE_VERSION, "client", "bus")));
	stream_send_take(
		call->stream, rpc_format_request(REQUEST_ID, rpc_methods[method].name, params));
	return 1;
}

/* Append (cluster, name) for the names that dracods have. */
static int append_clusters(sd_bus_message *names, sd_bus_message *reply)
{
	int r = sd_bus_message_enter_container(names, 'a', "s");
	const char *name;

	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "(ss)");
	while (r >= 0 && (r = sd_bus_message_read_basic(names, 's', &name)) > 0) {
		_cleanup_free_ char *label = NULL, *cluster = NULL;

		if (strncmp(name, MANAGER_NAME ".", strlen(MANAGER_NAME ".")) != 0)
			continue;
		label = xasprintf("/%s", name + strlen(MANAGER_NAME "."));
		if (sd_bus_path_decode(label, "/", &cluster) > 0)
			r = sd_bus_message_append(reply, "(ss)", cluster, name);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int on_names(sd_bus_message *names, void *arg, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct call *call = arg;
	int r = -sd_bus_message_get_errno(names);

	(void)error;
	if (r == 0)
		r = sd_bus_message_new_method_return(call->message, &reply);
	if (r >= 0)
		r = append_clusters(names, reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	if (r < 0)
		sd_bus_reply_method_errno(call->message, r, NULL);
	call_free(call);
	return 0;
}

int manager_calls_list(struct manager_calls *calls, struct sd_bus_message *message)
{
	struct call *call;
	int r;

	if (calls->count >= CALLS_MAX)
		return -EBUSY;
	call = call_create(calls, message);
	r = sd_bus_call_method_async(sd_bus_message_get_bus(message), &call->slot,
		"org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
		"ListNames", on_names, call, NULL);
	if (r < 0)
		call_free(call);
	return r < 0 ? r : 1;
}

struct manager_calls *manager_calls_create(struct loop *loop)
{
	struct manager_calls *calls = xcalloc(1, sizeof(*calls));

	calls->loop = loop;
	TAILQ_INIT(&calls->list);
	return calls;
}

void manager_calls_drop(struct manager_calls *calls)
{
	while (!TAILQ_EMPTY(&calls->list))
		call_free(TAILQ_FIRST(&calls->list));
}

void manager_calls_end(struct manager_calls *calls)
{
	_cleanup_json_ json_t *nothing = json_object();
	const struct call *call;

	TAILQ_FOREACH (call, &calls->list, link)
		if (call->stream && call->method == RPC_SHUTDOWN)
			answer(call, nothing);
		else
			sd_bus_reply_method_errorf(
				call->message, "org.draco.Error.Cancelled", "dracod ends");
	manager_calls_drop(calls);
}

struct manager_calls *manager_calls_destroy(struct manager_calls *calls)
{
	if (calls)
		manager_calls_drop(calls);
	free(calls);
	return NULL;
}
