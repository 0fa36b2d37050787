/* scope.h: gives the Dask scheduler a unit of its own: a transient scope of the user manager.
 *
 * The process is started as it is without systemd; the scope is put around it a moment later. It
 * has limits of its own, and neither a restart of dracod's unit nor a limit of that concerns it. */
#ifndef DRACO_SYSTEMD_SCOPE_H
#define DRACO_SYSTEMD_SCOPE_H

#include <stdint.h>
#include <sys/types.h>

struct loop;
struct scope;
struct sd_bus;

/* 0: no such limit. */
struct scope_limits {
	int64_t memory_high, memory_max; /* bytes */
	int64_t cpu_weight, tasks_max;
};

/* why: NULL, the process is in its unit; otherwise the reason why it is not. The manager may tell
 * the latter although a limit alone is wrong. */
typedef void (*scope_settled_fn)(void *arg, const char *why);

/* name: that of the cluster's directory. fn is called from the loop, once for each process that is
 * wanted in a scope while there is a bus. */
struct scope *scope_create(struct loop *loop, const char *name, scope_settled_fn fn, void *arg);
struct scope *scope_destroy(struct scope *scope); /* the unit stays */

/* The process that the unit must hold; 0: none. Takes effect now, or once the bus is up. The same
 * one again changes nothing. */
void scope_want(struct scope *scope, pid_t pid, const struct scope_limits *limits);

/* The bus is up, or lost. */
void scope_up(struct scope *scope, struct sd_bus *connection);
void scope_down(struct scope *scope);

#endif
