/* linger.h: how long dracod without a cluster waits for jobs that are left.
 *
 * leftover.h searches Slurm's queue until the jobs are gone. A dracod that was asked to end does so
 * then. If Slurm has been silent for idle_shutdown and no client is connected, dracod ends before
 * that. The next dracod of this name finds the jobs. */
#ifndef DRACO_DAEMON_SLURM_LINGER_H
#define DRACO_DAEMON_SLURM_LINGER_H

#include <stdbool.h>
#include <stdint.h>

struct leftover;
struct linger;
struct loop;
struct slurm;

struct linger_ops {
	bool (*is_used)(void *arg);   /* a client is connected */
	void (*confirmed)(void *arg); /* no job is left */
	void (*end)(void *arg, const char *why);
};

/* All arguments must outlive the result. */
struct linger *linger_create(struct loop *loop, const struct slurm *slurm,
	const struct leftover *leftover, const struct linger_ops *ops, void *arg);
struct linger *linger_destroy(struct linger *linger);

/* There is no cluster any more. idle_ms is idle_shutdown; 0: never. */
void linger_watch(struct linger *linger, int64_t idle_ms);

/* A cluster starts, so dracod must stay. */
void linger_stop(struct linger *linger);

/* dracod is asked to end. Returns whether it has to wait for jobs first; end() follows then. If
 * another Slurm answers, waiting is useless. */
bool linger_begin(struct linger *linger);

#endif
