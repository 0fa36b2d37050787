/* bus.h: a connection to a message bus (D-Bus), driven by the event loop.
 *
 * Nothing here waits. The connection is made in the background, and again after it is lost, each
 * time later up to BUS_RETRY_MAX_MS. A bus that does not exist is no error. */
#ifndef DRACO_SYSTEMD_BUS_H
#define DRACO_SYSTEMD_BUS_H

#include <stdbool.h>
#include <stdint.h>

#define BUS_RETRY_MIN_MS 1000
#define BUS_RETRY_MAX_MS 300000
#define BUS_CONNECT_MS	 10000 /* a bus that does not welcome us by then is given up */
#define BUS_CALL_MS	 5000  /* the usual limit of a call */

struct bus;
struct loop;
struct sd_bus;
struct sd_bus_message;
struct sd_bus_slot;

enum bus_kind {
	BUS_USER,   /* of the user: DBUS_SESSION_BUS_ADDRESS, or $XDG_RUNTIME_DIR/bus */
	BUS_SYSTEM, /* of the host: DBUS_SYSTEM_BUS_ADDRESS, or the usual socket */
};

struct bus_ops {
	/* The bus has welcomed us. Install objects, matches and names now, in this order. */
	void (*up)(void *arg, struct sd_bus *connection);
	/* The connection is lost. No call is answered any more: drop all slots. */
	void (*down)(void *arg);
};

/* arg and the loop are borrowed. ops are only called from the loop. */
struct bus *bus_create(
	struct loop *loop, enum bus_kind kind, const struct bus_ops *ops, void *arg);
struct bus *bus_destroy(struct bus *bus); /* does not call down(); sends what is pending */

/* The connection; NULL: the bus is not up. Borrowed. */
struct sd_bus *bus_connection(const struct bus *bus);

/* For sd_bus_call_async() and others: how long calls may take. */
#define BUS_CALL_US ((uint64_t)BUS_CALL_MS * 1000)

#endif
