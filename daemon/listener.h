/* listener.h: a Unix socket that this user's programs connect to. */
#ifndef DRACO_DAEMON_LISTENER_H
#define DRACO_DAEMON_LISTENER_H

#include <sys/types.h>

struct err;
struct listener;
struct loop;

/* A program of this user has connected; fd is the callee's from here on. Programs of other users are
 * turned away before. */
typedef void (*listener_fn)(void *arg, int fd, pid_t pid);

/* Listen at path. Where something removes the socket (the end of a login session removes a whole
 * runtime directory) it is made again within half a minute. NULL with err. */
struct listener *listener_create(
	struct loop *loop, const char *path, listener_fn fn, void *arg, struct err *err);

/* Removes the socket, too. */
struct listener *listener_destroy(struct listener *listener);

#endif
