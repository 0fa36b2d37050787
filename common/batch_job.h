/* batch_job.h: the Slurm job in which this program runs, and the name of its cluster.
 *
 * Slurm ends what runs in a job with the job. Therefore a cluster that is started there gets a
 * name of its own, "job-ID". _batch_job.py finds the same. */
#ifndef DRACO_COMMON_BATCH_JOB_H
#define DRACO_COMMON_BATCH_JOB_H

#include <stdbool.h>

#define BATCH_JOB_PREFIX "job-"

/* The id of the job that SLURM_JOB_ID names; NULL when this process does not run in it: the
 * variable alone is also in the shell of salloc, for example. Found once. */
const char *batch_job_id(void);

/* Whether the step of that job around this process goes on, as far as that is known: false where
 * no process of Slurm is above this one. */
bool batch_job_lives(void);

/* The cluster's name when none is given: $DRACO_NAME, that of the job around, or "default". */
const char *batch_job_default_name(void);

/* Whether this text of /proc/PID/cgroup is that of a process in the job. Pure. */
bool batch_job_in_cgroup(const char *text, const char *id);

#endif
