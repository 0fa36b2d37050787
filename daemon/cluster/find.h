/* find.h: the facts that a start needs first. Part of the cluster; called by cluster.c only. */
#ifndef DRACO_DAEMON_CLUSTER_FIND_H
#define DRACO_DAEMON_CLUSTER_FIND_H

#include <stdbool.h>

struct cluster;

/* Search for the facts that are still missing: a Python with distributed, and the address by which
 * the nodes reach this host. Returns whether all are known. Each answer wakes the cluster, or fails
 * it. */
bool cluster_find_out(struct cluster *cluster);

#endif
