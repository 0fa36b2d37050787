/* scaling.h: how many jobs the work needs. Pure: the clock is an argument.
 *
 * Three opinions about the need. Tasks whose duration is known need as many threads as do their
 * work in the target duration. A task whose duration nobody knows needs a thread of its own: it
 * may be a long one. And the results that the workers hold need memory.
 *
 * A job that would come when all is done is not asked for: what the threads that are there do
 * until one can come is taken off the work. One that was asked for is kept for as long as the
 * work would need it now. */
#ifndef DRACO_DAEMON_POLICY_SCALING_H
#define DRACO_DAEMON_POLICY_SCALING_H

#include <stdbool.h>
#include <stdint.h>

struct demand;
struct settings;

struct scaling_limits {
	int64_t processes;    /* workers of one job */
	int64_t threads;      /* of one worker */
	int64_t worker_bytes; /* memory of one worker */
	int64_t minimum_jobs, maximum_jobs;
	double target_duration_s;
	int64_t idle_timeout_ms; /* 0: never */
	int64_t fixed_jobs;	 /* the size that was set by hand; -1: as large as the work */
	/* What there is, for each decision: */
	int64_t ready_threads; /* that take tasks now */
	int64_t kept_threads;  /* those, and of the jobs that are to come */
	int64_t wait_ms;       /* the least that a job takes to come; 0: not known */
};

/* The limits that settings give, as large as the work. */
void scaling_limits_of(const struct settings *settings, struct scaling_limits *ret);

struct scaling_state {
	int64_t unknown_since_ms;  /* there are tasks of unknown duration since; -1: none */
	int64_t workless_since_ms; /* nothing to do and nothing in memory since; -1: there is */
};

/* For a cluster that starts now. */
void scaling_state_init(struct scaling_state *state);

enum scaling_reason {
	SCALING_MINIMUM,  /* the work needs less */
	SCALING_DURATION, /* known work */
	SCALING_READY,	  /* tasks of unknown duration */
	SCALING_MEMORY,	  /* results */
	SCALING_IDLE,	  /* none: nothing to do */
	SCALING_BY_HAND,
	SCALING_NO_DEMAND, /* the scheduler has not reported */
	SCALING_REASON_COUNT,
};

struct scaling_target {
	int64_t jobs;
	int64_t needed; /* jobs, before minimum and maximum */
	enum scaling_reason reason;
	int64_t wake_ms; /* decide again then even if nothing happens; INT64_MAX: no need */
};

void scaling_decide(struct scaling_state *state, const struct scaling_limits *limits,
	const struct demand *demand, int64_t now_ms, struct scaling_target *ret);

/* "ready tasks 400, target 5 jobs, limit 5": for a person; the caller frees. */
char *scaling_explain(const struct scaling_target *target, const struct scaling_limits *limits,
	const struct demand *demand);

#endif
