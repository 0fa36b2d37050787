/* worker_start.h: decides whether a job failed because of forkserver. Pure.
 *
 * Dask's forkserver forks all workers of a job from one process that has done the imports: 20
 * workers start in about a second. With spawn each of the 20 imports everything itself. Some
 * libraries do not survive a fork: their workers hang or die. With spawn they work. */
#ifndef DRACO_DAEMON_POLICY_WORKER_START_H
#define DRACO_DAEMON_POLICY_WORKER_START_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/policy/job_phase.h"

struct worker_start_facts {
	bool forkserver; /* its script started the workers by forkserver */
	enum job_phase phase;
	bool failed;	    /* valid in GONE: it ended in a way that dying workers can cause */
	bool was_connected; /* a worker has connected at least once */
	bool was_ready;	    /* all workers were connected at least once */
	bool had_work;	    /* there were tasks, and a task can kill a worker */
	int64_t processes;
	/* Workers that died soon after they connected, while it was young. */
	int64_t early_deaths;
	int64_t running_ms;  /* time in STARTING and READY */
	int64_t patience_ms; /* for the first worker to connect */
};

enum worker_start_verdict {
	WORKER_START_FINE,   /* or no sign that forkserver is to blame */
	WORKER_START_NONE,   /* it failed before a worker connected */
	WORKER_START_SILENT, /* it runs, and no worker connects */
	WORKER_START_DYING,  /* its workers die as soon as they connect */
	WORKER_START_COUNT,
};

enum worker_start_verdict worker_start_judge(const struct worker_start_facts *facts);

/* The verdict for a person, to follow the job's name. */
const char *worker_start_text(enum worker_start_verdict verdict);

#endif
