/* brim.h: a Dask scheduler whose memory is nearly full. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_BRIM_H
#define DRACO_DAEMON_CLUSTER_BRIM_H

struct cluster;

/* Look at the scheduler's memory from time to time, and tell the user when little is left. Plans
 * the next look. */
void cluster_check_brim(struct cluster *cluster);

/* The scheduler has ended or was started anew: forget all of it. */
void cluster_brim_finish(struct cluster *cluster);

#endif
