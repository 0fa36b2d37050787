/* tcp.h: connections between hosts, and noticing that the other host is gone. IPv4. */
#ifndef DRACO_COMMON_TCP_H
#define DRACO_COMMON_TCP_H

struct err;

/* A host that does not answer for so long is gone. */
#define TCP_GONE_S 30

/* Listen at the port of the address (dotted), close-on-exec and non-blocking; returns the
 * descriptor, or a negative errno (-EADDRINUSE) with err. */
int tcp_listen(const char *address, int port, struct err *err);

/* Connect to target, "ADDRESS:PORT", waiting for at most timeout_ms; returns a descriptor that is
 * close-on-exec and non-blocking, or a negative errno with err. */
int tcp_connect(const char *target, int timeout_ms, struct err *err);

/* Have the connection fail (ETIMEDOUT) when the other host is gone for TCP_GONE_S, whether or
 * not there is something to send. */
void tcp_keep_alive(int fd);

#endif
