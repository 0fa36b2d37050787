/* reach.h: the way to dracod: a socket of this host, or a port of the one where it runs. */
#ifndef DRACO_CLIENT_REACH_H
#define DRACO_CLIENT_REACH_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct paths;
struct secure;
struct ssl_st;

struct channel {
	int fd;
	struct secure *secure; /* NULL: a socket of this host */
	struct ssl_st *session;
};

#define CHANNEL_INIT     \
	{                \
		.fd = -1 \
	}

/* Connect to the dracod of these paths, and be sure that it is this user's (trust.h): nothing has been sent
 * before. 0; -ENOENT when none runs; -EPERM, with err, when somebody else serves in its place, or could have
 * written where it is; -EBADMSG, with err, when what it left is damaged; -EHOSTUNREACH, with err, when it runs,
 * on another host and cannot be reached from here; -ENOTCONN, with err, when it has no cluster there, or has
 * ended there; another negative errno with err. */
int channel_open(struct channel *channel, const struct paths *paths, struct err *err);
void channel_close(struct channel *channel);

/* Write text and a newline, completely, waiting as needed: 0, or a negative errno with err. */
int channel_write(struct channel *channel, const char *text, size_t length, struct err *err);

/* Is there something to read? Waits for timeout_ms (-1: without end), or until a signal comes. */
bool channel_wait(struct channel *channel, int timeout_ms);

/* For line_reader_fill_by(); arg is the channel. */
long channel_read(void *arg, char *bytes, size_t size);

#endif
