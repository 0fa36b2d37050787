/* restart.h: when the service manager ends dracod: does it start it again at once? */
#ifndef DRACO_SYSTEMD_RESTART_H
#define DRACO_SYSTEMD_RESTART_H

#include <stdbool.h>

struct restart;
struct sd_bus;

typedef void (*restart_fn)(void *arg, bool restarts);

/* fn gets the answer; arg is borrowed. */
struct restart *restart_create(restart_fn fn, void *arg);
struct restart *restart_destroy(struct restart *restart); /* does not call fn */

/* Ask the user's service manager for the job of this process's unit. Calls fn from the loop, after
 * RESTART_ASK_MS at the latest; without an answer, with false. -errno: it cannot be asked. */
int restart_ask(struct restart *restart, struct sd_bus *connection)
	__attribute__((warn_unused_result));

#define RESTART_ASK_MS 3000

/* The bus is lost: there is no answer. */
void restart_down(struct restart *restart);

#endif
