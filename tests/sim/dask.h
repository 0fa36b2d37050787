/* dask.h: a model of the Dask scheduler and its workers: who runs which task, which results lie
 * where.
 *
 * As distributed 2022.12 does with tasks that do not depend on each other: a worker is sent a
 * tenth more tasks than it has threads, the least loaded first; the others are queued. A worker
 * with a free thread takes a queued task, or one that waits at another worker. */
#ifndef DRACO_TESTS_SIM_DASK_H
#define DRACO_TESTS_SIM_DASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/trace.h"

struct demand;
struct world;

#define DASK_THREADS 4

enum dask_task_state {
	TASK_BLOCKED,
	TASK_READY,
	TASK_SENT,
	TASK_RUNNING,
	TASK_MEMORY,
	TASK_RELEASED
};

struct dask_task {
	enum dask_task_state state;
	int kind, burst;
	int worker; /* SENT, RUNNING: who has it. MEMORY: who holds the result */
	int next;   /* in the queue of ready tasks; -1: the last */
	int64_t start_ms, duration_ms, bytes;
	/* Recorded ones: */
	const struct trace_task *from; /* NULL: it is not */
	int blocked;		       /* others that it needs, and that are not done */
	int needs;		       /* that need its result yet */
	bool done;		       /* once, at least */
};

enum dask_worker_state {
	WORKER_BOOTING,
	WORKER_RUNNING,
	WORKER_PAUSED,	/* is sent no task, and runs those that it has */
	WORKER_RETIRED, /* starts no task */
	WORKER_GONE,
};

struct dask_worker {
	enum dask_worker_state state;
	size_t job;
	int64_t connect_ms;
	int running[DASK_THREADS], runs; /* tasks that have a thread */
	int sent;			 /* the task that waits here; -1: none */
	int64_t bytes;			 /* of results */
};

/* What a task was begun again for. */
enum dask_again {
	AGAIN_FAILED,	   /* its job failed, or hit its walltime */
	AGAIN_FORCED,	   /* its worker was retired all the same */
	AGAIN_KILLED,	   /* its job was ended */
	AGAIN_LOST_FAILED, /* the same for the result of a task that was done */
	AGAIN_LOST_KILLED,
	AGAIN_COUNT,
};

struct dask_kind {
	double average_s; /* -1: not known */
	double longest_s; /* that one was seen to run */
	int64_t ready, processing;
};

struct dask_burst {
	bool begun, done, released;
	int64_t begin_ms, done_ms;
	int open;  /* tasks that are not done */
	int *task; /* the recorded ones; NULL: none, or released */
};

struct dask {
	struct dask_task *task;
	int tasks, tasks_size;
	int free;	 /* released tasks whose memory is used again; -1: none */
	int first, last; /* the queue of ready tasks; -1: empty */
	struct dask_worker *worker;
	int workers, workers_size;
	struct dask_kind kind[TRACE_KINDS];
	struct dask_burst burst[TRACE_BURSTS];
	int bursts_done;
	int64_t again[AGAIN_COUNT];
	int64_t finished; /* tasks, ever; with those that ran twice */
	int64_t changes;  /* transitions of tasks, and workers that come and go, ever */
	bool dirty;	  /* a thread is free or a task is ready since they were matched */
};

enum dask_job_end { DASK_JOB_ENDED, DASK_JOB_FAILED };

void dask_init(struct dask *dask);
void dask_finish(struct dask *dask);

/* When something happens by itself; INT64_MAX: never. */
int64_t dask_next_ms(const struct world *world);
void dask_step(struct world *world);

/* All tasks are done, and no other burst comes. */
bool dask_is_done(const struct world *world);

/* The processes of a job begin, and end; what ran and lay there is to be done again. */
void dask_start_job(struct world *world, size_t job);
void dask_end_job(struct world *world, size_t job, enum dask_job_end how);

/* One worker leaves; its results have been moved or are lost. */
void dask_end_worker(struct world *world, int worker, enum dask_again again_running,
	enum dask_again again_lost);

/* Tasks that it runs or was sent, and bytes of results. */
int64_t dask_worker_busy(const struct dask_worker *worker);
void dask_job_load(const struct dask *dask, size_t job, int64_t *ret_busy, int64_t *ret_bytes,
	int64_t *ret_connected);

/* Let the workers of a job take tasks, or not. */
void dask_set_job(struct world *world, size_t job, enum dask_worker_state state);

/* A share (1: all) of the results of a worker to the workers that run; false: there is none. */
bool dask_move(struct world *world, int worker, double share);

/* Tasks that run or could. */
int64_t dask_work(const struct dask *dask);

/* What the preload would report. */
void dask_demand(struct world *world, struct demand *ret);

/* The workers' heartbeats: how long do tasks run by now? */
void dask_heartbeat(struct world *world);

#endif
