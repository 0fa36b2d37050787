/* fake_dask.h: a scripted Dask scheduler with draco's preload, and the workers of the jobs.
 *
 * The workers of a job connect some time after the job has started. Tasks are only counted. Each
 * worker that is not drained takes one task, if there is any, and keeps it until the scenario says
 * that it is done. */
#ifndef DRACO_TESTS_FAKE_DASK_H
#define DRACO_TESTS_FAKE_DASK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct fake_job;
struct loop;
struct process;

/* A scenario may change these at any time. */
extern struct fake_dask {
	int64_t boot_ms;	 /* time from the scheduler's start to its hello */
	int64_t worker_ms;	 /* time from a job's start to its workers' connection */
	int processes;		 /* workers of one job */
	int threads;		 /* of one worker */
	int missing;		 /* workers of a job that never connect */
	bool silent;		 /* the preload does not connect */
	bool mute;		 /* the preload never answers */
	bool deaf;		 /* the scheduler ignores SIGTERM */
	bool no_workers;	 /* no worker connects ... */
	const char *barren_node; /* ... from this node; NULL: from any */
	int paused;		 /* so many workers have paused because their memory is full */
	bool full;		 /* no worker has room for the results of another one */
	const char *death;	 /* what is known of workers that die, as JSON; NULL: nothing */
	/* So many drains and retirements will find a task on their workers. */
	int surprises;
	int boots_failing; /* so many schedulers will end as soon as they start */

	/* Requests of dracod so far. */
	int drains, undrains, retires, limits;
	json_t *limit;	/* the parameters of the last "limit"; NULL: none */
	json_t *shares; /* those of the last "share"; NULL: none */
	/* The jobs of the last "leaving": workers of theirs that connect are drained. */
	json_t *leaving;
} dask;

/* Work */
void tasks_come(int count); /* adds tasks of unknown duration */
void tasks_known(int count, double seconds_each);
void tasks_done(void); /* ends all tasks */
/* Ends the tasks of this job's workers, which take the next ones. */
void tasks_done_on(struct fake_job *job);
int tasks_on(const struct fake_job *job);
/* Puts so many bytes on its first worker. */
void results_on(struct fake_job *job, int64_t bytes);
void clients_come(int count);	  /* sets the number of connected clients */
void wait_for_workers(int count); /* somebody does; 0: not any longer */
void longest_task(const char *name, double seconds);

/* Workers */
int workers_of(const struct fake_job *job);
int workers(void);
/* They do not come back; the job continues. */
void workers_die(struct fake_job *job, int count);
/* All workers of the job are connected again. */
void workers_return(struct fake_job *job);
bool is_drained(const struct fake_job *job); /* are all workers of the job drained? */

/* The scheduler */
bool dask_is_up(void);
void dask_die(int status);	      /* status as from waitpid(2): EXITED(N) or a signal */
void dask_disconnect(int64_t for_ms); /* the preload disconnects, and connects again */

/* Called by the world. */
void dask_world_begin(struct loop *loop);
void dask_world_end(void);
void dask_begin(struct process *process);
void dask_job_starts(struct fake_job *job);
void dask_job_ends(struct fake_job *job);

#endif
