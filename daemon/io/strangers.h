/* strangers.h: who has connected to dracod's port, until the certificate was shown. */
#ifndef DRACO_DAEMON_IO_STRANGERS_H
#define DRACO_DAEMON_IO_STRANGERS_H

#include "daemon/io/remote.h"

struct admission;
struct knock_key;
struct secure;
struct sockaddr_in;
struct strangers;

/* fn gets those who have shown the certificate. All but arg must live on; key is copied. */
struct strangers *strangers_create(struct loop *loop, struct admission *admission,
	const struct secure *secure, const struct knock_key *key, remote_fn fn, void *arg);

/* Look at somebody who has connected by the socket fd, which is taken over: most of a flood is
 * closed in this call. */
void strangers_take(struct strangers *strangers, int fd, const struct sockaddr_in *peer);

/* Part from all who have not said anything yet: there are no more descriptors. */
void strangers_forget_silent(struct strangers *strangers);

/* Those who were handed over stay. Returns NULL. */
struct strangers *strangers_destroy(struct strangers *strangers);

#endif
