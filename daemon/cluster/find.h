/* find.h: what a start has to find out first. Part of the cluster; called by cluster.c only. */
#ifndef DRACO_DAEMON_CLUSTER_FIND_H
#define DRACO_DAEMON_CLUSTER_FIND_H

#include <stdbool.h>

struct cluster;

/* Ask for what is not known yet: which Python has distributed, and how the nodes reach this
 * host. Returns whether all is known; the answers wake the cluster, or fail it. */
bool cluster_find_out(struct cluster *cluster);

#endif
