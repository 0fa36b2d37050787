/* fake_dask.h: a scripted Dask scheduler with draco's preload, and the workers of the jobs.
 *
 * The workers of a job connect some time after it has started. Tasks are only counted: each
 * worker that shall work takes one, for as long as there are any, and keeps it until the
 * scenario says that it is done. */
#ifndef DRACO_TESTS_FAKE_DASK_H
#define DRACO_TESTS_FAKE_DASK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct fake_job;
struct loop;
struct process;

/* What a scenario may change at any time. */
extern struct fake_dask {
	int64_t boot_ms;	 /* from the scheduler's start to its hello */
	int64_t worker_ms;	 /* from a job's start to its workers */
	int processes;		 /* workers of a job */
	int missing;		 /* of those, so many do not come */
	bool silent;		 /* the preload does not connect */
	bool mute;		 /* the preload answers nothing */
	bool deaf;		 /* the scheduler does not hear SIGTERM */
	bool no_workers;	 /* none comes ... */
	const char *barren_node; /* ... from this node */
	bool full;		 /* no worker has room for another one's results */
	int surprises;		 /* the next so many drains and retirements find a task there */
	int boots_failing; /* the next so many schedulers end as soon as they are started */

	/* What was asked. */
	int drains, undrains, retires, limits;
	json_t *limit; /* of the last "limit"; NULL: none */
} dask;

/* Work */
void tasks_come(int count); /* of unknown duration */
void tasks_known(int count, double seconds_each);
void tasks_done(void);			  /* all of them */
void tasks_done_on(struct fake_job *job); /* those that run there; the next ones come there */
int tasks_on(const struct fake_job *job);
void results_on(struct fake_job *job, int64_t bytes); /* so many, on its first worker */
void clients_come(int count);			      /* so many programs are connected */
void longest_task(const char *name, double seconds);

/* Workers */
int workers_of(const struct fake_job *job);
int workers(void);
void workers_die(struct fake_job *job, int count); /* for good; the job goes on */
void workers_return(struct fake_job *job);	   /* all of its workers are there again */
bool is_drained(const struct fake_job *job);	   /* all of its workers are */

/* The scheduler */
bool dask_is_up(void);
void dask_die(int status);	      /* as of waitpid(2): EXITED(N) or a signal */
void dask_disconnect(int64_t for_ms); /* the preload's connection ends, and comes back */

/* The world's. */
void dask_world_begin(struct loop *loop);
void dask_world_end(void);
void dask_begin(struct process *process);
void dask_job_starts(struct fake_job *job);
void dask_job_ends(struct fake_job *job);

#endif
