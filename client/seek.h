/* seek.h: finds the dracod of a name: whether it lives, and how to connect to it. */
#ifndef DRACO_CLIENT_SEEK_H
#define DRACO_CLIENT_SEEK_H

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

#endif
