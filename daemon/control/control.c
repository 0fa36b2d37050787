/* control.c: the connected clients, by the control socket or from other hosts. */
#include "daemon/control/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/log.h"
#include "common/queue.h"
#include "common/rpc.h"
#include "daemon/io/listener.h"
#include "daemon/io/loop.h"
#include "daemon/io/stream.h"

#define CLIENTS_MAX 256

struct client {
	TAILQ_ENTRY(client) link; /* control.clients */
	struct control *control;
	struct stream *stream;
	char who[64];	  /* for the log: its process, or from where it has connected */
	char program[32]; /* "": not known */
	bool greeted;
};

struct control {
	struct loop *loop;
	struct listener *listener;
	struct listener *passed; /* by the service manager; NULL: none */
	TAILQ_HEAD(, client) clients;
	int count;
	const struct control_ops *ops;
	void *arg;
};

static void client_free(struct client *client)
{
	TAILQ_REMOVE(&client->control->clients, client, link);
	client->control->count--;
	stream_destroy(client->stream);
	free(client);
}

static void on_closed(void *owner, const char *why)
{
	struct client *client = owner;

	log_debug("client %s: gone: %s", client->who, why);
	client->control->ops->gone(client->control->arg, client);
	client_free(client);
}

static void on_line(void *owner, char *line, size_t length)
{
	struct client *client = owner;
	struct rpc_message message;
	struct err err = ERR_INIT;
	int r = rpc_parse(line, length, &message, &err);

	if (r < 0)
		client_refuse(client, message.id,
			message.root ? RPC_INVALID_REQUEST : RPC_PARSE_ERROR, err.text, NULL);
	else if (message.kind == RPC_REQUEST || message.kind == RPC_NOTIFICATION)
		client->control->ops->request(client->control->arg, client, &message);
	rpc_message_finish(&message);
}

static const struct stream_ops stream_ops = {on_line, on_closed};

/* Too many clients are connected. Disconnect the oldest that has not said hello yet. If there is
 * none, disconnect the new one: the others may be in the middle of their work. */
static void make_room(struct control *control, struct client *new_client)
{
	struct client *client;
	_cleanup_free_ char *text = NULL;

	TAILQ_FOREACH (client, &control->clients, link)
		if (!client->greeted && client != new_client)
			break;
	if (client) {
		log_warning("client %s: rejected: it has not said hello, and %d others are "
			    "connected",
			client->who, CLIENTS_MAX);
		client_free(client);
		return;
	}
	log_warning(
		"client %s: rejected: %d others are connected", new_client->who, CLIENTS_MAX);
	text = xasprintf("dracod has %d connections, which is the limit", CLIENTS_MAX);
	client_refuse(new_client, NULL, RPC_FAILED, text, NULL);
	stream_flush(new_client->stream);
	client_free(new_client);
}

/* Serve a new client. connection NULL: it is connected by the socket fd. */
static void admit(
	struct control *control, int fd, struct bufferevent *connection, const char *who)
{
	struct client *client = xcalloc(1, sizeof(*client));

	client->control = control;
	snprintf(client->who, sizeof(client->who), "%s", who);
	client->stream = connection
		? stream_adopt(control->loop, connection, &stream_ops, client)
		: stream_create(control->loop, fd, &stream_ops, client);
	TAILQ_INSERT_TAIL(&control->clients, client, link);
	control->count++;
	log_debug("client %s: connected", who);
	if (control->count > CLIENTS_MAX)
		make_room(control, client);
}

static void on_connect(void *arg, int fd, pid_t pid)
{
	char who[32];

	snprintf(who, sizeof(who), "%d", (int)pid);
	admit(arg, fd, NULL, who);
}

void control_serve(struct control *control, int fd, const char *who)
{
	admit(control, fd, NULL, who);
}

void control_admit(struct control *control, struct bufferevent *connection, const char *who)
{
	admit(control, -1, connection, who);
}

struct control *control_create(struct loop *loop, const char *path,
	const struct control_ops *ops, void *arg, struct err *err)
{
	struct control *control = xcalloc(1, sizeof(*control));

	control->loop = loop;
	control->ops = ops;
	control->arg = arg;
	TAILQ_INIT(&control->clients);
	control->listener = listener_create(loop, path, on_connect, control, err);
	if (!control->listener)
		return control_destroy(control);
	return control;
}

void control_listen_too(struct control *control, int fd)
{
	listener_destroy(control->passed);
	control->passed = listener_adopt(control->loop, fd, on_connect, control);
}

bool control_is_there(const struct control *control)
{
	return listener_is_there(control->listener);
}

int control_move(struct control *control, const char *path, struct err *err)
{
	return listener_move(control->listener, path, err);
}

struct control *control_destroy(struct control *control)
{
	if (!control)
		return NULL;
	listener_destroy(control->listener);
	listener_destroy(control->passed);
	while (!TAILQ_EMPTY(&control->clients))
		client_free(TAILQ_FIRST(&control->clients));
	free(control);
	return NULL;
}

int control_count(const struct control *control)
{
	return control->count;
}

void control_close(struct control *control)
{
	if (!control)
		return;
	control->listener = listener_destroy(control->listener);
	control->passed = listener_destroy(control->passed);
}

void control_flush(struct control *control)
{
	struct client *client;

	if (!control)
		return;
	TAILQ_FOREACH (client, &control->clients, link)
		stream_flush(client->stream);
}

bool client_has_greeted(const struct client *client)
{
	return client->greeted;
}

void client_set_greeted(struct client *client)
{
	client->greeted = true;
}

void client_set_program(struct client *client, const char *program)
{
	snprintf(client->program, sizeof(client->program), "%s", program);
}

const char *client_program(const struct client *client)
{
	return client->program;
}

char *client_describe(const struct client *client)
{
	bool is_process = client->who[strspn(client->who, "0123456789")] == '\0';

	return xasprintf("%s (%s %s)", client->program[0] ? client->program : "a client",
		is_process ? "process" : "from", client->who);
}

void client_reply(struct client *client, const json_t *id, json_t *result)
{
	stream_send_take(client->stream, rpc_format_result(id, result));
}

void client_refuse(
	struct client *client, const json_t *id, int code, const char *text, json_t *data)
{
	stream_send_take(client->stream, rpc_format_error(id, code, text, data));
}

void client_notify(struct client *client, const char *method, json_t *params)
{
	stream_send_take(client->stream, rpc_format_notification(method, params));
}
