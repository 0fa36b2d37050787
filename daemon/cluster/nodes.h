/* nodes.h: the nodes that the cluster's jobs avoid. A file remembers them for later starts and
 * other dracods. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_NODES_H
#define DRACO_DAEMON_CLUSTER_NODES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct cluster;
struct job;

/* Load the nodes that are still excluded from the file. Damaged entries are ignored. */
void cluster_nodes_load(struct cluster *cluster);

/* Save the excluded nodes to the file. An error is logged. */
void cluster_nodes_save(const struct cluster *cluster);

/* Record a failure for which the node of job may be to blame. After several the node is excluded,
 * also for pending jobs. since_ms: loop time of the failure. how: for a person. */
void cluster_nodes_blame(
	struct cluster *cluster, const struct job *job, int64_t since_ms, const char *how);

/* Keep pending jobs away from the excluded nodes. Idempotent. Plans the next try. */
void cluster_nodes_settle(struct cluster *cluster);

/* Forget all failures of nodes, because jobs find no place or fail everywhere. Returns whether a
 * node was excluded. why: for a person. */
bool cluster_nodes_forgive(struct cluster *cluster, const char *why);

/* For the status: [{node, until}] of the excluded nodes. */
json_t *cluster_nodes_report(const struct cluster *cluster);

#endif
