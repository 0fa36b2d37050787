/* directives.h: sbatch's options as members of the job description of libslurm. Pure. */
#ifndef DRACO_DAEMON_DRACO_SLURM_DIRECTIVES_H
#define DRACO_DAEMON_DRACO_SLURM_DIRECTIVES_H

#include <slurm/slurm.h>

struct err;
struct strv;

/* Put all directives of list (common/directives.h) into job. What the members of job point to is in
 * list, and in texts, to which this adds: both must outlive job. -EINVAL or -EOPNOTSUPP with err:
 * one of them is wrong, or this libslurm has no such option; job is not to be used then. */
int directives_apply(const struct strv *list, job_desc_msg_t *job, struct strv *texts,
	struct err *err) __attribute__((warn_unused_result));

#endif
