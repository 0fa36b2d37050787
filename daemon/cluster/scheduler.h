/* scheduler.h: the cluster's Dask scheduler. Part of the cluster; what the scheduler's preload
 * reports comes in by cluster.h. */
#ifndef DRACO_DAEMON_CLUSTER_SCHEDULER_H
#define DRACO_DAEMON_CLUSTER_SCHEDULER_H

#include "daemon/dask/scheduler.h"

struct cluster;

extern const struct scheduler_ops cluster_scheduler_ops;

/* Start it; where that cannot be, the cluster fails. */
void cluster_start_scheduler(struct cluster *cluster);

#endif
