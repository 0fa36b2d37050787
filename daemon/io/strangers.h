/* strangers.h: connections to dracod's port that have not shown the certificate yet. */
#ifndef DRACO_DAEMON_IO_STRANGERS_H
#define DRACO_DAEMON_IO_STRANGERS_H

#include "daemon/io/remote.h"

struct admission;
struct knock_key;
struct secure;
struct sockaddr_in;
struct strangers;

/* fn gets each connection that has shown the certificate. All arguments must outlive the result,
 * except key, which is copied. */
struct strangers *strangers_create(struct loop *loop, struct admission *admission,
	const struct secure *secure, const struct knock_key *key, remote_fn fn, void *arg);

/* Look at a new connection, and take its socket fd over. This call closes most connections of a
 * flood. */
void strangers_take(struct strangers *strangers, int fd, const struct sockaddr_in *peer);

/* Drop all connections that have sent nothing yet, because descriptors are exhausted. */
void strangers_forget_silent(struct strangers *strangers);

/* Drops all connections, except those that fn has got. Returns NULL. */
struct strangers *strangers_destroy(struct strangers *strangers);

#endif
