/* remote.h: a TCP port for this user's programs on other hosts. */
#ifndef DRACO_DAEMON_IO_REMOTE_H
#define DRACO_DAEMON_IO_REMOTE_H

struct bufferevent;
struct err;
struct loop;
struct remote;

/* A program has connected and has proved that it holds the certificate. The callee owns connection.
 * peer is "ADDRESS:PORT". */
typedef void (*remote_fn)(void *arg, struct bufferevent *connection, const char *peer);

/* Where to listen. */
struct remote_place {
	const char *address; /* IPv4 */
	int first, last;     /* the range of ports; 0: any */
	const char *name;    /* of the cluster: where the search in the range begins */
	int not_port;	     /* another server is about to use it */
	const char *certificate, *key;
};

/* Listen there. Clients that do not prove within 10 s that they hold the certificate and
 * its key are rejected. NULL on failure, with err. */
struct remote *remote_create(struct loop *loop, const struct remote_place *place, remote_fn fn,
	void *arg, struct err *err);

int remote_port(const struct remote *remote);

/* Stop listening. Connections that were handed over stay open. Returns NULL. */
struct remote *remote_destroy(struct remote *remote);

#endif
