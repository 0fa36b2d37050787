/* failure.h: decides the consequences when a wanted job ends: the reaction to each kind of end, the
 * failures in a row, the back-off between submissions, and cancellations by hand. Pure: the clock
 * is an argument.
 *
 * A failure is a job that dies young, whose workers never connect, or that runs out of memory.
 * After the first failure the next submission waits BACKOFF_FIRST_MS. Each further failure in a row
 * doubles the wait.
 *
 * Jobs that run at the same time often fail for the same reason. So a job that fails during the
 * back-off counts only if it started after the last counted failure. */
#ifndef DRACO_DAEMON_POLICY_FAILURE_H
#define DRACO_DAEMON_POLICY_FAILURE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/slurm_msg.h"

#define BACKOFF_FIRST_MS 5000
/* A start fails after so many jobs in a row that Slurm could not launch. */
#define LAUNCHES_MAX   4
#define BACKOFF_MAX_MS 300000

#define CANCELS_MAX 3	  /* this many cancellations by hand ... */
#define CANCELS_MS  60000 /* ... within this time mean that somebody wants no jobs */

enum job_end { /* how a wanted job ended, or was lost */
	END_COMPLETED,
	END_CANCELLED, /* not by draco */
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

/* The kind of end for a state of Slurm, which must be an end. */
enum job_end job_end_of_state(enum slurm_state state);

enum job_replace {
	REPLACE_AT_ONCE,
	REPLACE_BY_DEMAND, /* when the scaling, or the minimum, asks for a job */
	REPLACE_LATER,	   /* after the back-off */
	REPLACE_NOT,	   /* the job still exists */
};

struct job_end_facts {
	enum job_end end;
	bool young;	 /* it was not READY yet, or not for long */
	bool starting;	 /* the cluster is STARTING */
	bool others_run; /* another job runs and may still bring workers */
};

struct job_end_verdict {
	bool counts;	  /* it counts as one more failure in a row */
	bool fatal;	  /* the start fails */
	bool blames_node; /* it counts as a failure of the node */
	bool is_failure;  /* tell the user of a failure; otherwise of a mere fact */
	enum job_replace replace;
	const char *remark; /* appended to how the job ended, for a person; "": none */
};

struct job_end_verdict job_end_judge(const struct job_end_facts *facts);

/* Does this reason of Slurm say that a pending job waits until somebody releases it? */
bool failure_is_hold(const char *reason);

/* For a person: "another one is submitted when it is needed". Not for REPLACE_LATER, whose text has
 * a time. */
const char *job_replace_text(enum job_replace replace);

/* A hint against running out of memory, for a person: "each of its 20 workers had 4 GiB ...". The
 * caller frees. */
char *failure_memory_hint(int64_t processes, int64_t memory_mib);

struct failures { /* all zero at the beginning */
	int in_a_row;
	/* When the last counted failure was noticed; 0: none. */
	int64_t last_ms;
	time_t started, ended;		   /* the times of that job, by Slurm's clock */
	int64_t hold_until_ms;		   /* end of the back-off */
	int64_t cancelled_ms[CANCELS_MAX]; /* the last cancellations by hand; 0: none */
};

/* The wait of the next submission after so many failures in a row, in ms. */
int64_t failure_backoff_ms(int in_a_row);

/* A job has failed. It ran from started to ended by Slurm's clock (0: not known), and draco notices
 * at now_ms. Returns false if it counts as one with the last failure. */
bool failures_add(struct failures *failures, time_t started, time_t ended, int64_t now_ms);

/* A job proved at at_ms that jobs can work: forget earlier failures. */
void failures_succeed(struct failures *failures, int64_t at_ms);

/* A job was cancelled by hand at now_ms. Returns whether that makes CANCELS_MAX within
 * CANCELS_MS. */
bool failures_cancelled(struct failures *failures, int64_t now_ms);

#endif
