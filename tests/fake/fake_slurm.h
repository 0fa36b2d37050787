/* fake_slurm.h: a scripted Slurm, and its draco-slurm.
 *
 * Nodes n1, n2, ... run one job each and belong to all partitions. Each second Slurm starts all
 * pending jobs that it can. A job ends at its walltime, when it is cancelled, or when the scenario
 * says so. Slurm knows it for five minutes longer. */
#ifndef DRACO_TESTS_FAKE_SLURM_H
#define DRACO_TESTS_FAKE_SLURM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/slurm_msg.h"

struct loop;
struct loop_timer;
struct process;

#define NODES_MAX	4096
#define PARTITIONS_MAX	4
#define RESERVATION_MAX 2

struct fake_partition {
	const char *name;
	bool drained;	    /* accepts no jobs */
	bool down;	    /* starts no jobs */
	bool hidden;	    /* its nodes are invisible */
	bool busy;	    /* none of its nodes is free */
	int64_t max_time_s; /* 0: no limit */
	const char *denied; /* why this user may not use it; NULL: the user may */
	/* Slurm's reason to refuse jobs there; NULL: it accepts them. */
	const char *refusal;
	const char *demand; /* an option that jobs there must have, "account=big"; NULL: none */
	const char *never;  /* Slurm's reason never to start jobs there; NULL: it does */
	int64_t starts_in_s;	   /* from now, for predictions */
	int64_t cores, memory_mib; /* of each node */
};

struct fake_reservation {
	const char *name;
	int64_t begin_s, end_s; /* from now */
	const char *denied;
	bool full; /* none of its nodes is free */
};

struct fake_job {
	TAILQ_ENTRY(fake_job) link; /* in the order of submission */
	struct slurm_job said;	    /* the job in the next query */
	char id[SLURM_JOB_ID_MAX];  /* "1_0" */
	char *partitions, *reservation, *exclude, *log;
	struct strv directives;
	int64_t walltime_s;
	int node;		  /* index of its node; -1: none */
	int64_t begin_ms;	  /* it was requeued, and does not start before */
	bool deaf;		  /* ignores SIGTERM */
	bool clinging;		  /* does not even end when Slurm cancels it */
	bool killed;		  /* killed by Slurm for dracod */
	bool updated;		  /* the update request has changed its places */
	bool foreign;		  /* not submitted by dracod: it has no workers */
	struct loop_timer *timer; /* for its next change */
	enum slurm_state fate;	  /* the state in which it will end */
	int fate_status;
};

enum fault { /* the fate of a request of dracod */
	FAULT_NONE,
	FAULT_UNREACHABLE, /* slurmctld is not reached */
	FAULT_REFUSED,	   /* slurmctld refuses */
	FAULT_UNUSABLE,	   /* there is no Slurm here */
	FAULT_FOREIGN,	   /* another Slurm answers */
	FAULT_DIE_BEFORE,  /* draco-slurm crashes before it asks slurmctld */
	FAULT_DIE_AFTER,   /* draco-slurm crashes afterwards, so that the answer is lost */
	FAULT_HANG_BEFORE, /* draco-slurm hangs before it asks slurmctld */
	FAULT_HANG_AFTER,
};

/* A scenario may change these at any time. */
extern struct fake_slurm {
	int nodes;
	struct fake_partition partition[PARTITIONS_MAX]; /* short, standard */
	struct fake_reservation reservation[RESERVATION_MAX];
	int64_t array_max;
	int jobs_max;		  /* limit of jobs that have not ended; 0: none */
	bool arrays_refused;	  /* a plugin refuses arrays */
	int64_t boots_s;	  /* time that nodes take to boot before a job runs */
	int launches_fail;	  /* so many of the next jobs cannot be launched */
	bool away;		  /* slurmctld does not answer */
	bool moves_forbidden;	  /* pending jobs cannot be moved */
	const char *helper_fails; /* draco-slurm ends at once, after this on standard error */
	int64_t answer_ms;	  /* duration of each request */

	/* The end of all jobs that start while doomed is set, on doomed_node only if that is
	 * set. */
	bool doomed;
	enum slurm_state doom;
	int doom_status;
	int64_t doom_after_s;
	const char *doomed_node;
	const char *doom_text; /* a text in their logs */

	/* Requests so far. */
	int queries, submissions, predictions, surveys;
	int64_t last_memory_mib;
	char *last_exclude; /* of the last submission; NULL: none */
} slurm;

/* Give this fate to the next requests of this method, so many of them. */
void slurm_fault(const char *method, int times, enum fault fault);

/* Let all jobs that start from now on fail after so many seconds, until slurm.doomed is false. */
void slurm_doom(enum slurm_state state, int exit_status, int64_t after_s);

/* The job that was submitted as number N, counted from 0. Each task of an array counts as a job. */
struct fake_job *job(int number);
int jobs_submitted(void);
int jobs_in(enum slurm_state state);

void job_suspend(struct fake_job *job);
void job_resume(struct fake_job *job);
void job_end(struct fake_job *job, enum slurm_state state, int exit_status);
void job_requeue(struct fake_job *job); /* it starts again after two minutes */
void job_hold(struct fake_job *job, const char *reason);
void job_release(struct fake_job *job);
void job_extend(struct fake_job *job, int64_t by_s);
/* Slurm no longer knows it, like a slurmctld that lost its state. */
void job_forget(struct fake_job *job);

/* Add a running job of another user, or of another time. */
struct fake_job *slurm_add_job(const char *name);

/* Called by the world. */
void slurm_begin(struct loop *loop);
void slurm_end(void);
void slurm_helper_begin(struct process *process);

#endif
