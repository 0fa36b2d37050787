/* passing.h: descriptors that are passed on with bytes by a Unix socket. */
#ifndef DRACO_DAEMON_IO_PASSING_H
#define DRACO_DAEMON_IO_PASSING_H

#include <stddef.h>
#include <sys/types.h>

#define PASSING_MAX 3 /* descriptors at once */

/* As send(2), without waiting and without SIGPIPE. The caller keeps the descriptors. */
ssize_t passing_send(int fd, const void *bytes, size_t length, const int *fds, size_t count);

/* As recv(2); waits. Adds close-on-exec descriptors to fds, which has room for PASSING_MAX, of
 * which *count are used. Those that have no room are closed. */
ssize_t passing_receive(int fd, void *bytes, size_t size, int *fds, size_t *count);

#endif
