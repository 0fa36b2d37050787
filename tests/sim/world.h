/* world.h: one simulated run: the clock, Slurm, Dask, and the policy that scales the one with
 * the other. Time goes from event to event; nothing happens in between. */
#ifndef DRACO_TESTS_SIM_WORLD_H
#define DRACO_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/dask.h"
#include "tests/sim/queue.h"
#include "tests/sim/random.h"
#include "tests/sim/trace.h"

struct world;

struct policy {
	const char *name;
	void *(*create)(struct world *world);
	void (*destroy)(void *state);
	int64_t (*next_ms)(const struct world *world);
	void (*step)(struct world *world);
	/* The next ones may be NULL. */
	void (*command)(struct world *world, const struct trace_command *command);
	enum dask_worker_state (*worker_connects)(struct world *world, size_t job);
	void (*job_ended)(struct world *world, size_t job, enum queue_end how);
	void (*task_again)(
		struct world *world, const struct dask_task *task, enum dask_again why);
};

extern const struct policy policy_draco;
extern const struct policy policy_draco_second;	    /* after a session with the same work */
extern const struct policy policy_draco_fixed;	    /* always with the whole idle_hold */
extern const struct policy policy_draco_short;	    /* with an idle_hold of 10 s at most */
extern const struct policy policy_adaptive;	    /* as dask-jobqueue configures it */
extern const struct policy policy_adaptive_grouped; /* with a worker_key that gives the job */
extern const struct policy policy_adaptive_fair;    /* and with one for its target, too */
extern const struct policy policy_adaptive_whole;   /* and a minimum of whole jobs */

/* All of them, the end is NULL. */
extern const struct policy *const policies[];

struct world {
	const struct trace *trace;
	const struct policy *policy;
	void *state; /* of the policy */
	struct random random;
	int64_t now_ms;
	int64_t steps;
	int commands_done;
	struct queue queue;
	struct dask dask;
	bool verbose;
	char violation[256]; /* the first; "" while there is none */
	int64_t violation_step;
};

struct world_result {
	bool finished;	     /* all tasks were done */
	int64_t makespan_ms; /* until then */
	int64_t node_ms;     /* until the notebook was closed */
	int64_t submissions, cancelled_pending;
	int64_t twice; /* tasks begun again, for whatever reason */
	int64_t again[AGAIN_COUNT];
	int64_t simulated_ms, steps;
	char violation[256];
	int64_t violation_step;
};

void world_run(const struct trace *trace, const struct policy *policy, bool verbose,
	struct world_result *ret);

/* For a person who asked for it. */
void world_log(struct world *world, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Something is so as it must never be. */
void world_violate(struct world *world, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The models tell the policy. */
enum dask_worker_state world_worker_connects(struct world *world, size_t job);
void world_job_ended(struct world *world, size_t job, enum queue_end how);
void world_task_again(struct world *world, const struct dask_task *task, enum dask_again why);

#endif
