/* ownership.h: notices when this process is no longer the dracod of its name: another dracod has
 * taken over, or the state directory is gone. */
#ifndef DRACO_DAEMON_CONTROL_OWNERSHIP_H
#define DRACO_DAEMON_CONTROL_OWNERSHIP_H

#include <stdint.h>

struct tenure;
struct loop;
struct ownership;
struct paths;

/* Called once. Afterwards this process must not touch anything that belongs to the name. */
typedef void (*ownership_lost_fn)(void *arg, const char *why);

/* A state directory that is not there may come back, as one of a file server does, and nobody else
 * can have taken the name without it. */
#define OWNERSHIP_PATIENCE_MS 20000

/* patience_ms: for so long the lock may be missing. All arguments must outlive the result. */
struct ownership *ownership_create(struct loop *loop, struct tenure *tenure,
	const struct paths *paths, int64_t patience_ms, ownership_lost_fn fn, void *arg);
struct ownership *ownership_destroy(struct ownership *ownership);

#endif
