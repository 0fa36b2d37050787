/* sockets.h: the directory of dracod's sockets, and the watch over them. The end of a login
 * session, or a cleaner of /tmp, may remove a runtime directory. That must not cut dracod off. */
#ifndef DRACO_DAEMON_IO_SOCKETS_H
#define DRACO_DAEMON_IO_SOCKETS_H

#include <stdbool.h>

struct err;
struct loop;
struct paths;
struct sockets;

struct sockets_ops {
	/* Are the sockets at the paths that paths names? */
	bool (*are_there)(void *arg);
	/* Listen again, at the paths that paths names. 0, or -errno with err. */
	int (*listen)(void *arg, struct err *err);
	/* The sockets exist. again: they were made again, and paths may have changed. Called
	 * regularly. */
	void (*well)(void *arg, bool again);
};

/* Choose and make the directory, and set it in paths, which must outlive the result. former: the
 * socket of an earlier dracod of this name on this host, or NULL. NULL with err. */
struct sockets *sockets_create(struct loop *loop, struct paths *paths, const char *former,
	const struct sockets_ops *ops, void *arg, struct err *err);

/* The sockets exist: watch over them from now on. */
void sockets_watch(struct sockets *sockets);

/* Call it after the sockets are destroyed. Returns NULL. */
struct sockets *sockets_destroy(struct sockets *sockets);

#endif
