/* queue.h: applies Slurm's queue to the cluster's jobs, and plans the next query. Part of the
 * cluster. */
#ifndef DRACO_DAEMON_CLUSTER_QUEUE_H
#define DRACO_DAEMON_CLUSTER_QUEUE_H

struct cluster;
struct poll_ops;

extern const struct poll_ops cluster_poll_ops;

/* Plan the next query of the queue. */
void cluster_plan_poll(struct cluster *cluster);

#endif
