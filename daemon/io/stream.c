/* stream.c: a connection that carries lines, buffered both ways, inside the event loop. */
#include "daemon/io/stream.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/line.h"
#include "common/secure.h"
#include "daemon/io/loop.h"

/* More than this, and than twice the longest message so far, does not wait for the other side. */
#define OUTPUT_LIMIT (8 * 1024 * 1024)

struct stream {
	struct bufferevent *bev;
	struct event *overflow; /* calls closed() in a later turn */
	const struct stream_ops *ops;
	void *owner;
	size_t limit;	/* of a line, in bytes */
	size_t longest; /* message that was sent, in bytes */
	bool calling;	/* inside a callback: the memory must stay */
	bool dead;	/* destroyed meanwhile */
};

static void release(struct stream *stream)
{
	event_free(stream->overflow);
	bufferevent_free(stream->bev);
	free(stream);
}

static void tell_closed(struct stream *stream, const char *why)
{
	bufferevent_disable(stream->bev, EV_READ | EV_WRITE);
	stream->calling = true;
	stream->ops->closed(stream->owner, why);
	stream->calling = false;
	if (stream->dead)
		release(stream);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct stream *stream = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	char *line, why[64];
	size_t length;

	stream->calling = true;
	while (!stream->dead && (line = evbuffer_readln(input, &length, EVBUFFER_EOL_LF))) {
		stream->ops->line(stream->owner, line, length);
		free(line);
	}
	stream->calling = false;
	if (stream->dead) {
		release(stream);
	} else if (evbuffer_get_length(input) >= stream->limit) {
		snprintf(why, sizeof(why), "a line is longer than %zu KiB",
			stream->limit / 1024);
		tell_closed(stream, why);
	}
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	int code = EVUTIL_SOCKET_ERROR();
	unsigned long tls_code = bufferevent_get_openssl_error(bev);

	if (what & BEV_EVENT_EOF)
		tell_closed(arg, "closed by the other side");
	else if (what & BEV_EVENT_ERROR)
		tell_closed(arg, tls_code ? secure_text(tls_code) : strerror(code));
}

static void on_overflow(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tell_closed(arg, "the other side does not read");
}

struct stream *stream_create(
	struct loop *loop, int fd, const struct stream_ops *ops, void *owner)
{
	evutil_make_socket_nonblocking(fd);
	return stream_adopt(loop,
		bufferevent_socket_new(loop_base(loop), fd, BEV_OPT_CLOSE_ON_FREE), ops, owner);
}

struct stream *stream_adopt(struct loop *loop, struct bufferevent *connection,
	const struct stream_ops *ops, void *owner)
{
	struct stream *stream = xcalloc(1, sizeof(*stream));

	stream->ops = ops;
	stream->owner = owner;
	stream->overflow = evtimer_new(loop_base(loop), on_overflow, stream);
	stream->bev = connection;
	if (!stream->bev || !stream->overflow)
		abort(); /* only if memory is exhausted */
	bufferevent_setcb(stream->bev, on_read, NULL, on_event, stream);
	stream_set_limit(stream, LINE_LIMIT);
	if (evbuffer_get_length(bufferevent_get_input(stream->bev)) > 0)
		/* Bytes that were read before. */
		bufferevent_trigger(stream->bev, EV_READ, BEV_OPT_DEFER_CALLBACKS);
	bufferevent_enable(stream->bev, EV_READ | EV_WRITE);
	return stream;
}

void stream_set_limit(struct stream *stream, size_t bytes)
{
	stream->limit = bytes;
	bufferevent_setwatermark(stream->bev, EV_READ, 0, bytes + 1);
}

void stream_send(struct stream *stream, const char *text)
{
	struct evbuffer *output = bufferevent_get_output(stream->bev);
	size_t length = strlen(text), waits = evbuffer_get_length(output);

	if (stream->dead)
		return;
	if (length > stream->longest)
		stream->longest = length;
	if (waits > OUTPUT_LIMIT && waits > 2 * stream->longest) {
		struct timeval now = {0, 0};

		evtimer_add(stream->overflow, &now);
		return;
	}
	evbuffer_add(output, text, length);
	evbuffer_add(output, "\n", 1);
}

void stream_send_take(struct stream *stream, char *text)
{
	stream_send(stream, text);
	free(text);
}

static long write_some(struct stream *stream, struct evbuffer *output)
{
	struct ssl_st *session = bufferevent_openssl_get_ssl(stream->bev);
	long n;

	if (!session)
		return evbuffer_write(output, bufferevent_getfd(stream->bev));
	/* OpenSSL forbids repeating a failed write with fewer bytes, so offer all of them. */
	n = secure_write(session, evbuffer_pullup(output, -1), evbuffer_get_length(output));
	if (n > 0)
		evbuffer_drain(output, (size_t)n);
	return n;
}

void stream_flush(struct stream *stream)
{
	struct evbuffer *output = bufferevent_get_output(stream->bev);

	evbuffer_unfreeze(output, 1);
	while (evbuffer_get_length(output) > 0 && write_some(stream, output) > 0)
		;
}

struct stream *stream_destroy(struct stream *stream)
{
	if (!stream)
		return NULL;
	if (stream->calling)
		stream->dead = true;
	else
		release(stream);
	return NULL;
}
