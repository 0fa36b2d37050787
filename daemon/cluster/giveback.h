/* giveback.h: giving a job back without losing a task or a result. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_GIVEBACK_H
#define DRACO_DAEMON_CLUSTER_GIVEBACK_H

#include <stdbool.h>

#include "daemon/policy/fleet.h"

struct cluster;
struct job;

/* Do what fleet_decide() said about job. forced: do not wait for its tasks and results. why: the
 * reason, for a person. */
void cluster_giveback(struct cluster *cluster, struct job *job, enum fleet_action action,
	bool forced, const char *why);

/* The preload has said hello, perhaps again: its list of drained workers may be out of date. */
void cluster_giveback_hello(struct cluster *cluster);

/* Bring the preload up to date. Workers of wanted jobs get tasks again; workers that have connected
 * for a job on its way out get none. Idempotent. Plans the next try. */
void cluster_giveback_settle(struct cluster *cluster);

#endif
