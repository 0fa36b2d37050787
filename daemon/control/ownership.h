/* ownership.h: notices when this is not the dracod of its name any more: another one has taken
 * over, or the state directory is gone. */
#ifndef DRACO_DAEMON_CONTROL_OWNERSHIP_H
#define DRACO_DAEMON_CONTROL_OWNERSHIP_H

struct tenure;
struct loop;
struct ownership;
struct paths;

/* Called once; from then on nothing that belongs to the name may be touched. */
typedef void (*ownership_lost_fn)(void *arg, const char *why);

/* All must live on. */
struct ownership *ownership_create(struct loop *loop, struct tenure *tenure,
	const struct paths *paths, ownership_lost_fn fn, void *arg);
struct ownership *ownership_destroy(struct ownership *ownership);

#endif
