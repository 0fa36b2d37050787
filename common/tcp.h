/* tcp.h: connections between hosts that fail when the other host is gone. IPv4. */
#ifndef DRACO_COMMON_TCP_H
#define DRACO_COMMON_TCP_H

struct err;

/* A host that has not answered for so long counts as gone. */
#define TCP_GONE_S 30

/* Listen at the port of the address (dotted), close-on-exec and non-blocking. Returns the
 * descriptor, or -errno (such as -EADDRINUSE) with err. */
int tcp_listen(const char *address, int port, struct err *err);

/* Connect to target, "ADDRESS:PORT", within timeout_ms. Returns a descriptor, close-on-exec and
 * non-blocking, or -errno with err. */
int tcp_connect(const char *target, int timeout_ms, struct err *err);

/* Let the connection fail with ETIMEDOUT when the other host has been gone for TCP_GONE_S, even if
 * nothing is sent. */
void tcp_keep_alive(int fd);

#endif
