/* manager.h: dracod on the user bus, as org.draco.Manager1 (docs/dbus.md).
 *
 * Each dracod has the name org.draco.Manager1.NAME, with the name of its cluster. The dracod of the
 * default cluster also has org.draco.Manager1, or without it any other. */
#ifndef DRACO_SYSTEMD_MANAGER_H
#define DRACO_SYSTEMD_MANAGER_H

#include <stdint.h>

struct loop;
struct manager;
struct sd_bus;

/* The properties that change. Texts are "" rather than NULL. */
struct manager_facts {
	const char *state, *waits_for, *failure;
	uint32_t jobs, pending_jobs, workers, attached;
};

struct manager_ops {
	/* Make a connection to dracod's own control. Returns its descriptor, which the callee
	 * takes over, or -errno. */
	int (*connect)(void *arg);
};

/* name: of the cluster. It is borrowed, as ops, arg and the loop are. */
struct manager *manager_create(
	struct loop *loop, const char *name, const struct manager_ops *ops, void *arg);
struct manager *manager_destroy(struct manager *manager);

/* The bus has come; and: it is lost, and no call is answered. */
void manager_up(struct manager *manager, struct sd_bus *connection);
void manager_down(struct manager *manager);

/* Facts have changed: tell all who listen. They are copied. */
void manager_set_facts(struct manager *manager, const struct manager_facts *facts);

#endif
