/* line.h: lines out of a stream of bytes, with a limit. For the programs without an event loop
 * (dracoctl, draco-slurm); the daemon's streams do the same inside libevent. */
#ifndef DRACO_COMMON_LINE_H
#define DRACO_COMMON_LINE_H

#include <stddef.h>

struct err;

/* The longest message of any of draco's protocols, with its newline; only an answer of
 * draco-slurm, which may list a whole queue, is longer. */
#define LINE_LIMIT (512 * 1024)

struct line_reader {
	char *buffer;
	size_t used;   /* bytes in the buffer */
	size_t parsed; /* bytes of it that earlier calls handed out */
	size_t size;
};

#define LINE_READER_INIT      \
	{                     \
		NULL, 0, 0, 0 \
	}

void line_reader_finish(struct line_reader *reader);

/* The next whole line, without its newline and ended by NUL, valid until the next call on reader;
 * NULL when none is complete. ret_length may be NULL. */
char *line_reader_next(struct line_reader *reader, size_t *ret_length);

/* Read what fd has, once. Returns the bytes read, 0 at the end of the stream, -EAGAIN, -EMSGSIZE
 * when a line passes LINE_LIMIT, or another negative errno. */
long line_reader_fill(struct line_reader *reader, int fd);

/* As line_reader_fill(), by a function that reads as read(2) does, but returns negative errnos. */
long line_reader_fill_by(struct line_reader *reader,
	long (*read_fn)(void *arg, char *bytes, size_t size), void *arg);

long line_read_fd(void *arg, char *bytes, size_t size); /* arg: int * */

/* Write text (length bytes) and a newline to fd, completely, waiting as needed. */
int line_write(int fd, const char *text, size_t length);

#endif
