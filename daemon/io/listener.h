/* listener.h: a Unix socket that this user's programs connect to. */
#ifndef DRACO_DAEMON_IO_LISTENER_H
#define DRACO_DAEMON_IO_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

struct err;
struct listener;
struct loop;

/* A program of this user has connected; fd is the callee's from here on. Programs of other
 * users are turned away before. */
typedef void (*listener_fn)(void *arg, int fd, pid_t pid);

/* Listen at path. NULL with err. */
struct listener *listener_create(
	struct loop *loop, const char *path, listener_fn fn, void *arg, struct err *err);

/* Is the socket still at its path? */
bool listener_is_there(const struct listener *listener);

/* Listen at path, in place of the old one, whose programs are served; where it is there
 * already, nothing is done. 0, or a negative errno with err: then all is as before. */
int listener_move(struct listener *listener, const char *path, struct err *err)
	__attribute__((warn_unused_result));

/* Removes the socket, too. */
struct listener *listener_destroy(struct listener *listener);

#endif
