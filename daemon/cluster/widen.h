/* widen.h: jobs that wait too long where they are. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_WIDEN_H
#define DRACO_DAEMON_CLUSTER_WIDEN_H

struct cluster;

/* Widen the jobs that have waited for wait_timeout; fail a start for which no place is left.
 * Plans the next look. */
void cluster_check_waiting(struct cluster *cluster);

/* Of a job on standby and its substitute, keep the one that has started; without its substitute
 * the one on standby goes, too. */
void cluster_settle_roles(struct cluster *cluster);

#endif
