/* port.h: a free TCP port. */
#ifndef DRACO_DAEMON_IO_PORT_H
#define DRACO_DAEMON_IO_PORT_H

struct err;

/* A port of the IPv4 address that is free at this moment, below the range that the kernel gives to
 * outgoing connections; or a negative errno. */
int port_choose(const char *address, struct err *err);

/* The given port of the IPv4 address when nobody listens at it at this moment, else the next one of
 * which that is true; or a negative errno. */
int port_next(const char *address, int port, struct err *err);

#endif
