/* seek.h: finding the dracod of a name: whether it lives, and a way to it. */
#ifndef DRACO_CLIENT_SEEK_H
#define DRACO_CLIENT_SEEK_H

struct channel;
struct err;
struct paths;

/* Connect to the dracod of these paths: by its socket, else by its port, from wherever this is.
 * 0; -ENOENT when none runs: then err tells, unless it is empty, of one that ended on another
 * host and left a cluster; -EHOSTUNREACH, with err, when it runs and cannot be reached from
 * here; -ENOTCONN, with err, when it has no cluster, besides; -EPERM or -EBADMSG, with err,
 * when what it left cannot be believed; another negative errno with err. */
int seek_dracod(struct channel *channel, const struct paths *paths, struct err *err);

#endif
