/* nodes.h: the nodes that the cluster's jobs avoid, kept in a file so that another start, or
 * another dracod, avoids them, too. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_NODES_H
#define DRACO_DAEMON_CLUSTER_NODES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct cluster;
struct job;

/* Take over from the file what is excluded still; what is wrong there does not count. */
void cluster_nodes_load(struct cluster *cluster);

/* Keep what is excluded now. The log tells when that fails. */
void cluster_nodes_save(const struct cluster *cluster);

/* A job has failed for a reason that may be its node's, and how: after some of them the node is
 * excluded, also for jobs that are pending. since_ms: loop time of that failure. */
void cluster_nodes_blame(
	struct cluster *cluster, const struct job *job, int64_t since_ms, const char *how);

/* Keep the jobs that are pending away from the nodes that are excluded by now. Idempotent;
 * plans the next try. */
void cluster_nodes_settle(struct cluster *cluster);

/* Forget what has failed where, as there is no place for jobs, or they fail everywhere. Were
 * there excluded nodes? why: for a person. */
bool cluster_nodes_forgive(struct cluster *cluster, const char *why);

/* For the status: [{node, until}] of the excluded nodes. */
json_t *cluster_nodes_report(const struct cluster *cluster);

#endif
