/* scheduler.h: starts the cluster's Dask scheduler and applies the reports of its preload. Part of
 * the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_SCHEDULER_H
#define DRACO_DAEMON_CLUSTER_SCHEDULER_H

#include <jansson.h>

#include "daemon/dask/scheduler.h"

struct cluster;
struct err;
struct record_scheduler;

extern const struct scheduler_ops cluster_scheduler_ops;

/* Start the scheduler. If that is impossible, the cluster fails. */
void cluster_start_scheduler(struct cluster *cluster);

/* Go on with the scheduler of an earlier dracod. -ESRCH or -EBADMSG with err. */
int cluster_adopt_scheduler(struct cluster *cluster, const struct record_scheduler *recorded,
	struct err *err) __attribute__((warn_unused_result));

/* Events of the scheduler's preload. */
int cluster_scheduler_hello(struct cluster *cluster, const json_t *hello, struct err *err);
void cluster_scheduler_lost(struct cluster *cluster);
void cluster_worker_added(
	struct cluster *cluster, const char *name, const char *address, int64_t threads);
void cluster_worker_removed(
	struct cluster *cluster, const char *address, bool asked, const json_t *death);
void cluster_workers_load(struct cluster *cluster, const json_t *workers);
void cluster_set_load(struct cluster *cluster, const json_t *load);

#endif
