/* remote.h: a TCP port at which programs of this user connect from other hosts. */
#ifndef DRACO_DAEMON_IO_REMOTE_H
#define DRACO_DAEMON_IO_REMOTE_H

struct bufferevent;
struct err;
struct loop;
struct remote;

/* A program has connected and has shown the certificate; connection is the callee's from here
 * on. peer is "ADDRESS:PORT". */
typedef void (*remote_fn)(void *arg, struct bufferevent *connection, const char *peer);

/* Listen at the port of the IPv4 address; 0: at one that is free; never at not_port, which
 * somebody is about to use. Who does not show the certificate, with its key, is turned away,
 * and so is who does not do that within 10 s. NULL with err. */
struct remote *remote_create(struct loop *loop, const char *address, int port, int not_port,
	const char *certificate, const char *key, remote_fn fn, void *arg, struct err *err);

int remote_port(const struct remote *remote);

/* Listen no more. Those who were handed over stay. Returns NULL. */
struct remote *remote_destroy(struct remote *remote);

#endif
