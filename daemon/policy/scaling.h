/* scaling.h: the number of jobs that the work needs. Pure: the clock is an argument.
 *
 * The need is the largest of four. Tasks of known duration need so many threads that they are done
 * within the target duration. Each task of unknown duration needs a thread of its own, because it
 * may be long. Results need memory. Somebody may wait for workers before there are tasks.
 *
 * A job that would start after all work is done is not requested: the work that the present threads
 * do until then is subtracted. A job that was requested is kept as long as the work would need it
 * now. */
#ifndef DRACO_DAEMON_POLICY_SCALING_H
#define DRACO_DAEMON_POLICY_SCALING_H

#include <stdbool.h>
#include <stdint.h>

struct demand;
struct settings;

struct scaling_limits {
	int64_t processes;    /* workers of one job */
	int64_t threads;      /* of one worker; 0: no worker has told yet */
	int64_t worker_bytes; /* memory of one worker */
	int64_t minimum_jobs, maximum_jobs;
	double target_duration_s;
	int64_t idle_timeout_ms; /* 0: never */
	int64_t fixed_jobs;	 /* the size that a user set; -1: follow the load */
	/* The facts of each decision: */
	int64_t ready_threads; /* threads that take tasks now */
	int64_t kept_threads;  /* ready_threads, and those of jobs that are to come */
	int64_t full_workers;  /* workers that take no more tasks, as their memory is full */
	int64_t wait_ms;       /* the shortest time in which a job starts; 0: not known */
};

/* The limits from settings, for a size that follows the load. */
void scaling_limits_of(const struct settings *settings, struct scaling_limits *ret);

struct scaling_state {
	/* Loop time since which tasks have an unknown duration; -1: none. */
	int64_t unknown_since_ms;
	/* Loop time since which there is no task and no result; -1: there is. */
	int64_t workless_since_ms;
	int64_t clients; /* of the last decision */
};

/* Somebody has come who will use the cluster: the minimum holds for idle_timeout again. */
void scaling_someone_comes(struct scaling_state *state);

/* The state for a new cluster. */
void scaling_state_init(struct scaling_state *state);

enum scaling_reason {
	SCALING_MINIMUM,  /* the minimum exceeds the need */
	SCALING_DURATION, /* tasks of known duration */
	SCALING_READY,	  /* tasks of unknown duration */
	SCALING_MEMORY,	  /* results */
	SCALING_WAITED,	  /* somebody waits for workers */
	SCALING_IDLE,	  /* no work and no results */
	SCALING_BY_HAND,
	SCALING_NO_DEMAND, /* the scheduler has not reported yet */
	SCALING_REASON_COUNT,
};

struct scaling_target {
	int64_t jobs;
	int64_t needed; /* jobs, before minimum and maximum */
	enum scaling_reason reason;
	int64_t wake_ms; /* decide again then, even without an event; INT64_MAX: not needed */
};

void scaling_decide(struct scaling_state *state, const struct scaling_limits *limits,
	const struct demand *demand, int64_t now_ms, struct scaling_target *ret);

/* The reason for the target, for a person: "ready tasks 400, target 5 jobs, limit 5". The caller
 * frees. */
char *scaling_explain(const struct scaling_target *target, const struct scaling_limits *limits,
	const struct demand *demand);

#endif
