/* sock.h: Unix stream sockets, open to their owner only. */
#ifndef DRACO_COMMON_SOCK_H
#define DRACO_COMMON_SOCK_H

#include <stdbool.h>
#include <sys/types.h>

struct err;

/* Listen at path with mode 0600, close-on-exec and non-blocking; returns the descriptor. A socket
 * that nobody serves any more is replaced; -EADDRINUSE, naming the pid, when somebody does. */
int sock_listen(const char *path, struct err *err);

/* Connect to path, blocking; returns the descriptor. -ENOENT, -ECONNREFUSED: nobody there. */
int sock_connect(const char *path, struct err *err);

/* Does somebody serve the socket at path? Does not wait. */
bool sock_is_served(const char *path);

/* Who is at the other end of a connected Unix socket. */
int sock_peer(int fd, uid_t *ret_uid, pid_t *ret_pid);

#endif
