/* line.c: splits a stream of bytes into lines, with a limit. */
#include "common/line.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/alloc.h"

#define READ_AHEAD 16384

void line_reader_finish(struct line_reader *reader)
{
	free(reader->buffer);
	*reader = (struct line_reader){.limit = reader->limit};
}

char *line_reader_next(struct line_reader *reader, size_t *ret_length)
{
	size_t rest = reader->used - reader->parsed;
	char *line, *newline;

	if (!reader->buffer)
		return NULL;
	line = reader->buffer + reader->parsed;
	newline = memchr(line + reader->scanned, '\n', rest - reader->scanned);
	reader->scanned = newline ? 0 : rest;
	if (!newline)
		return NULL;
	*newline = '\0';
	reader->parsed = (size_t)(newline + 1 - reader->buffer);
	if (ret_length)
		*ret_length = (size_t)(newline - line);
	return line;
}

/* Make room for READ_AHEAD bytes, and for as many that a read leaves of a line: else each read
 * behind such a rest would move the buffer. It doubles, so that a long line is rarely moved. */
static void make_room(struct line_reader *reader, size_t limit)
{
	if (reader->size - reader->used >= READ_AHEAD)
		return;
	reader->size = reader->used + 2 * READ_AHEAD;
	if (reader->size < 2 * reader->used)
		reader->size = 2 * reader->used;
	if (reader->size > limit + READ_AHEAD)
		reader->size = limit + READ_AHEAD;
	reader->buffer = xrealloc(reader->buffer, reader->size);
}

long line_reader_fill_by(struct line_reader *reader,
	long (*read_fn)(void *arg, char *bytes, size_t size), void *arg)
{
	size_t limit = reader->limit ? reader->limit : LINE_LIMIT, room;
	long n;

	if (reader->parsed > 0) {
		reader->used -= reader->parsed;
		memmove(reader->buffer, reader->buffer + reader->parsed, reader->used);
		reader->parsed = 0;
	}
	if (reader->used >= limit)
		return -EMSGSIZE;
	make_room(reader, limit);
	room = reader->size - reader->used;
	if (room > limit - reader->used)
		room = limit - reader->used;
	n = read_fn(arg, reader->buffer + reader->used, room);
	if (n > 0)
		reader->used += (size_t)n;
	return n;
}

long line_read_fd(void *arg, char *bytes, size_t size)
{
	const int *fd = arg;
	ssize_t n;

	do
		n = read(*fd, bytes, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

long line_reader_fill(struct line_reader *reader, int fd)
{
	return line_reader_fill_by(reader, line_read_fd, &fd);
}

int line_write(int fd, const char *text, size_t length)
{
	struct iovec part[2] = {
		{.iov_base = UNCONST(text), .iov_len = length},
		{.iov_base = (char[]){'\n'}, .iov_len = 1},
	};
	struct msghdr message = {.msg_iov = part, .msg_iovlen = 2};

	while (part[0].iov_len + part[1].iov_len > 0) {
		ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			struct pollfd ready = {.fd = fd, .events = POLLOUT};

			poll(&ready, 1, -1);
			continue;
		}
		if (n < 0)
			return -errno;
		for (int i = 0; i < 2; i++) {
			size_t taken =
				(size_t)n < part[i].iov_len ? (size_t)n : part[i].iov_len;

			part[i].iov_base = (char *)part[i].iov_base + taken;
			part[i].iov_len -= taken;
			n -= (ssize_t)taken;
		}
	}
	return 0;
}
