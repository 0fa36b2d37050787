/* jobs.h: all jobs of the cluster and their workers. Only jobs.c writes a job's phase. */
#ifndef DRACO_DAEMON_CLUSTER_JOBS_H
#define DRACO_DAEMON_CLUSTER_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/cluster/job.h"

struct jobs;
struct settings;

struct jobs_ops {
	/* A job or a worker has changed: reconcile, and show the change. */
	void (*changed)(void *arg);
};

TAILQ_HEAD(job_list, job);

struct jobs *jobs_create(const struct jobs_ops *ops, void *arg);
struct jobs *jobs_destroy(struct jobs *jobs);

/* All jobs, oldest first. Borrowed. */
struct job_list *jobs_list(struct jobs *jobs);

/* Of the jobs in GONE keep only the last few, and free the others. */
void jobs_trim(struct jobs *jobs);

/* Forget all jobs and workers, for a new cluster. */
void jobs_clear(struct jobs *jobs);

/* Add a job in phase NEW, with the shape from settings. tag and index: the submission, and the
 * job's number in it. The list owns the job. */
struct job *jobs_add(
	struct jobs *jobs, const char *tag, int64_t index, const struct settings *settings);

/* Add a job of an earlier dracod with these values, and take their texts over. Its workers are
 * those that connect from now on, and its end begins anew. */
struct job *jobs_restore(struct jobs *jobs, const struct job *values);

/* Move job to phase. Log the change with the time spent in the old phase and with why (may be
 * NULL). A change that the phase table forbids is a bug of draco: assert. */
void jobs_set_phase(struct jobs *jobs, struct job *job, enum job_phase phase, const char *why);

/* Slurm has told the id of a NEW job. */
void jobs_set_id(struct jobs *jobs, struct job *job, uint32_t job_id, int64_t task);

/* Move job to READY although some of its workers are missing. The user has been told. */
void jobs_set_short(struct jobs *jobs, struct job *job);

/* Move job to GONE, ended in state. text: how it ended, for a person. */
void jobs_set_gone(
	struct jobs *jobs, struct job *job, enum slurm_state state, const char *text);

/* The job with this id and tag; NULL: none. The id alone is not enough: a slurmctld that lost its
 * last records in a crash gives the same id to another job. */
struct job *jobs_find(struct jobs *jobs, uint32_t job_id, int64_t task, const char *tag);

/* The live job whose id is the beginning of text, up to its end or to a '-' (as in a worker's
 * name); NULL: none. */
struct job *jobs_find_id(struct jobs *jobs, const char *text);

/* Apply a report of Slurm to job. job->seen_ms must be the loop time at which the query was
 * sent. */
void jobs_apply(struct jobs *jobs, struct job *job, const struct slurm_job *report);

struct worker {
	TAILQ_ENTRY(worker) link; /* jobs.workers */
	char *name;
	char *address;
	struct job *job;      /* NULL: not a worker of draco, or its job is gone */
	int64_t threads;      /* 0: not known */
	int64_t since_ms;     /* loop time at which it connected */
	int64_t tasks, bytes; /* from the scheduler's last report */
	bool is_new;	      /* it has connected since the last reconcile */
};

TAILQ_HEAD(worker_list, worker);

struct worker_list *jobs_workers(struct jobs *jobs);
/* NULL: none is connected from there. */
struct worker *jobs_find_worker(struct jobs *jobs, const char *address);
/* threads: of this worker, if they tell the cores of a node; otherwise 0. */
void jobs_worker_added(
	struct jobs *jobs, const char *name, const char *address, int64_t threads);
void jobs_worker_load(struct jobs *jobs, const char *address, int64_t tasks, int64_t bytes);
/* asked: it left or restarted on request, so it did not die. */
void jobs_worker_removed(struct jobs *jobs, const char *address, bool asked);
/* Forget all workers: they are told anew, or (gone) their scheduler is gone. Then jobs that run
 * without workers yet have waited for it in vain, too. */
void jobs_workers_clear(struct jobs *jobs, bool gone);

struct jobs_count {
	int64_t wanted;		/* jobs that belong to the cluster, or will */
	int64_t wanted_workers; /* the workers of those jobs once all are connected */
	int64_t alive;		/* jobs that may hold resources in Slurm */
	int64_t in_slurm;	/* live jobs with an id */
	int64_t unsettled;	/* jobs in a phase that soon ends by itself */
	int64_t changing;	/* of those, the ones that have had all workers, or end */
	int64_t running;	/* jobs in STARTING or READY */
	int64_t connected;	/* workers, foreign ones included */
	int64_t threads;	/* of the worker that came last; 0: none has told */
	int64_t given_up;	/* missing workers that are not waited for any more */
};

struct jobs_count jobs_count(const struct jobs *jobs);

#endif
