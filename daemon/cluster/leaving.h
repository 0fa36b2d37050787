/* leaving.h: tells the preload which jobs are on their way out, so that no worker of theirs that
 * connects late takes a task and dies with it. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_LEAVING_H
#define DRACO_DAEMON_CLUSTER_LEAVING_H

#include <stdbool.h>

struct cluster;
struct job;

/* Is the job given back, or is it ending? */
bool job_is_leaving(const struct job *job);

/* The preload has said hello: it knows no such job yet. */
void cluster_leaving_hello(struct cluster *cluster);

/* Tell the preload about jobs that have begun to leave, or stay after all. Idempotent. */
void cluster_leaving_settle(struct cluster *cluster);

#endif
