/* poll.h: reading this cluster's part of the queue, no more often than is useful. */
#ifndef DRACO_DAEMON_SLURM_POLL_H
#define DRACO_DAEMON_SLURM_POLL_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct loop;
struct poll;
struct slurm;
struct slurm_job;

struct poll_ops {
	/* The whole queue was read by a query asked at loop time asked_ms; borrowed. */
	void (*read)(void *arg, const struct slurm_job *jobs, int count, int64_t asked_ms);
	/* It could not be read. The next poll is planned as always, by poll_within(). */
	void (*failed)(void *arg, const struct err *err);
};

/* Reports the jobs whose name begins with prefix. */
struct poll *poll_create(struct loop *loop, struct slurm *slurm, const char *prefix,
	const struct poll_ops *ops, void *arg);
struct poll *poll_destroy(struct poll *poll);

/* Read the queue in at most in_ms from now; an earlier plan stands. While a query is under way, the
 * time counts from its end. */
void poll_within(struct poll *poll, int64_t in_ms);

/* Plan nothing any more. A query under way is still reported. */
void poll_stop(struct poll *poll);

struct poll_facts {
	bool unsettled;	     /* some job is on its way from one phase to the next */
	int64_t calm_ms;     /* since the last change of any job */
	int failures;	     /* queries in a row without an answer */
	int64_t interval_ms; /* the setting poll_interval */
};

/* When to read the queue again. Pure. */
int64_t poll_delay_ms(const struct poll_facts *facts);

#endif
