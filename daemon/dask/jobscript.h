/* jobscript.h: the batch script that runs the Dask workers of one job. Pure. */
#ifndef DRACO_DAEMON_DASK_JOBSCRIPT_H
#define DRACO_DAEMON_DASK_JOBSCRIPT_H

#include <stdbool.h>
#include <stdint.h>

struct strv;

struct jobscript {
	const char *cluster;	   /* name of the cluster, for readers of the script */
	const struct strv *python; /* the words of the command for Python */
	const char *scheduler;	   /* address, such as tls://10.0.0.1:8786 */
	const char *interface;	   /* of the workers, if the node has it; NULL: any */
	int64_t processes;
	int64_t threads;	 /* of each process; 0: as many as the job has cores for */
	int64_t bytes;		 /* of memory for each process; 0: as the node knows */
	bool whole_node;	 /* where bytes is 0: the job has all of its memory */
	int64_t death_timeout_s; /* how long a worker waits for a scheduler that is not there */
	int64_t watch_s; /* so long a node that does not reach the scheduler tries; 0: for ever */
	const char *scratch; /* for local files, may hold variables of the node; NULL: TMPDIR */
	const char *prologue; /* shell text before the workers; NULL: none */
	const char *epilogue; /* shell text after the workers; NULL: none */
	struct jobscript_ports {
		int first, last; /* 0: any */
	} worker_ports, nanny_ports;
	const struct strv *options; /* more arguments for the workers */
	/* Names of modules to import before the workers are forked; NULL: no further ones. */
	const struct strv *preimport;
	bool forkserver; /* start the workers by forkserver; otherwise by spawn */
	/* Path; if this file exists when the job starts, it uses spawn. */
	const char *spawn_mark;
};

/* How the script ends when it did not come to running the workers. */
#define JOBSCRIPT_EXIT_PROLOGUE	   91
#define JOBSCRIPT_EXIT_PYTHON	   92
#define JOBSCRIPT_EXIT_DIRECTORY   93
#define JOBSCRIPT_EXIT_CERTIFICATE 94
#define JOBSCRIPT_EXIT_ADDRESS	   95
#define JOBSCRIPT_EXIT_SCHEDULER   96 /* the workers were started, and did not reach it */

/* What one of these exit statuses means, to follow "job 42 ended ..."; NULL: another status. */
const char *jobscript_explain_exit(int status);

/* Can worker processes that failed cause this exit status of a job (0: a signal ended it)? "dask
 * worker" then ends with 1 or by a signal. Any other status comes from a wrong command line, from a
 * program that is no Python, or from the script itself. */
bool jobscript_workers_may_exit(int status);

/* A worker's name is JOBSCRIPT_WORKER_PREFIX, the job's id, and "-N" if processes > 1. */
#define JOBSCRIPT_WORKER_PREFIX "draco-"

/* The script. The caller frees. */
char *jobscript_make(const struct jobscript *job);

/* The length of the job's id in a worker's name, where it follows JOBSCRIPT_WORKER_PREFIX; 0: the
 * name is not one from jobscript_make(). */
int jobscript_job_id_length(const char *worker_name);

#endif
