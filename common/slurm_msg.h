/* slurm_msg.h: what dracod and draco-slurm say to each other: the values and their JSON. Pure.
 *
 * JSON-RPC 2.0, one message per line, over a socketpair. dracod asks, draco-slurm answers in order:
 *
 *	hello  {protocol, slurm}       -> {protocol, version}; with slurm, as slurm_site_encode()
 *					   has it, all requests but munge are refused in
 *					   another Slurm than that
 *	identify {}		       -> {cluster, controllers}: slurm_site_encode()
 *	site   {partitions, host, path} -> {controller, address, version, array_max,
 *	                                   nodes: [address], host: [address],
 *	                                   slurm: as identify}; path: PATH of the start,
 *	                                   where sbatch is looked for first
 *	submit {submission}            -> {job_id, tasks, said}: said is what the site said to it
 *	query  {prefix}                -> {jobs: [...]}
 *	cancel {jobs: ["42_0"], how}   -> {}
 *	survey {cores, memory_mib, exclude} -> {partitions, reservations}: survey.h
 *	predict {submission, candidates: [{partition, reservation}]}
 *	                               -> {predictions: [{start} or {refused}]}, in their order
 *	update {jobs: ["42_0"], partition, reservation, exclude} -> {}: where pending jobs may run;
 *	                                  what is left out stays as it is
 *
 * An error has "outcome" in its data: whether the request was refused, never reached slurmctld, or
 * may have been carried out. */
#ifndef DRACO_COMMON_SLURM_MSG_H
#define DRACO_COMMON_SLURM_MSG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/part.h"
#include "common/strv.h"

struct err;

enum slurm_outcome { /* what became of a request */
	OUTCOME_DONE,
	OUTCOME_REFUSED,     /* slurmctld said no: asking again is useless */
	OUTCOME_BUSY,	     /* slurmctld said that it cannot now: nothing happened */
	OUTCOME_UNREACHABLE, /* slurmctld was not reached: nothing happened */
	OUTCOME_UNCERTAIN,   /* sent, but no answer: it may have happened */
	OUTCOME_UNUSABLE,    /* no Slurm here, or no way to authenticate: nothing happened */
	OUTCOME_FOREIGN,     /* another Slurm answers than the one that is meant */
	OUTCOME_COUNT,
};

const char *slurm_outcome_name(enum slurm_outcome outcome);
enum slurm_outcome slurm_outcome_find(const char *name); /* OUTCOME_UNCERTAIN if unknown */

enum slurm_state { /* the base states of a Slurm job that differ for draco */
	STATE_PENDING,
	STATE_CONFIGURING, /* it has its nodes, which boot, or whose prolog runs */
	STATE_RUNNING,	   /* also resizing */
	STATE_SUSPENDED,
	STATE_COMPLETED,
	STATE_CANCELLED,
	STATE_FAILED,
	STATE_TIMEOUT,
	STATE_NODE_FAIL,
	STATE_PREEMPTED,
	STATE_OUT_OF_MEMORY,
	STATE_DEADLINE,
	STATE_COUNT,
};

const char *slurm_state_name(enum slurm_state state); /* as squeue(1) writes it */
int slurm_state_find(const char *name);		      /* -ENOENT if unknown */
bool slurm_state_is_end(enum slurm_state state);

/* Identity of a job for a user and for libslurm: "42", or "42_0" for an array's task. */
#define SLURM_JOB_ID_MAX 24
#define SLURM_NO_TASK	 (-1)

struct slurm_job {	 /* one job as a query reports it */
	uint32_t job_id; /* of the array for an array's task */
	int64_t task;	 /* SLURM_NO_TASK, or the index in the array */
	char *name;
	enum slurm_state state;
	char *reason; /* why it is pending or has ended, in Slurm's words; never NULL */
	char *partition;
	char *nodes;
	time_t submit_time, start_time,
		end_time; /* 0: not known. start_time may be predicted */
	int exit_status;  /* of the batch script, when it ended */
	int exit_signal;
	bool never; /* pending, for a reason that does not go away by waiting */
};

void slurm_job_finish(struct slurm_job *job);
char *slurm_job_format_id(uint32_t job_id, int64_t task, char buffer[SLURM_JOB_ID_MAX]);

struct slurm_submission { /* count equal jobs, submitted by one request */
	char *name;	  /* the tag by which they are found again */
	int64_t count;
	char *script;
	char *partition;   /* NULL, "": the site chooses */
	char *reservation; /* NULL: none */
	char *output;	 /* path pattern of standard output and error, as in sbatch --output */
	char *directory; /* where the script starts */
	int64_t cores;
	int64_t memory_mib; /* or MEMORY_NODE, MEMORY_NONE of common/settings.h */
	int64_t walltime_s;
	struct strv environment; /* NAME=value */
	struct strv directives;	 /* options of sbatch (common/directives.h) */
};

void slurm_submission_finish(struct slurm_submission *submission);

enum slurm_cancel_how {
	CANCEL_TERMINATE, /* SIGTERM to the batch script: it ends by itself, COMPLETED */
	CANCEL_CANCEL,	  /* as scancel(1): CANCELLED */
	CANCEL_KILL,	  /* SIGKILL to all its processes */
	CANCEL_COUNT,
};

const char *slurm_cancel_name(enum slurm_cancel_how how);
int slurm_cancel_find(const char *name); /* -ENOENT if unknown */

/* To and from JSON. Decoders fill *ret and return 0, or -EPROTO with err, *ret then empty. */
json_t *slurm_job_encode(const struct slurm_job *job);
int slurm_job_decode(const json_t *object, struct slurm_job *ret, struct err *err)
	__attribute__((warn_unused_result));
json_t *slurm_submission_encode(const struct slurm_submission *submission);
int slurm_submission_decode(const json_t *object, struct slurm_submission *ret, struct err *err)
	__attribute__((warn_unused_result));

/* The task indices of a pending array as Slurm writes them ("0-3,7%2", "0-10:2"), each given to
 * add(); returns how many, or -EINVAL when the text is not of that form, cut off, or names more
 * than limit tasks. */
int slurm_tasks_expand(
	const char *text, int limit, void (*add)(void *arg, int64_t task), void *arg);

#endif
