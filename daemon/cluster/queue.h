/* queue.h: what Slurm's queue shows of the cluster's jobs, and when it is read again. Part of the
 * cluster. */
#ifndef DRACO_DAEMON_CLUSTER_QUEUE_H
#define DRACO_DAEMON_CLUSTER_QUEUE_H

struct cluster;
struct poll_ops;

extern const struct poll_ops cluster_poll_ops;

/* Plan the next look at the queue. */
void cluster_plan_poll(struct cluster *cluster);

#endif
