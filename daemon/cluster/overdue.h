/* overdue.h: running jobs whose workers are missing for too long, and pending jobs that are held.
 * Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_OVERDUE_H
#define DRACO_DAEMON_CLUSTER_OVERDUE_H

struct cluster;

/* End the jobs whose workers have not come in time, or have all gone, or fail the start.
 * Plans the next look. */
void cluster_check_workers_come(struct cluster *cluster);

/* Tell of jobs that are held, and end those that nobody has released in time, or fail the
 * start. Plans the next look. */
void cluster_check_held(struct cluster *cluster);

#endif
