/* worker_start.h: the fall-back from forkserver to spawn. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_WORKER_START_H
#define DRACO_DAEMON_CLUSTER_WORKER_START_H

#include <stdbool.h>

struct cluster;
struct job;

/* A wanted job is GONE. Can forkserver be the cause? If so, later jobs start their workers by
 * spawn, the user is told once, and the loss is not counted as a failure of the cluster. */
bool cluster_forkserver_is_to_blame(struct cluster *cluster, struct job *job);

/* The same check for running jobs without workers, or whose workers die at once. Such jobs are
 * ended. Plans the next check. */
void cluster_check_worker_start(struct cluster *cluster);

/* The path of the mark for spawn. While this file exists, jobs that were submitted before the
 * fall-back use spawn, too. The caller frees. */
char *cluster_spawn_mark(const struct cluster *cluster);

#endif
