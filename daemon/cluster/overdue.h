/* overdue.h: running jobs whose workers are missing for too long, and pending jobs that are held.
 * Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_OVERDUE_H
#define DRACO_DAEMON_CLUSTER_OVERDUE_H

struct cluster;

/* End jobs whose workers have not connected in time or have all gone; during a start, fail it.
 * Plans the next look. */
void cluster_check_workers_come(struct cluster *cluster);

/* Tell the user about held jobs. End those that nobody has released in time; during a start, fail
 * it. Plans the next look. */
void cluster_check_held(struct cluster *cluster);

#endif
