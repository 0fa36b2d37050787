/* failure.h: what follows when a job ends that was wanted: the reactions, the count of failures
 * in a row, the back-off between submissions, and the cancels by hand. Pure: the clock is an
 * argument.
 *
 * A failure is a job that dies young, whose workers never come, or that runs out of memory.
 * After the first one in a row the next submission waits BACKOFF_FIRST_MS, after each other one
 * twice as long. Jobs that ran side by side and fail for one reason do so together: what had
 * started before the last counted failure, and fails during its back-off, is not counted
 * again. */
#ifndef DRACO_DAEMON_POLICY_FAILURE_H
#define DRACO_DAEMON_POLICY_FAILURE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/slurm_msg.h"

#define BACKOFF_FIRST_MS 5000
#define LAUNCHES_MAX	 4 /* so many jobs in a row that could not be launched end a start */
#define BACKOFF_MAX_MS	 300000

#define CANCELS_MAX 3	  /* by hand ... */
#define CANCELS_MS  60000 /* ... within this time: somebody wants no jobs */

enum job_end { /* how a wanted job ended, or what befell it */
	END_COMPLETED,
	END_CANCELLED, /* and not by draco */
	END_FAILED,
	END_TIMEOUT,
	END_NODE_FAIL,
	END_PREEMPTED,
	END_OUT_OF_MEMORY,
	END_DEADLINE,
	END_VANISHED,	  /* Slurm does not know it any more */
	END_ABANDONED,	  /* its scheduler had gone, and its workers with it */
	END_FORKSERVER,	  /* forkserver is to blame, and not used any more */
	END_NOT_LAUNCHED, /* Slurm could not even start its script: nothing of it ran */
	END_UNREACHED,	  /* its node cannot connect to the scheduler */
	END_NO_WORKERS,	  /* it runs, but they do not come: draco ends it */
	END_LOST_WORKERS, /* it runs, but all have gone, and none comes back: the same */
	END_HELD,	  /* pending, but kept from starting: draco ends it */
	END_REQUEUED,	  /* not an end: it waits in the queue again */
	END_COUNT,
};

/* The end that a state of Slurm stands for; state must be one. */
enum job_end job_end_of_state(enum slurm_state state);

enum job_replace {
	REPLACE_AT_ONCE,
	REPLACE_BY_DEMAND, /* when the scaling, or the minimum, wants one */
	REPLACE_LATER,	   /* after the back-off */
	REPLACE_NOT,	   /* it is still there */
};

struct job_end_facts {
	enum job_end end;
	bool young;	 /* it was not READY, or not for long */
	bool starting;	 /* the cluster is */
	bool others_run; /* another of its jobs runs, which may still bring workers */
};

struct job_end_verdict {
	bool counts;	  /* as one more failure in a row */
	bool fatal;	  /* the start has failed */
	bool blames_node; /* for it */
	bool is_failure;  /* to be told as one; else as a mere fact */
	enum job_replace replace;
	const char *remark; /* behind how it ended, for a person; "" for none */
};

struct job_end_verdict job_end_judge(const struct job_end_facts *facts);

/* Does Slurm's reason say that a pending job does not start before somebody releases it? */
bool failure_is_hold(const char *reason);

/* "another one is submitted when it is needed"; not for REPLACE_LATER, which tells a time. */
const char *job_replace_text(enum job_replace replace);

/* "each of its 20 workers had 4 GiB ...": what helps against running out of memory; the caller
 * frees. */
char *failure_memory_hint(int64_t processes, int64_t memory_mib);

struct failures { /* all zero in the beginning */
	int in_a_row;
	int64_t last_ms;		   /* of the last counted one; 0: none */
	time_t started, ended;		   /* when that job did, by Slurm's clock */
	int64_t hold_until_ms;		   /* its back-off */
	int64_t cancelled_ms[CANCELS_MAX]; /* the last ones; 0: none */
};

/* How long a submission waits after so many failures in a row. */
int64_t failure_backoff_ms(int in_a_row);

/* A job that ran from started to ended, by Slurm's clock (0: not known), has failed; it is
 * noticed at now_ms. False when it is one with the last failure. */
bool failures_add(struct failures *failures, time_t started, time_t ended, int64_t now_ms);

/* A job has proved at at_ms that jobs can work: what failed before does not count any more. */
void failures_succeed(struct failures *failures, int64_t at_ms);

/* A job was cancelled by hand at now_ms. Returns whether they are too many. */
bool failures_cancelled(struct failures *failures, int64_t now_ms);

#endif
