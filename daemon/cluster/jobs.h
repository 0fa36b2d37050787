/* jobs.h: all jobs of the cluster, and their workers. The one writer of a job's phase. */
#ifndef DRACO_DAEMON_CLUSTER_JOBS_H
#define DRACO_DAEMON_CLUSTER_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/cluster/job.h"

struct jobs;
struct settings;

struct jobs_ops {
	/* Something changed that reconciling or showing may depend on. */
	void (*changed)(void *arg);
};

TAILQ_HEAD(job_list, job);

struct jobs *jobs_create(const struct jobs_ops *ops, void *arg);
struct jobs *jobs_destroy(struct jobs *jobs);

/* All jobs, the oldest first; of those GONE only the last few are kept. */
struct job_list *jobs_list(struct jobs *jobs);

/* Forget all jobs and workers: a new cluster begins. */
void jobs_clear(struct jobs *jobs);

/* A new job in phase NEW with the shape that settings give. */
struct job *jobs_add(
	struct jobs *jobs, const char *tag, int64_t index, const struct settings *settings);

/* Move job to phase, log it with the time spent in the old one, and why (may be NULL). A phase that
 * may not follow is a bug of draco: assert. */
void jobs_set_phase(struct jobs *jobs, struct job *job, enum job_phase phase, const char *why);

/* Slurm has told the id of a NEW job. */
void jobs_set_id(struct jobs *jobs, struct job *job, uint32_t job_id, int64_t task);

/* The user knows that some of the job's workers are missing: it goes on as READY with the
 * others. */
void jobs_set_short(struct jobs *jobs, struct job *job);

/* job has ended in state; text says how, for a person. */
void jobs_set_gone(
	struct jobs *jobs, struct job *job, enum slurm_state state, const char *text);

/* The job with this id and tag; NULL when there is none. The id alone is not enough: a
 * slurmctld that lost its last moments in a crash gives the same number to another job. */
struct job *jobs_find(struct jobs *jobs, uint32_t job_id, int64_t task, const char *tag);

/* The live job whose id begins text, up to its end or to a '-' (as in a worker's name). */
struct job *jobs_find_id(struct jobs *jobs, const char *text);

/* Take over what Slurm reports about job, as asked for at job->seen_ms. */
void jobs_apply(struct jobs *jobs, struct job *job, const struct slurm_job *report);

struct worker {
	TAILQ_ENTRY(worker) link; /* jobs.workers */
	char *name;
	char *address;
	struct job *job;      /* NULL: not one of ours, or its job is gone */
	int64_t since_ms;     /* loop time at which it connected */
	int64_t tasks, bytes; /* as the scheduler reported last */
	bool is_new;	      /* it has connected since the last reconcile */
};

TAILQ_HEAD(worker_list, worker);

struct worker_list *jobs_workers(struct jobs *jobs);
void jobs_worker_added(struct jobs *jobs, const char *name, const char *address);
void jobs_worker_load(struct jobs *jobs, const char *address, int64_t tasks, int64_t bytes);
/* asked: it was to leave or to be started anew, so this is no death. */
void jobs_worker_removed(struct jobs *jobs, const char *address, bool asked);
void jobs_workers_clear(struct jobs *jobs); /* the scheduler is gone, and they with it */

struct jobs_count {
	int64_t wanted;		/* jobs that are, or will be, part of the cluster */
	int64_t wanted_workers; /* the workers that those hold when all are connected */
	int64_t alive;		/* jobs that may hold a place in Slurm */
	int64_t in_slurm;	/* of those, the ones with an id */
	int64_t unsettled;	/* jobs on their way from one phase to the next */
	int64_t running;	/* STARTING and READY */
	int64_t connected;	/* workers, also such as are not ours */
	int64_t given_up;	/* workers that are not waited for any more */
};

struct jobs_count jobs_count(const struct jobs *jobs);

#endif
