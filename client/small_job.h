/* small_job.h: what the small jobs of dracoctl doctor and config init ask for, besides their size:
 * what the site may demand of each job, such as an account. Pure. */
#ifndef DRACO_CLIENT_SMALL_JOB_H
#define DRACO_CLIENT_SMALL_JOB_H

#include <jansson.h>

#include "common/settings.h"

/* The options of sbatch that the settings give a job in this partition, as directives
 * (common/directives.h): [text]. The caller owns it. */
json_t *small_job_directives(const struct settings *settings, const char *partition);

/* The parameters of draco-slurm's "inspect", to ask about these partitions, [name], which are taken
 * over. The caller owns the result. */
json_t *small_job_inspect(const struct settings *settings, json_t *partitions);

#endif
