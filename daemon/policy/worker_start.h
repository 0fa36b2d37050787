/* worker_start.h: does a job's fate speak against starting workers by forkserver? Pure.
 *
 * Dask's forkserver forks all workers of a job from one process that has the imports done: 20
 * workers are there in about a second, where spawn imports everything 20 times. A library that
 * does not bear to be forked makes such workers hang or die; spawn is sure to work then. */
#ifndef DRACO_DAEMON_POLICY_WORKER_START_H
#define DRACO_DAEMON_POLICY_WORKER_START_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/policy/job_phase.h"

struct worker_start_facts {
	bool forkserver; /* the job's workers were to start so */
	enum job_phase phase;
	bool failed;	    /* in GONE: in a way in which its workers may have failed */
	bool was_connected; /* a worker was, once */
	bool was_ready;	    /* all were, at one time */
	bool had_work;	    /* there were tasks, which may be what ends workers */
	int64_t processes;
	int64_t early_deaths; /* workers that left just after they had come, while it was young */
	int64_t running_ms;   /* for so long, in STARTING and READY */
	int64_t patience_ms; /* for the first worker to come */
};

enum worker_start_verdict {
	WORKER_START_FINE,   /* or nothing that forkserver could be blamed for */
	WORKER_START_NONE,   /* it failed, and no worker ever came */
	WORKER_START_SILENT, /* it runs, and none comes */
	WORKER_START_DYING,  /* they come, and die at once */
	WORKER_START_COUNT,
};

enum worker_start_verdict worker_start_judge(const struct worker_start_facts *facts);

/* What happened, for a person, behind the job's name. */
const char *worker_start_text(enum worker_start_verdict verdict);

#endif
