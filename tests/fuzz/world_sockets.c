/* world_sockets.c: the connections to a dracod without the world around it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/queue.h"
#include "common/rpc.h"
#include "daemon/io/listener.h"
#include "daemon/io/stream.h"
#include "fuzz.h"
#include "world.h"

#define LISTENERS 2

struct listener {
	char *path; /* NULL: not there */
	listener_fn fn;
	void *arg;
};

struct stream {
	TAILQ_ENTRY(stream) link; /* streams */
	struct listener *listener;
	const struct stream_ops *ops;
	void *owner;
	bool calling, dead;
};

struct request {
	TAILQ_ENTRY(request) link; /* requests */
	json_int_t id;
	char *method;
	json_t *params;
};

unsigned world_refusals;

static struct listener listeners[LISTENERS];
static struct listener *connecting; /* whose new connection is being made */
static TAILQ_HEAD(, stream) streams = TAILQ_HEAD_INITIALIZER(streams);
static TAILQ_HEAD(, request) requests = TAILQ_HEAD_INITIALIZER(requests);

struct listener *__wrap_listener_create(
	struct loop *loop, const char *path, listener_fn fn, void *arg, struct err *err);
struct listener *__wrap_listener_destroy(struct listener *listener);
struct stream *__wrap_stream_create(
	struct loop *loop, int fd, const struct stream_ops *ops, void *owner);
void __wrap_stream_send_take(struct stream *stream, char *text);
void __wrap_stream_flush(struct stream *stream);
struct stream *__wrap_stream_destroy(struct stream *stream);

struct listener *__wrap_listener_create(
	struct loop *loop, const char *path, listener_fn fn, void *arg, struct err *err)
{
	struct listener *listener = listeners;

	(void)loop;
	(void)err;
	while (listener->path)
		listener++;
	fuzz_require(listener < listeners + LISTENERS);
	*listener = (struct listener){xstrdup(path), fn, arg};
	return listener;
}

struct listener *__wrap_listener_destroy(struct listener *listener)
{
	if (listener) {
		free(listener->path);
		*listener = (struct listener){0};
	}
	return NULL;
}

struct stream *__wrap_stream_create(
	struct loop *loop, int fd, const struct stream_ops *ops, void *owner)
{
	struct stream *stream = xcalloc(1, sizeof(*stream));

	(void)loop;
	(void)fd;
	stream->listener = connecting;
	stream->ops = ops;
	stream->owner = owner;
	TAILQ_INSERT_TAIL(&streams, stream, link);
	return stream;
}

/* Whatever is sent can be read. Requests are kept for world_take_request(). */
void __wrap_stream_send_take(struct stream *stream, char *text)
{
	struct rpc_message message;
	struct request *request;

	fuzz_require(!strchr(text, '\n'));
	fuzz_require(rpc_parse(text, strlen(text), &message, NULL) == 0);
	if (message.kind == RPC_REQUEST) {
		request = xcalloc(1, sizeof(*request));
		request->id = json_integer_value(message.id);
		request->method = xstrdup(message.method);
		request->params = json_incref(message.params);
		TAILQ_INSERT_TAIL(&requests, request, link);
		world_deeds++;
	} else if (message.kind == RPC_ERROR && stream->listener &&
		strcmp(stream->listener->path, WORLD_DASK) == 0) {
		world_refusals++;
	}
	rpc_message_finish(&message);
	free(text);
}

void __wrap_stream_flush(struct stream *stream)
{
	(void)stream;
}

static void release(struct stream *stream)
{
	TAILQ_REMOVE(&streams, stream, link);
	free(stream);
}

struct stream *__wrap_stream_destroy(struct stream *stream)
{
	if (stream && stream->calling)
		stream->dead = true;
	else if (stream)
		release(stream);
	return NULL;
}

static struct listener *find_listener(const char *path)
{
	for (struct listener *l = listeners; l < listeners + LISTENERS; l++)
		if (l->path && strcmp(l->path, path) == 0)
			return l;
	return NULL;
}

/* The peer with this number, from 0, the oldest; NULL: there are not so many. */
static struct stream *find_stream(const struct listener *listener, size_t peer)
{
	struct stream *stream;

	TAILQ_FOREACH (stream, &streams, link)
		if (stream->listener == listener && peer-- == 0)
			return stream;
	return NULL;
}

size_t world_peers(const char *path)
{
	const struct listener *listener = find_listener(path);
	size_t count = 0;

	while (find_stream(listener, count))
		count++;
	return count;
}

bool world_connect(const char *path)
{
	connecting = find_listener(path);
	if (connecting)
		connecting->fn(connecting->arg, -1, WORLD_PID);
	return connecting != NULL;
}

void world_say(const char *path, size_t peer, const char *line, size_t length)
{
	struct stream *stream = find_stream(find_listener(path), peer);
	char *copy;

	if (!stream)
		return;
	copy = fuzz_text((const uint8_t *)line, length);
	stream->calling = true;
	stream->ops->line(stream->owner, copy, length);
	stream->calling = false;
	if (stream->dead)
		release(stream);
	free(copy);
}

bool world_hang_up(const char *path, size_t peer, const char *why)
{
	struct stream *stream = find_stream(find_listener(path), peer);

	if (!stream)
		return false;
	stream->calling = true;
	stream->ops->closed(stream->owner, why);
	stream->calling = false;
	fuzz_require(stream->dead); /* as stream.h asks for */
	release(stream);
	return true;
}

const char *world_request(const json_t **ret_params)
{
	struct request *request = TAILQ_FIRST(&requests);

	if (!request)
		return NULL;
	*ret_params = request->params;
	return request->method;
}

json_int_t world_take_request(void)
{
	struct request *request = TAILQ_FIRST(&requests);
	json_int_t id = request ? request->id : 0;

	if (request) {
		TAILQ_REMOVE(&requests, request, link);
		free(request->method);
		json_decref(request->params);
	}
	free(request);
	return id;
}

void world_reset_sockets(void)
{
	while (!TAILQ_EMPTY(&streams))
		release(TAILQ_FIRST(&streams));
	while (world_take_request())
		;
	for (int i = 0; i < LISTENERS; i++)
		__wrap_listener_destroy(&listeners[i]);
}
