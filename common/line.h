/* line.h: splits a stream of bytes into lines, with a limit. For programs without an event loop
 * (dracoctl, draco-slurm); the daemon's streams do the same inside libevent. */
#ifndef DRACO_COMMON_LINE_H
#define DRACO_COMMON_LINE_H

#include <stddef.h>

struct err;

/* The longest request to dracod or to its scheduler's preload, with its newline. */
#define LINE_LIMIT (512 * 1024)

/* The longest message of dracod to a client, and between dracod and draco-slurm: it may contain a
 * queue of 100,000 jobs. */
#define ANSWER_LIMIT (64 * 1024 * 1024)

struct line_reader {
	char *buffer;
	size_t used;	/* bytes in the buffer */
	size_t parsed;	/* bytes of those that earlier calls have returned */
	size_t scanned; /* bytes of the rest that hold no newline */
	size_t size;
	size_t limit; /* of a line, in bytes; 0: LINE_LIMIT */
};

#define LINE_READER_INIT   \
	{                  \
		.limit = 0 \
	}

/* Reads lines of up to ANSWER_LIMIT. */
#define LINE_READER_INIT_ANSWERS      \
	{                             \
		.limit = ANSWER_LIMIT \
	}

void line_reader_finish(struct line_reader *reader);

/* The next complete line, ended by NUL instead of its newline; NULL: none is complete. It is valid
 * until the next call with this reader. ret_length may be NULL. */
char *line_reader_next(struct line_reader *reader, size_t *ret_length);

/* Read from fd once. Returns the number of bytes; 0: the end of the stream; -EAGAIN; -EMSGSIZE: a
 * line is longer than the limit; or another -errno. */
long line_reader_fill(struct line_reader *reader, int fd);

/* As line_reader_fill(), but read by read_fn, which works like read(2) and returns -errno. */
long line_reader_fill_by(struct line_reader *reader,
	long (*read_fn)(void *arg, char *bytes, size_t size), void *arg);

long line_read_fd(void *arg, char *bytes, size_t size); /* arg: int * */

/* Write text (length bytes) and a newline to fd, and wait until all is written. 0 or -errno. */
int line_write(int fd, const char *text, size_t length);

#endif
