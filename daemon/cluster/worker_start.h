/* worker_start.h: falling back from forkserver to spawn. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_WORKER_START_H
#define DRACO_DAEMON_CLUSTER_WORKER_START_H

#include <stdbool.h>
#include <stdint.h>

struct cluster;
struct job;

/* A wanted job is GONE: may its forkserver be why? Then workers start by spawn from now on, the
 * user is told (once), and the loss does not count as a failure of the cluster. */
bool cluster_forkserver_is_to_blame(struct cluster *cluster, struct job *job);

/* The same for jobs that run without workers, or whose workers die at once: they are ended. Returns
 * the loop time of the next look, INT64_MAX when there is none. */
int64_t cluster_check_worker_start(struct cluster *cluster);

/* The file whose being there makes jobs that were submitted before the fall-back start by
 * spawn, too; the caller frees. */
char *cluster_spawn_mark(const struct cluster *cluster);

#endif
