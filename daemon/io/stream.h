/* stream.h: a connection that carries lines, buffered both ways, inside the event loop. */
#ifndef DRACO_DAEMON_IO_STREAM_H
#define DRACO_DAEMON_IO_STREAM_H

#include <stddef.h>

struct bufferevent;
struct loop;
struct stream;

struct stream_ops {
	/* One line has arrived. It ends with NUL instead of a newline and is valid during the
	 * call. */
	void (*line)(void *owner, char *line, size_t length);
	/* The connection has ended for the reason why; the owner must destroy it. stream_destroy()
	 * does not call this. */
	void (*closed)(void *owner, const char *why);
};

/* Take over fd, a connected stream socket. ops are only called from the loop. */
struct stream *stream_create(
	struct loop *loop, int fd, const struct stream_ops *ops, void *owner);

/* As stream_create(), for a bufferevent, which is taken over. */
struct stream *stream_adopt(struct loop *loop, struct bufferevent *connection,
	const struct stream_ops *ops, void *owner);

/* Accept lines of up to this many bytes, instead of LINE_LIMIT. */
void stream_set_limit(struct stream *stream, size_t bytes);

/* Send a copy of text, which may be longer than LINE_LIMIT, and a newline. If the peer does not
 * read and megabytes wait for it, the stream closes, and closed() follows in a later turn. */
void stream_send(struct stream *stream, const char *text);

/* As stream_send(), and free text. */
void stream_send_take(struct stream *stream, char *text);

/* Write pending output as far as that is possible without waiting, before the process ends. */
void stream_flush(struct stream *stream);

/* May be called from its own callbacks. Returns NULL. */
struct stream *stream_destroy(struct stream *stream);

#endif
