/* reach.h: the way to dracod: a socket of this host, or a port of the one where it runs. */
#ifndef DRACO_CLIENT_REACH_H
#define DRACO_CLIENT_REACH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct err;
struct secure;
struct ssl_st;

struct channel {
	int fd;
	struct secure *secure; /* NULL: a socket */
	struct ssl_st *session;
};

#define CHANNEL_INIT     \
	{                \
		.fd = -1 \
	}

/* Connect by a socket of this host, or by the port that is in connect, what connect.json says,
 * and be sure that it is this user's dracod (trust.h): nothing has been sent before. 0, or a
 * negative errno with err, where -ENOENT may have no text; channel_close() also then. seek.h
 * finds which. */
int channel_open_socket(struct channel *channel, const char *path, struct err *err);
int channel_open_port(struct channel *channel, const json_t *connect, struct err *err);
void channel_close(struct channel *channel);

/* Write text and a newline, completely, waiting as needed: 0, or a negative errno with err. */
int channel_write(struct channel *channel, const char *text, size_t length, struct err *err);

/* Is there something to read? Waits for timeout_ms (-1: without end), or until a signal comes. */
bool channel_wait(struct channel *channel, int timeout_ms);

/* For line_reader_fill_by(); arg is the channel. */
long channel_read(void *arg, char *bytes, size_t size);

#endif
