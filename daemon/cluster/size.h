/* size.h: the size of the cluster: as large as the work, or as a user says. */
#ifndef DRACO_DAEMON_CLUSTER_SIZE_H
#define DRACO_DAEMON_CLUSTER_SIZE_H

struct cluster;

/* A start begins, with the cluster's settings. */
void cluster_size_begin(struct cluster *cluster);

/* Bring the jobs to the size that is needed now. Plans the next look. */
void cluster_size_reconcile(struct cluster *cluster);

/* Frees what cluster_size_begin() and the others keep. */
void cluster_size_finish(struct cluster *cluster);

/* "ready tasks 400, target 5 jobs, limit 5": for a person; the caller frees. */
char *cluster_size_why(const struct cluster *cluster);

#endif
