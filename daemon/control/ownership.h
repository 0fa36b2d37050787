/* ownership.h: notices when this process is no longer the dracod of its name: another dracod has
 * taken over, or the state directory is gone. */
#ifndef DRACO_DAEMON_CONTROL_OWNERSHIP_H
#define DRACO_DAEMON_CONTROL_OWNERSHIP_H

struct tenure;
struct loop;
struct ownership;
struct paths;

/* Called once. Afterwards this process must not touch anything that belongs to the name. */
typedef void (*ownership_lost_fn)(void *arg, const char *why);

/* All arguments must outlive the result. */
struct ownership *ownership_create(struct loop *loop, struct tenure *tenure,
	const struct paths *paths, ownership_lost_fn fn, void *arg);
struct ownership *ownership_destroy(struct ownership *ownership);

#endif
