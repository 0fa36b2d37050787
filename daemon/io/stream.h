/* stream.h: a connection that carries lines, buffered both ways, inside the event loop. */
#ifndef DRACO_DAEMON_IO_STREAM_H
#define DRACO_DAEMON_IO_STREAM_H

#include <stddef.h>

struct bufferevent;
struct loop;
struct stream;

struct stream_ops {
	/* One line, ended by NUL instead of its newline, valid during the call. */
	void (*line)(void *owner, char *line, size_t length);
	/* The connection ended, for the reason in why; it is to be destroyed. Not called by
	 * stream_destroy(). */
	void (*closed)(void *owner, const char *why);
};

/* Take over fd, a connected stream socket. ops are called from the loop only. */
struct stream *stream_create(
	struct loop *loop, int fd, const struct stream_ops *ops, void *owner);

/* As stream_create(), of a connection of libevent's that is made already. */
struct stream *stream_adopt(struct loop *loop, struct bufferevent *connection,
	const struct stream_ops *ops, void *owner);

/* Take lines of up to so many bytes, instead of LINE_LIMIT. */
void stream_set_limit(struct stream *stream, size_t bytes);

/* Send text (copied) and a newline. When the other side does not read for megabytes the stream
 * is closed, which closed() tells in a later turn. */
void stream_send(struct stream *stream, const char *text);

/* As stream_send(), for a text that this call frees. */
void stream_send_take(struct stream *stream, char *text);

/* Write at once what can be written without waiting: before the process ends. */
void stream_flush(struct stream *stream);

/* Also from inside its own callbacks. Returns NULL. */
struct stream *stream_destroy(struct stream *stream);

#endif
