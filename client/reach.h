/* reach.h: connects to dracod by a socket of this host, or by a port of dracod's host. */
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
	struct secure *secure; /* NULL: a Unix socket */
	struct ssl_st *session;
};

#define CHANNEL_INIT     \
	{                \
		.fd = -1 \
	}

/* Connect by a socket of this host, or by the port in connect, the content of connect.json. Both
 * check before they send anything that this user's dracod serves (trust.h). 0, or -errno with err;
 * with -ENOENT err may be empty. Call channel_close() in both cases. seek.h chooses between the
 * two. */
int channel_open_socket(struct channel *channel, const char *path, struct err *err);
int channel_open_port(struct channel *channel, const json_t *connect, struct err *err);
void channel_close(struct channel *channel);

/* Write text and a newline, and wait until all is written. 0, or -errno with err. */
int channel_write(struct channel *channel, const char *text, size_t length, struct err *err);

/* Wait for input, up to timeout_ms (-1: without limit), or until a signal. Returns whether there is
 * any. */
bool channel_wait(struct channel *channel, int timeout_ms);

/* A read_fn for line_reader_fill_by(). arg is the channel. */
long channel_read(void *arg, char *bytes, size_t size);

#endif
