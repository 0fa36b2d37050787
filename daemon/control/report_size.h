/* report_size.h: the size of the cluster as users and programs see it. */
#ifndef DRACO_DAEMON_CONTROL_REPORT_SIZE_H
#define DRACO_DAEMON_CONTROL_REPORT_SIZE_H

#include <jansson.h>

struct cluster;

/* {mode, paused, paused_why, minimum_jobs, maximum_jobs, target, needed, why, per_job}; null: the
 * cluster is neither STARTING nor RUNNING. */
json_t *report_size(const struct cluster *cluster);

#endif
