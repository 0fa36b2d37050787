/* jobscript.h: the batch script that runs the Dask workers of one job. Pure. */
#ifndef DRACO_DAEMON_DASK_JOBSCRIPT_H
#define DRACO_DAEMON_DASK_JOBSCRIPT_H

#include <stdbool.h>
#include <stdint.h>

struct strv;

struct jobscript {
	const char *cluster;	   /* name of the cluster, for the reader of the script */
	const struct strv *python; /* the command's words */
	const char *scheduler;	   /* address, such as tls://10.0.0.1:8786 */
	const char *interface;	   /* for the workers, where the node has it; NULL: any */
	int64_t processes;
	int64_t threads;	 /* of each process */
	int64_t bytes;		 /* of memory for each process; 0: as the node knows */
	bool whole_node;	 /* where bytes is 0: the job has all of its memory */
	int64_t death_timeout_s; /* how long a worker waits for a scheduler that is not there */
	int64_t watch_s; /* so long a node that does not reach the scheduler tries; 0: for ever */
	const char *scratch;  /* directory for local files, may contain $USER; NULL: TMPDIR */
	const char *prologue; /* shell text before the workers; NULL: none */
	const char *epilogue; /* and after them */
	const struct strv *options; /* more arguments for the workers */
	bool forkserver;	    /* else spawn */
	const char *spawn_mark; /* path: when it exists as the job starts, spawn all the same */
};

/* How the script ends when it did not come to running the workers. */
#define JOBSCRIPT_EXIT_PROLOGUE	   91
#define JOBSCRIPT_EXIT_PYTHON	   92
#define JOBSCRIPT_EXIT_DIRECTORY   93
#define JOBSCRIPT_EXIT_CERTIFICATE 94
#define JOBSCRIPT_EXIT_ADDRESS	   95
#define JOBSCRIPT_EXIT_SCHEDULER   96 /* the workers were started, and did not reach it */

/* What such an exit status means, behind "job 42 ended ..."; NULL for all others. */
const char *jobscript_explain_exit(int status);

/* Can worker processes that failed be why a job has this exit status (0: it was ended by a
 * signal)? The command dask worker ends with 1 then, or by a signal. Others are of a command
 * line that it does not take, of a Python that is not one, or of the script. */
bool jobscript_workers_may_exit(int status);

/* The names of a job's workers: JOBSCRIPT_WORKER_PREFIX, the job's id, and "-N" when processes
 * > 1. */
#define JOBSCRIPT_WORKER_PREFIX "draco-"

/* The script; the caller frees. */
char *jobscript_make(const struct jobscript *job);

/* The length of the job's id in a worker's name, which begins at name +
 * strlen(JOBSCRIPT_WORKER_PREFIX); 0 when the name is not one of jobscript_make(). */
int jobscript_job_id_length(const char *worker_name);

#endif
