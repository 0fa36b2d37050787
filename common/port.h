/* port.h: a free TCP port. */
#ifndef DRACO_COMMON_PORT_H
#define DRACO_COMMON_PORT_H

struct err;

/* A port of this IPv4 address that is free at this moment, below the range for outgoing
 * connections. Or -errno with err. */
int port_choose(const char *address, struct err *err);

/* A port from first to last of this IPv4 address at which a server could listen at this moment.
 * While it is free, it is always the same port for this user's cluster of this name; others begin
 * their search elsewhere. Or -errno with err; -EADDRINUSE: none is free. */
int port_choose_in(const char *address, int first, int last, const char *name, struct err *err);

/* The given port of this IPv4 address if nobody listens there at this moment, otherwise the next
 * such port. Or -errno with err. */
int port_next(const char *address, int port, struct err *err);

/* Keep port_choose() of all processes from choosing this port of the IPv4 address, until the
 * descriptor is closed. A server that sets SO_REUSEADDR, as Dask's do, can listen there all the
 * same. Returns a descriptor that the caller owns; -EADDRINUSE: somebody has the port; or another
 * -errno. */
int port_hold(const char *address, int port);

#endif
