/* sockets.h: in which directory dracod's sockets are, and that they stay there: what removes a
 * runtime directory (the end of a login session, a cleaner of /tmp) must not cut dracod off. */
#ifndef DRACO_DAEMON_IO_SOCKETS_H
#define DRACO_DAEMON_IO_SOCKETS_H

#include <stdbool.h>

struct err;
struct loop;
struct paths;
struct sockets;

struct sockets_ops {
	/* Are the sockets where paths says? */
	bool (*are_there)(void *arg);
	/* Listen anew, where paths says. 0, or a negative errno with err. */
	int (*listen)(void *arg, struct err *err);
	/* All is well, perhaps again: paths may have changed. Called now and then. */
	void (*well)(void *arg, bool again);
};

/* Choose and make the directory, and set it in paths, which must live on. former is the socket
 * of an earlier dracod of this name on this host, or NULL. NULL with err. */
struct sockets *sockets_create(struct loop *loop, struct paths *paths, const char *former,
	const struct sockets_ops *ops, void *arg, struct err *err);

/* The sockets are made: see that they stay. */
void sockets_watch(struct sockets *sockets);

/* After the sockets themselves. Returns NULL. */
struct sockets *sockets_destroy(struct sockets *sockets);

#endif
