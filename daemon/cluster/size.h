/* size.h: the cluster's size: it follows the load, or the user's word. */
#ifndef DRACO_DAEMON_CLUSTER_SIZE_H
#define DRACO_DAEMON_CLUSTER_SIZE_H

struct cluster;

/* A start begins, with the cluster's settings. */
void cluster_size_begin(struct cluster *cluster);

/* Bring the cluster to the wanted number of jobs. Plans the next look. */
void cluster_size_reconcile(struct cluster *cluster);

/* Free all that this part has allocated. */
void cluster_size_finish(struct cluster *cluster);

/* The reason for the present size, for a person: "ready tasks 400, target 5 jobs, limit 5". The
 * caller frees. */
char *cluster_size_why(const struct cluster *cluster);

#endif
