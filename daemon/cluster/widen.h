/* widen.h: jobs that wait too long in their places. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_WIDEN_H
#define DRACO_DAEMON_CLUSTER_WIDEN_H

struct cluster;

/* Let jobs that have waited for wait_timeout run in the next place, too. Fails a start for which no
 * place is left. Plans the next look. */
void cluster_check_waiting(struct cluster *cluster);

/* Of the jobs for one need, those on standby and their substitute, keep the one that has started.
 * End a job on standby that has lost its substitute. Instead of substitutes that Slurm has refused,
 * plan others for the next place. Without one, the jobs on standby count again. */
void cluster_settle_roles(struct cluster *cluster);

#endif
