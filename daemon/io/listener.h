/* listener.h: a Unix socket for this user's programs. */
#ifndef DRACO_DAEMON_IO_LISTENER_H
#define DRACO_DAEMON_IO_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

struct err;
struct listener;
struct loop;

/* A program of this user has connected. The callee owns fd. Programs of other users are rejected
 * before. */
typedef void (*listener_fn)(void *arg, int fd, pid_t pid);

/* Listen at path. NULL with err. */
struct listener *listener_create(
	struct loop *loop, const char *path, listener_fn fn, void *arg, struct err *err);

/* Accept at fd, a non-blocking socket that listens already, which is taken over. */
struct listener *listener_adopt(struct loop *loop, int fd, listener_fn fn, void *arg);

/* Does the socket still exist at its path? */
bool listener_is_there(const struct listener *listener);

/* Listen at path in place of the old path. Present connections stay. If the socket is at path
 * already, nothing is done. 0, or -errno with err; then nothing has changed. */
int listener_move(struct listener *listener, const char *path, struct err *err)
	__attribute__((warn_unused_result));

/* Also removes the socket. Returns NULL. */
struct listener *listener_destroy(struct listener *listener);

#endif
