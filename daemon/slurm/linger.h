/* linger.h: how long dracod stays without a cluster because of jobs that are left.
 *
 * leftover.h looks for them in Slurm's queue until they are gone. A dracod that was asked to end
 * does so then. Where Slurm has not answered for as long as idle_shutdown, and nobody is connected,
 * it ends without that: the next dracod of this name finds the jobs. */
#ifndef DRACO_DAEMON_SLURM_LINGER_H
#define DRACO_DAEMON_SLURM_LINGER_H

#include <stdbool.h>
#include <stdint.h>

struct leftover;
struct linger;
struct loop;
struct slurm;

struct linger_ops {
	bool (*is_used)(void *arg);   /* somebody is connected */
	void (*confirmed)(void *arg); /* no job is left */
	void (*end)(void *arg, const char *why);
};

/* All must live on. */
struct linger *linger_create(struct loop *loop, const struct slurm *slurm,
	const struct leftover *leftover, const struct linger_ops *ops, void *arg);
struct linger *linger_destroy(struct linger *linger);

/* There is no cluster now; idle_ms is idle_shutdown, 0: never. */
void linger_watch(struct linger *linger, int64_t idle_ms);

/* There is one, and dracod is wanted again. */
void linger_stop(struct linger *linger);

/* dracod is asked to end, and watched. Returns whether it has to stay first: then end() follows.
 * Where another Slurm answers, that would be in vain. */
bool linger_begin(struct linger *linger);

#endif
