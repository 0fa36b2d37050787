/* slurm_msg.h: the messages between dracod and draco-slurm: their values and JSON. Pure.
 *
 * JSON-RPC 2.0, one message per line, over a socketpair. draco-slurm answers in the order of the
 * requests:
 *
 *	hello  {protocol, slurm}       -> {protocol, version}; slurm, from slurm_site_encode(), is
 *					   the only Slurm in which other requests than munge are
 *					   carried out; it may be missing
 *	identify {}		       -> {cluster, controllers}: slurm_site_encode()
 *	site   {partitions, host, path} -> {controller, address, version, array_max,
 *	                                   nodes: [address], host: [address],
 *	                                   slurm: as identify}; path is the start's PATH, which
 *	                                   is searched for sbatch first
 *	submit {submission}            -> {job_id, tasks, said}: said holds the site's messages
 *	query  {prefix}                -> {jobs: [...]}
 *	cancel {jobs: ["42_0"], how}   -> {}
 *	survey {cores, memory_mib, exclude} -> {partitions, reservations}: survey.h
 *	predict {submission, candidates: [{partition, reservation, directives}]}
 *	                               -> {predictions: [{start} or {refused}]}, in their order;
 *	                                  a candidate without directives has the submission's
 *	update {jobs: ["42_0"], partition, reservation, exclude} -> {}: the places of pending
 *	                                  jobs; a missing member changes nothing
 *
 * The data of an error have "outcome": the request was refused, has never reached slurmctld, or may
 * have been carried out. */
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
	OUTCOME_REFUSED,     /* slurmctld has refused: trying again is useless */
	OUTCOME_BUSY,	     /* slurmctld cannot at the moment: nothing has happened */
	OUTCOME_UNREACHABLE, /* slurmctld was not reached: nothing has happened */
	OUTCOME_UNCERTAIN,   /* sent without an answer: it may have happened */
	OUTCOME_UNUSABLE,    /* no Slurm here, or no authentication: nothing has happened */
	OUTCOME_FOREIGN,     /* another Slurm has answered */
	OUTCOME_COUNT,
};

const char *slurm_outcome_name(enum slurm_outcome outcome);
enum slurm_outcome slurm_outcome_find(const char *name); /* OUTCOME_UNCERTAIN if unknown */

enum slurm_state { /* the base states of a Slurm job, as far as draco distinguishes them */
	STATE_PENDING,
	STATE_CONFIGURING, /* it has its nodes, which boot or run the prolog */
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

/* The id of a job for users and for libslurm: "42", or "42_0" for a task of an array. */
#define SLURM_JOB_ID_MAX 24
#define SLURM_NO_TASK	 (-1)

struct slurm_job {	 /* one job as a query reports it */
	uint32_t job_id; /* for a task of an array, the array's id */
	int64_t task;	 /* SLURM_NO_TASK, or its index in the array */
	char *name;
	enum slurm_state state;
	char *reason; /* why it is pending or has ended, in Slurm's words; never NULL */
	char *partition;
	char *nodes;
	time_t submit_time, start_time,
		end_time; /* 0: not known. start_time may be predicted */
	int exit_status;  /* of the batch script; valid when it has ended */
	int exit_signal;
	bool never; /* pending for a reason that waiting does not remove */
};

void slurm_job_finish(struct slurm_job *job);
char *slurm_job_format_id(uint32_t job_id, int64_t task, char buffer[SLURM_JOB_ID_MAX]);

struct slurm_submission { /* equal jobs, submitted by one request */
	char *name;	  /* the tag by which draco finds them again */
	int64_t count;
	char *script;
	char *partition;   /* NULL or "": the site's default */
	char *reservation; /* NULL: none */
	char *output;	 /* path pattern of standard output and error, as in sbatch --output */
	char *directory; /* where the script starts */
	/* CORES_NODE, MEMORY_NODE and MEMORY_NONE of common/settings.h are possible, too. */
	int64_t cores;
	int64_t memory_mib;
	int64_t walltime_s;
	struct strv environment; /* NAME=value */
	struct strv directives;	 /* options of sbatch (common/directives.h) */
};

void slurm_submission_finish(struct slurm_submission *submission);

enum slurm_cancel_how {
	CANCEL_TERMINATE, /* SIGTERM to the batch script, which ends by itself: COMPLETED */
	CANCEL_CANCEL,	  /* as scancel(1): CANCELLED */
	CANCEL_KILL,	  /* SIGKILL to all its processes */
	CANCEL_COUNT,
};

const char *slurm_cancel_name(enum slurm_cancel_how how);
int slurm_cancel_find(const char *name); /* -ENOENT if unknown */

/* Conversion to and from JSON. Decoders fill *ret and return 0, or -EPROTO with err and an empty
 * *ret. */
json_t *slurm_job_encode(const struct slurm_job *job);
int slurm_job_decode(const json_t *object, struct slurm_job *ret, struct err *err)
	__attribute__((warn_unused_result));
json_t *slurm_submission_encode(const struct slurm_submission *submission);
int slurm_submission_decode(const json_t *object, struct slurm_submission *ret, struct err *err)
	__attribute__((warn_unused_result));

/* Call add() for each task index of a pending array, which Slurm writes as "0-3,7%2" or "0-10:2".
 * Returns their number. -EINVAL: the text has another form, is truncated, or names more than limit
 * tasks. */
int slurm_tasks_expand(
	const char *text, int limit, void (*add)(void *arg, int64_t task), void *arg);

#endif
