/* seek.h: finds the dracod of a name: whether it lives, and how to connect to it. */
#ifndef DRACO_CLIENT_SEEK_H
#define DRACO_CLIENT_SEEK_H

#include <stdbool.h>

struct channel;
struct err;
struct paths;

/* Connect to the dracod of these paths by its socket, otherwise by its port. 0.
 *
 * -ENOENT: none runs. If err is not empty, one has ended on another host and left a cluster.
 *
 * -EHOSTUNREACH with err: it runs and cannot be reached from here. -ENOTCONN with err: the same,
 * and it has no cluster. -EPERM or -EBADMSG with err: its files cannot be trusted. Otherwise -errno
 * with err. */
int seek_dracod(struct channel *channel, const struct paths *paths, struct err *err);

/* Has a dracod of these paths been killed on this host? Only after it cannot be reached. */
bool seek_was_killed(const struct paths *paths);

/* Has a dracod of these paths been killed on this host, or left, while its cluster was up? Then a
 * new one goes on with that cluster. Only after seek_dracod() has found that none runs. */
bool seek_left_cluster(const struct paths *paths);

#endif
