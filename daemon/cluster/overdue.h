/* overdue.h: jobs that run without workers for too long, and pending jobs that are held. Part of
 * the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_OVERDUE_H
#define DRACO_DAEMON_CLUSTER_OVERDUE_H

#include <stdint.h>

struct cluster;

/* End the jobs whose workers have not come in time, or have all gone, or fail the start.
 * Returns the loop time of the next look, INT64_MAX when there is none. */
int64_t cluster_check_workers_come(struct cluster *cluster);

/* Tell of jobs that are held, and end those that nobody has released in time, or fail the
 * start. Returns as cluster_check_workers_come(). */
int64_t cluster_check_held(struct cluster *cluster);

#endif
