/* stall.h: state files that cannot be written, because their file system does not answer. Part of
 * the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_STALL_H
#define DRACO_DAEMON_CLUSTER_STALL_H

struct cluster;

/* Go on when state files are written; and no longer. */
void cluster_stall_begin(struct cluster *cluster);
void cluster_stall_end(struct cluster *cluster);

/* Tell the user when they wait for long, and when they no longer do. Plans the next look. */
void cluster_check_stall(struct cluster *cluster);

#endif
