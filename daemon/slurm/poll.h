/* poll.h: queries the cluster's part of Slurm's queue, no more often than necessary. */
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
	/* The queue was read by a query that was sent at loop time asked_ms. jobs is borrowed. */
	void (*read)(void *arg, const struct slurm_job *jobs, int count, int64_t asked_ms);
	/* The query failed. The owner plans the next one by poll_within(), as always. */
	void (*failed)(void *arg, const struct err *err);
};

/* Report the jobs whose names begin with prefix. */
struct poll *poll_create(struct loop *loop, struct slurm *slurm, const char *prefix,
	const struct poll_ops *ops, void *arg);
struct poll *poll_destroy(struct poll *poll);

/* Query in in_ms from now at the latest. An earlier plan stays. While a query is under way, the
 * time counts from its end. */
void poll_within(struct poll *poll, int64_t in_ms);

/* Plan no query any more. One under way is still reported. */
void poll_stop(struct poll *poll);

/* Who tells first that a job has changed, and who waits for it. */
enum poll_pace {
	POLL_USUAL,
	POLL_GROWING,  /* only new jobs are unsettled: their workers tell first that they run */
	POLL_STOPPING, /* somebody waits for the end of all jobs */
};

struct poll_facts {
	bool unsettled;	     /* a job is in a phase that soon ends by itself */
	int64_t calm_ms;     /* time since the last change of a job */
	int failures;	     /* failed queries in a row */
	int64_t interval_ms; /* the setting poll_interval */
	enum poll_pace pace;
};

/* The wait until the next query, in ms. Pure. */
int64_t poll_delay_ms(const struct poll_facts *facts);

#endif
