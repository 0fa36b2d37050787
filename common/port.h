/* port.h: a free TCP port. */
#ifndef DRACO_COMMON_PORT_H
#define DRACO_COMMON_PORT_H

struct err;

/* A port of this IPv4 address that is free at this moment, below the range for outgoing
 * connections. Or -errno with err. */
int port_choose(const char *address, struct err *err);

/* A port from first to last of the IPv4 address at which a server could listen at this moment: the
 * same one each time, while it is free, and for different users different ones where there are
 * several. Or a negative errno; -EADDRINUSE: none is free. */
int port_choose_in(const char *address, int first, int last, struct err *err);

/* The given port of the IPv4 address when nobody listens at it at this moment, else the next one of
 * which that is true; or a negative errno. */
int port_next(const char *address, int port, struct err *err);

#endif
