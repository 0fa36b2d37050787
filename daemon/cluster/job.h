/* job.h: the values of one Slurm job that holds Dask workers. Only jobs.c writes the phase. */
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

/* Some sites forbid moving a pending job, and some places have options of sbatch of their own. Then
 * another job is submitted to the next place, and the first of them to start stays. */
enum job_role {
	ROLE_ORDINARY,
	ROLE_STANDBY,	 /* pending, with a substitute pending elsewhere; not wanted */
	ROLE_SUBSTITUTE, /* takes the place of one on standby */
	ROLE_COUNT,
};

#define JOB_YOUNG_MS 60000 /* a failure before this age is blamed on the job itself */

struct job {
	TAILQ_ENTRY(job) link; /* jobs.list */
	struct submission
		*submission; /* the submission that asks for it; NULL once that is settled */
	char *tag;	     /* name of the submission; in Slurm, name of the job */
	int64_t index;	     /* its number in the submission */

	enum job_phase phase;
	int64_t phase_since_ms; /* loop time */

	uint32_t job_id; /* 0: Slurm has not told it yet */
	int64_t task;	 /* SLURM_NO_TASK: not a task of an array */
	char id[SLURM_JOB_ID_MAX];

	/* The job's shape. Later jobs may have another. */
	int64_t processes;
	int64_t cores; /* CORES_NODE: not known yet */
	int64_t memory_mib, walltime_s;

	/* The places where it may run, candidates of the cluster's placement. */
	candidate_set placed;
	int64_t placed_ms; /* loop time of the last change of placed */
	bool many;     /* Slurm's prediction was for another one, asked for at once or before */
	bool widening; /* a request to add one more place is under way */
	bool exhausted; /* there is no further place */
	bool never;	/* Slurm says that it can never start in its place */
	enum job_role role;
	int64_t need;	       /* jobs with the same number serve one need; 0: it is alone */
	candidate_set covered; /* the places of the other jobs for its need */

	/* From Slurm's last report. */
	char *partition, *nodes, *reason;
	/* The loop time since which a user or an administrator has held it; 0: not held. */
	int64_t held_since_ms;
	bool held_told; /* the user was told */
	/* Loop times; 0: not in that state. A booting job is PENDING. A suspended job is running,
	 * but its workers stand still. */
	int64_t booting_since_ms, suspended_since_ms;
	bool suspended_told; /* its workers must get no new tasks */
	time_t submit_time, start_time, end_time;
	int64_t end_ms;	     /* end_time as loop time, by this host's clock; 0: not known */
	int64_t waited_ms;   /* loop time at which it certainly did not run yet; 0: not known */
	int64_t told_end_ms; /* the end that the preload was told last; 0: none */

	bool forkserver;	  /* its script starts workers by forkserver */
	int64_t running_since_ms; /* loop time; 0: not running yet */
	/* The loop time at which all workers that are expected had connected; 0: never. */
	int64_t ready_since_ms;
	int64_t connected; /* number of connected workers */
	int64_t came_ms;   /* loop time at which the last worker connected */
	/* Loop time since which it has no worker; valid while it runs. */
	int64_t alone_since_ms;
	/* The loop time since which some of its workers are missing; 0: none is. */
	int64_t short_since_ms;
	bool short_told;  /* the user was told */
	bool worn;	  /* some of its workers are gone for good: it is to be replaced */
	char *death;	  /* what the worker did that died last, for a person; NULL: none did */
	int64_t death_ms; /* loop time */
	/* Its scheduler is gone, so its workers end, too, or those that were to come. */
	bool abandoned;
	bool was_connected; /* a worker has connected at least once */
	bool was_ready;	    /* all workers were connected at least once */
	/* Workers that died soon after they connected, while the job was young. */
	int64_t early_deaths;

	/* From the scheduler's last report. */
	int64_t busy;	       /* tasks that run or wait on its workers */
	int64_t bytes;	       /* of results on its workers */
	int64_t idle_since_ms; /* loop time; valid when busy is 0 and workers are connected */

	/* For giving it back. */
	int64_t hold_ms; /* loop time before which there is no further try */
	bool by_hand;	 /* a user asked for it */
	bool stuck;	 /* no worker has room for its results, and the user was told */
	bool asking;	 /* the scheduler was asked and has not answered yet */
	bool wait_known; /* its waiting time has been recorded */

	int64_t known_ms; /* loop time at which Slurm told job_id */
	int64_t seen_ms;  /* loop time of the last query that showed it; 0: none yet */

	enum slurm_cancel_how ending; /* the last request to end it; valid in ENDING */
	bool ending_sent;	      /* the request was sent */
	/* statequeue_mark() of the record that says that it ends; 0: not known yet. */
	uint64_t ending_mark;
	int64_t ending_since_ms;

	enum slurm_state end_state; /* valid in GONE */
	bool not_launched;	    /* Slurm could not start its script; valid in GONE */
	int exit_status;	    /* of its script, from Slurm; valid in GONE */
	char *end_text;		    /* how and why it ended, for a person; NULL until GONE */
};

/* Is the job in Slurm's queue, or about to appear there? */
static inline bool job_is_pending(const struct job *job)
{
	return job->phase == PHASE_SUBMITTED || job->phase == PHASE_PENDING;
}

/* Is the job pending, without a node? Then it can be let into other places, or it waits in vain. */
static inline bool job_is_waiting(const struct job *job)
{
	return job_is_pending(job) && !job->booting_since_ms;
}

/* Does the job run, and is not on its way out? */
static inline bool job_is_running(const struct job *job)
{
	return job->phase == PHASE_STARTING || job->phase == PHASE_READY;
}

/* How and why a job has ended, from the report of its end, for a person: "failed with exit status 1
 * on n3 (NonZeroExitCode)". The caller frees. */
char *job_describe_end(const struct job *job, const struct slurm_job *report);

/* Does this report of its end show that Slurm could not even start the script? */
bool job_was_not_launched(const struct slurm_job *report);

#endif
