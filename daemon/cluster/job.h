/* job.h: one Slurm job that holds Dask workers: the values. Only jobs.c writes the phase. */
#ifndef DRACO_DAEMON_CLUSTER_JOB_H
#define DRACO_DAEMON_CLUSTER_JOB_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/queue.h"
#include "common/slurm_msg.h"
#include "daemon/policy/job_phase.h"
#include "daemon/policy/placement.h"

struct submission;

/* Where a site forbids to move a pending job, another one is submitted to the next place; the
 * one of the two that starts first stays. */
enum job_role {
	ROLE_ORDINARY,
	ROLE_STANDBY, /* pending, and a substitute is pending elsewhere; not counted as wanted */
	ROLE_SUBSTITUTE, /* for one on standby */
	ROLE_COUNT,
};

#define JOB_YOUNG_MS 60000 /* what goes wrong so early is wrong with the job itself */

struct job {
	TAILQ_ENTRY(job) link; /* jobs.list */
	struct submission
		*submission; /* the request that asks for it; NULL once that is settled */
	char *tag;	     /* name of the submission, and of the job in Slurm */
	int64_t index;	     /* which of the submission's jobs */

	enum job_phase phase;
	int64_t phase_since_ms; /* loop time */

	uint32_t job_id; /* 0 until Slurm has told */
	int64_t task;	 /* SLURM_NO_TASK when alone */
	char id[SLURM_JOB_ID_MAX];

	/* Its shape: later jobs may have another. */
	int64_t processes, cores, memory_mib, walltime_s;

	/* Where it may run: candidates of the cluster's placement, and since when. */
	candidate_set placed;
	int64_t placed_ms; /* loop time */
	bool widening;	   /* Slurm is asked to let it run in one more place */
	bool exhausted;	   /* there is no further place */
	bool never;	   /* Slurm says that it does not start where it is */
	enum job_role role;

	/* As Slurm reported last. */
	char *partition, *nodes, *reason;
	/* Loop time since which somebody keeps it from starting; 0: nobody does. */
	int64_t held_since_ms;
	bool held_told; /* and the user knows */
	/* Loop times; 0: it is not. It is PENDING while it boots; it runs, its workers do not,
	 * while it is suspended. */
	int64_t booting_since_ms, suspended_since_ms;
	bool suspended_told; /* its workers are to get no new tasks */
	time_t submit_time, start_time, end_time;
	int64_t end_ms;	     /* end_time as loop time; 0: not known */
	int64_t told_end_ms; /* the end of which the scheduler's preload knows; 0: none */

	bool forkserver; /* its workers were to start by forkserver, as it was submitted */
	int64_t running_since_ms; /* loop time; 0: does not run yet */
	int64_t ready_since_ms;	  /* loop time since which all its workers, or all that will
				     come, were there; 0: never */
	int64_t connected;	  /* workers, now */
	int64_t came_ms;	  /* loop time at which the last of its workers connected */
	int64_t alone_since_ms;	  /* loop time since which none is; valid while it runs */
	int64_t short_since_ms; /* loop time since which fewer are than there were; 0: all are */
	bool short_told;	/* and the user knows */
	bool abandoned;		/* its workers had a scheduler that is gone: they leave, too */
	bool was_connected;	/* a worker was, once */
	bool was_ready;		/* all were, at one time */
	int64_t early_deaths;	/* workers that left soon after coming, while it was young */

	/* As the scheduler reported last. */
	int64_t busy;	       /* tasks on its workers, running or waiting there */
	int64_t bytes;	       /* of results that they hold */
	int64_t idle_since_ms; /* loop time; valid when busy is 0 and workers are connected */

	/* Giving it back. */
	int64_t hold_ms; /* loop time; not tried again before */
	bool by_hand;	 /* a user asked for it */
	bool stuck;	 /* but its results have nowhere to go, and the user knows */
	bool asking;	 /* the scheduler is asked, and has not answered */
	bool wait_known; /* how long it took to come was noted */

	int64_t known_ms; /* loop time at which job_id was told */
	int64_t seen_ms;  /* loop time of the last query that showed it; 0: none */

	enum slurm_cancel_how ending; /* how it is asked to end; valid in ENDING */
	bool ending_sent;	      /* and it was */
	int64_t ending_since_ms;

	enum slurm_state end_state; /* valid in GONE */
	bool not_launched;	    /* Slurm could not start its script; valid in GONE */
	int exit_status;	    /* of its script; valid in GONE, as Slurm reported it */
	char *end_text;		    /* how and why it ended, for a person; NULL before */
};

/* Slurm has it in the queue, or will say so. */
static inline bool job_is_pending(const struct job *job)
{
	return job->phase == PHASE_SUBMITTED || job->phase == PHASE_PENDING;
}

/* Slurm has given it no node: it can be let into other places, or waits in vain. */
static inline bool job_is_waiting(const struct job *job)
{
	return job_is_pending(job) && !job->booting_since_ms;
}

/* Slurm runs it, and it is not on its way out. */
static inline bool job_is_running(const struct job *job)
{
	return job->phase == PHASE_STARTING || job->phase == PHASE_READY;
}

/* How a job has ended, by a report of its end, for a person: "failed with exit status 1 on n3
 * (NonZeroExitCode)"; the caller frees. */
char *job_describe_end(const struct job *job, const struct slurm_job *report);

/* Could Slurm not even start its script, by this report of its end? */
bool job_was_not_launched(const struct slurm_job *report);

#endif
