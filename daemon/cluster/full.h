/* full.h: workers that are paused because their memory is full. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_FULL_H
#define DRACO_DAEMON_CLUSTER_FULL_H

struct cluster;

/* Tell the user when tasks wait and all workers have been paused for a while, and count such
 * workers as taken, so that other jobs are asked for. Plans the next look. */
void cluster_check_full(struct cluster *cluster);

#endif
