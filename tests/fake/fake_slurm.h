/* fake_slurm.h: a scripted Slurm, and the draco-slurm that asks it.
 *
 * Nodes n1, n2, ... take one job each, and belong to all partitions. Each second Slurm starts
 * the pending jobs that it can. A job ends at its walltime, when it is cancelled, or as the
 * scenario says; it is known for five minutes after that. */
#ifndef DRACO_TESTS_FAKE_SLURM_H
#define DRACO_TESTS_FAKE_SLURM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/slurm_msg.h"

struct loop;
struct loop_timer;
struct process;

#define NODES_MAX	16
#define PARTITIONS_MAX	4
#define RESERVATION_MAX 2

struct fake_partition {
	const char *name;
	bool drained;		   /* takes no jobs */
	bool down;		   /* starts no jobs */
	bool hidden;		   /* its nodes are not to be seen */
	bool busy;		   /* no node of it is free for us */
	int64_t max_time_s;	   /* 0: no limit */
	const char *denied;	   /* why this user may not use it; NULL: may */
	const char *refusal;	   /* what Slurm says to jobs there; NULL: takes them */
	const char *never;	   /* why those that it takes never start; NULL: they do */
	int64_t starts_in_s;	   /* predicted, from now */
	int64_t cores, memory_mib; /* of each node */
};

struct fake_reservation {
	const char *name;
	int64_t begin_s, end_s; /* from now */
	const char *denied;
	bool full; /* no node of it is free */
};

struct fake_job {
	TAILQ_ENTRY(fake_job) link; /* in the order of submission */
	struct slurm_job said;	    /* as a query tells it */
	char id[SLURM_JOB_ID_MAX];  /* "1_0" */
	char *partitions, *reservation, *exclude, *log;
	int64_t walltime_s;
	int node;		  /* its index; -1: none */
	int64_t begin_ms;	  /* it does not start before: it was requeued */
	bool deaf;		  /* does not hear SIGTERM */
	bool clinging;		  /* is not ended by Slurm's cancelling either */
	bool killed;		  /* by Slurm, as dracod has asked it to */
	bool updated;		  /* was let into other places */
	bool foreign;		  /* no job of dracod's: it has no workers */
	struct loop_timer *timer; /* what becomes of it next */
	enum slurm_state fate;	  /* that is: how it ends */
	int fate_status;
};

enum fault { /* what befalls a request of dracod */
	FAULT_NONE,
	FAULT_UNREACHABLE, /* slurmctld is not reached */
	FAULT_REFUSED,	   /* by slurmctld */
	FAULT_UNUSABLE,	   /* no Slurm here */
	FAULT_FOREIGN,	   /* another one */
	FAULT_DIE_BEFORE,  /* draco-slurm crashes before it has asked slurmctld ... */
	FAULT_DIE_AFTER,   /* ... or after that, so that its answer is lost */
	FAULT_HANG_BEFORE, /* the same, without an end */
	FAULT_HANG_AFTER,
};

/* What a scenario may change at any time. */
extern struct fake_slurm {
	int nodes;
	struct fake_partition partition[PARTITIONS_MAX]; /* short, standard */
	struct fake_reservation reservation[RESERVATION_MAX];
	int64_t array_max;
	int jobs_max;		  /* of those that have not ended; 0: no limit */
	bool arrays_refused;	  /* by a plugin */
	int64_t boots_s;	  /* nodes boot for so long before a job runs */
	int launches_fail;	  /* so many jobs that start next cannot be launched */
	int64_t ahead_s;	  /* its clock, of that of dracod's host */
	bool away;		  /* slurmctld does not answer */
	bool moves_forbidden;	  /* pending jobs stay where they are */
	const char *helper_fails; /* draco-slurm ends at once, with this on standard error */
	int64_t answer_ms;	  /* how long each request takes */

	/* How all jobs end that start from now on, on doomed_node only where that is set. */
	bool doomed;
	enum slurm_state doom;
	int doom_status;
	int64_t doom_after_s;
	const char *doomed_node;
	const char *doom_text; /* in their log */

	/* What was asked. */
	int queries, submissions, predictions, surveys;
	int64_t last_memory_mib;
	char *last_exclude; /* of the last submission; NULL: none */
} slurm;

/* The next requests of this method, so many of them, end so. */
void slurm_fault(const char *method, int times, enum fault fault);

/* All jobs from now on fail after so many seconds, until slurm.doomed is false. */
void slurm_doom(enum slurm_state state, int exit_status, int64_t after_s);

/* The job that was submitted first is job(0); an array's tasks are jobs of their own. */
struct fake_job *job(int number);
int jobs_submitted(void);
int jobs_in(enum slurm_state state);

void job_suspend(struct fake_job *job);
void job_resume(struct fake_job *job);
void job_end(struct fake_job *job, enum slurm_state state, int exit_status);
void job_requeue(struct fake_job *job); /* to start again after two minutes */
void job_hold(struct fake_job *job, const char *reason);
void job_release(struct fake_job *job);
void job_extend(struct fake_job *job, int64_t by_s);
void job_forget(struct fake_job *job); /* as a slurmctld that lost its state */

/* A job of somebody or some time else, that runs. */
struct fake_job *slurm_add_job(const char *name);

/* The world's. */
void slurm_begin(struct loop *loop);
void slurm_end(void);
void slurm_helper_begin(struct process *process);

#endif
