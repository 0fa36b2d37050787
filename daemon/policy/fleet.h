/* fleet.h: which jobs to ask for and which to give back, so that the cluster has the size that the
 * work needs. Pure: the clock is an argument.
 *
 * - All missing jobs are asked for at once; those that wait in the queue count as there.
 * - Nothing is given back before it was not needed for a hold (hold.h); first what still
 *   waits in the queue, the youngest first, then what was idle longest, holds the least data,
 *   ends soonest. A job with a running task is not given back.
 * - A job whose walltime ends soon does not count: another one is asked for. When that is
 *   there, or at the last moment, the old one is drained. Where several end, each goes when one
 *   has come.
 * - Data is only moved where another job is ready to take it. Where a user wants no job at
 *   all, the last one gathers the data, and stays for as long as there is any. */
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
	FLEET_CANCEL,  /* it waits in the queue: PENDING -> ENDING */
	FLEET_DRAIN,   /* no new tasks: READY -> DRAINING, unless a task came just now */
	FLEET_UNDRAIN, /* take it back: DRAINING or RETIRING -> READY */
	FLEET_RETIRE,  /* it is idle: move its data, DRAINING -> RETIRING */
	FLEET_END,     /* it cannot wait any longer: -> ENDING */
};

const char *fleet_action_name(enum fleet_action action);

struct fleet_job {
	enum job_phase phase;
	int64_t phase_since_ms;
	int64_t busy; /* tasks on its workers, in any state of running or waiting there */
	int64_t idle_since_ms; /* when busy became 0, it began to run, or it was READY: the last */
	int64_t bytes;	       /* of results that its workers hold */
	int64_t end_ms;	       /* of its walltime; INT64_MAX: not known */
	int64_t walltime_ms;
	int64_t hold_ms; /* it could not be given back: do not try again before */
	bool by_hand;	 /* a user asked to give it back */

	/* What fleet_decide() says. */
	enum fleet_action action;
	bool expiring; /* it is, or will soon be, replaced */
	bool forced;   /* DRAIN, RETIRE: whatever runs there */
	bool holds;    /* no job is wanted, by hand, but this one stays because of its data */
	bool stuck; /* DRAINING and done, but no job is there, or will be, that takes its data */
};

struct fleet_state {
	struct hold_state hold; /* of jobs that are not needed */
	/* Jobs that end until then are being replaced. It never falls: were another one asked
	 * for when a long task comes, and not needed when that is done, it would be cancelled
	 * and asked for again. */
	int64_t replaced_end_ms;
	/* What holds data, no job being wanted, stays until then at least. */
	int64_t holds_until_ms;
};

void fleet_state_init(struct fleet_state *state);

struct fleet_limits {
	int64_t target;	      /* jobs; scaling.h */
	int64_t backlog;      /* the most pending jobs; 0: any number */
	int64_t idle_hold_ms; /* the most that a job is kept without need; hold.h */
	int64_t wait_ms;      /* how long a job takes to come; 0: not known */
	int64_t lead_ms, margin_ms, longest_ms; /* handover.h */
	bool by_hand;	 /* the size was set by a user: down at once, draining busy jobs, too */
	bool paused;	 /* ask for nothing and give nothing back */
	bool may_submit; /* no back-off, no search for a place under way */
};

struct fleet_decision {
	int64_t submit;	 /* jobs to ask for */
	int64_t fresh;	 /* jobs that count */
	int64_t wake_ms; /* decide again then even if nothing happens; INT64_MAX: no need */
};

/* jobs: those of the cluster that are not GONE and not on standby, the oldest first. */
void fleet_decide(struct fleet_state *state, const struct fleet_limits *limits,
	struct fleet_job *jobs, size_t count, int64_t now_ms, struct fleet_decision *ret);

#endif
