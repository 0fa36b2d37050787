/* widen.h: jobs that wait too long where they are. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_WIDEN_H
#define DRACO_DAEMON_CLUSTER_WIDEN_H

#include <stdint.h>

struct cluster;

/* Widen the jobs that have waited for wait_timeout; fail a start for which no place is left.
 * Returns the loop time of the next deadline, INT64_MAX when there is none. */
int64_t cluster_check_waiting(struct cluster *cluster);

/* Of a job on standby and its substitute, keep the one that has started; without its substitute
 * the one on standby goes, too. */
void cluster_settle_roles(struct cluster *cluster);

#endif
