/* squeue_output.h: the fields that draco asks squeue(1) for, and reading them. Pure. */
#ifndef DRACO_COMMON_SQUEUE_OUTPUT_H
#define DRACO_COMMON_SQUEUE_OUTPUT_H

#include <stdbool.h>

#include "common/slurm_msg.h"

struct err;

/* The argument of squeue --Format. */
extern const char squeue_format[];

/* Called for each job; tasks lists the tasks of a pending array (slurm_tasks_expand()), otherwise
 * it is NULL and job->task counts. Both are borrowed. Returns 0, or a negative errno, which ends
 * the reading. */
typedef int squeue_job_fn(void *arg, struct slurm_job *job, const char *tasks);

/* Was the end of this job asked for by draco, and how? An enum slurm_cancel_how, or -1: it was
 * not. */
typedef int squeue_ended_fn(const struct slurm_job *job);

/* Read the output of squeue. 0; -EPROTO with err: it has another form; or what each() has
 * returned. */
int squeue_output_read(const char *text, squeue_ended_fn *ended, squeue_job_fn *each, void *arg,
	struct err *err) __attribute__((warn_unused_result));

#endif
