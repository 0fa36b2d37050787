/* sock.h: Unix sockets that only their owner can open. */
#ifndef DRACO_COMMON_SOCK_H
#define DRACO_COMMON_SOCK_H

#include <stdbool.h>
#include <sys/types.h>

struct err;

/* Listen at path with mode 0600, close-on-exec and non-blocking. Returns the descriptor, or -errno
 * with err. A socket that no process serves is replaced. -EADDRINUSE: a process serves it; err
 * names its pid. */
int sock_listen(const char *path, struct err *err);

/* Connect to path, blocking. Returns the descriptor, or -errno with err. -ENOENT, -ECONNREFUSED: no
 * process serves it. */
int sock_connect(const char *path, struct err *err);

/* As sock_connect(), to a socket of type SOCK_SEQPACKET, without waiting. */
int sock_connect_packets(const char *path, struct err *err);

/* Does a process serve the socket at path? Does not wait. */
bool sock_is_served(const char *path);

/* The process at the other end of a connected Unix socket. 0 or -errno. */
int sock_peer(int fd, uid_t *ret_uid, pid_t *ret_pid);

#endif
