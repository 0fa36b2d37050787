/* cluster_giveback.h: giving a job back without losing a task or a result. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_GIVEBACK_H
#define DRACO_DAEMON_CLUSTER_GIVEBACK_H

#include <stdbool.h>

#include "daemon/fleet.h"

struct cluster;
struct job;

/* Do what fleet_decide() said about job. forced: whatever runs there. why: for a person. */
void cluster_giveback(struct cluster *cluster, struct job *job, enum fleet_action action,
	bool forced, const char *why);

/* A worker connected: if its job is on its way out it shall get no tasks. */
void cluster_giveback_worker(struct cluster *cluster, const char *name, const char *address);

/* A scheduler has connected, perhaps again: workers that shall work are to get tasks. */
void cluster_giveback_hello(struct cluster *cluster);

#endif
