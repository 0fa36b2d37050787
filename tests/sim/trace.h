/* trace.h: what happens in one simulated run: the cluster's settings, the site, what a notebook
 * submits and when, and what its user types. All of it is decided beforehand but the random
 * numbers of the site, which the seed repeats. */
#ifndef DRACO_TESTS_SIM_TRACE_H
#define DRACO_TESTS_SIM_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#define TRACE_BURSTS   256
#define TRACE_COMMANDS 8
#define TRACE_KINDS    32
#define TRACE_TASKS    20000 /* in one burst */

/* One task that was recorded. */
struct trace_task {
	int kind;
	int64_t duration_ms, bytes;
	int *after; /* tasks of its burst that it needs, all before it */
	int afters;
	int *needed_by;
	int needs; /* how many need it */
};

/* Tasks of one kind (one name, in Dask's words: a prefix), submitted together. */
struct trace_burst {
	bool chained; /* at_ms counts from the completion of the burst before it */
	int64_t at_ms;
	int kind, count;
	int64_t duration_ms;
	double spread;	   /* each takes duration x (1 - spread) to (1 + spread) */
	int64_t bytes;	   /* of each result */
	int64_t hold_ms;   /* the client keeps the results so long once all are there */
	int64_t refill_ms; /* for so long each finished task is followed by another */
	/* Recorded: count of them, instead of kind, duration, spread, bytes; results that no
	 * other task of the burst needs are held. NULL: none. */
	struct trace_task *task;
};

enum trace_order { ORDER_SCALE, ORDER_ADAPT, ORDER_PAUSE, ORDER_RESUME, ORDER_RELEASE };

/* What a user types. */
struct trace_command {
	int64_t at_ms;
	enum trace_order order;
	int64_t number; /* SCALE: jobs; RELEASE: which one */
};

struct trace {
	char name[64];
	uint64_t seed;
	/* Settings. */
	int64_t processes, threads; /* workers of a job, threads of a worker */
	int64_t worker_bytes;
	int64_t minimum, maximum; /* workers */
	int64_t walltime_ms, idle_hold_ms, idle_timeout_ms, target_duration_ms, margin_ms;
	int64_t backlog;
	/* The site. */
	int64_t wait_min_ms, wait_max_ms; /* in the queue */
	int64_t nodes;			  /* jobs that run at once; 0: any number */
	int64_t boot_min_ms, boot_max_ms; /* until a worker is connected */
	double failing;			  /* share of jobs that fail */
	/* The work. */
	struct trace_burst burst[TRACE_BURSTS];
	int bursts;
	struct trace_command command[TRACE_COMMANDS];
	int commands;
	int64_t close_ms; /* from the last completion until the notebook is closed */
};

struct err;

void trace_init(struct trace *trace);

/* From a text file; tests/sim/README.md describes it. trace_finish() it. */
int trace_read(const char *path, struct trace *ret, struct err *err)
	__attribute__((warn_unused_result));

void trace_finish(struct trace *trace);

/* The trace that belongs to the seed. */
void trace_random(uint64_t seed, struct trace *ret);

#endif
