/* fleet.h: decides which jobs to request and which to give back, so that the cluster has the size
 * that the work needs. Pure: the clock is an argument.
 *
 * - All missing jobs are requested at once. Pending jobs count as present.
 * - A job is given back only after it was not needed for the hold time (hold.h), and one that
 *   starts only when its workers are overdue: it has cost most of what a start costs. Pending jobs
 *   go first, the youngest before the others. Of the running jobs the longest idle one goes first,
 *   then the one with the least data, then the one that ends soonest. A job with a running task is
 *   not given back, except when there are more jobs than the maximum: it gets no new tasks.
 * - A job whose walltime ends soon does not count, so another one is requested. The old job is
 *   drained when the new one is ready, or at the last moment. Of several such jobs, one is drained
 *   for each new job.
 * - A job that has lost some of its workers for good is replaced in the same way, but never
 *   forced: it is drained when the new one is ready.
 * - Data moves only to a job that is ready. If a user wants no jobs at all, the last job gathers
 *   the data, and stays as long as it holds any. */
#ifndef DRACO_DAEMON_POLICY_FLEET_H
#define DRACO_DAEMON_POLICY_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/policy/handover.h"
#include "daemon/policy/hold.h"
#include "daemon/policy/job_phase.h"

enum fleet_action {
	FLEET_KEEP,
	FLEET_CANCEL,  /* take it out of the queue: PENDING -> ENDING */
	FLEET_DRAIN,   /* no new tasks: READY -> DRAINING, unless a task has just arrived */
	FLEET_UNDRAIN, /* take it back: DRAINING or RETIRING -> READY */
	FLEET_RETIRE,  /* move its results: DRAINING -> RETIRING */
	FLEET_END,     /* do not wait any longer: -> ENDING */
};

const char *fleet_action_name(enum fleet_action action);

struct fleet_job {
	enum job_phase phase;
	int64_t phase_since_ms;
	int64_t busy; /* tasks that run or wait on its workers */
	/* The latest of: busy became 0, it began to run, it became READY. */
	int64_t idle_since_ms;
	int64_t bytes;	/* of results on its workers */
	int64_t end_ms; /* the end of its walltime; INT64_MAX: not known */
	int64_t walltime_ms;
	int64_t hold_ms; /* do not try to give it back before */
	bool by_hand;	 /* a user has retired it */
	bool worn;	 /* it lacks workers: replace it as if its walltime ended soon */

	/* Set by fleet_decide(). */
	enum fleet_action action;
	bool expiring; /* it has, or will soon have, a replacement */
	bool forced;   /* with DRAIN and RETIRE: even if tasks run */
	bool holds;    /* a user wants no job, but this one stays for its results */
	bool stuck;    /* it is drained, but no job takes, or will take, its results */
};

struct fleet_state {
	struct hold_state hold; /* of idle jobs */
	/* Jobs that end before this time are being replaced. The time never moves back: otherwise a
	 * long task would request a job, its end would cancel the job, and the next long task would
	 * request one again. */
	int64_t replaced_end_ms;
	/* When no job is wanted, a job that holds results stays at least until then. */
	int64_t holds_until_ms;
};

void fleet_state_init(struct fleet_state *state);

struct fleet_limits {
	int64_t target;	      /* wanted jobs, from scaling.h */
	int64_t maximum;      /* of jobs; 0: none */
	int64_t backlog;      /* the most pending jobs; 0: no limit */
	int64_t idle_hold_ms; /* the longest time that an idle job is kept; see hold.h */
	int64_t wait_ms;      /* how long a new job takes to start; 0: not known */
	int64_t boot_ms; /* how long a job runs before its workers have come; 0: not known */
	int64_t lead_ms, margin_ms, longest_ms; /* see handover.h */
	bool by_hand;	 /* a user set the size: shrink at once, and drain busy jobs, too */
	bool paused;	 /* neither request jobs nor give them back */
	bool may_submit; /* no back-off and no search for a place is under way */
};

struct fleet_decision {
	int64_t submit;	 /* jobs to request */
	int64_t fresh;	 /* jobs that count towards the target */
	int64_t wake_ms; /* decide again then, even without an event; INT64_MAX: not needed */
};

/* Decide on each job, and on the number of jobs to request. jobs: those of the cluster that are not
 * GONE and not on standby, oldest first. */
void fleet_decide(struct fleet_state *state, const struct fleet_limits *limits,
	struct fleet_job *jobs, size_t count, int64_t now_ms, struct fleet_decision *ret);

#endif
