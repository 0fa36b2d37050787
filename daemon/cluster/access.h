/* access.h: who reaches the cluster, and where: its certificate, the network that it is on,
 * its dashboard. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_ACCESS_H
#define DRACO_DAEMON_CLUSTER_ACCESS_H

#include <jansson.h>
#include <stdbool.h>

struct cluster;
struct err;
struct paths;
struct scheduler_spec;
struct settings;
struct strv;

/* A start begins: make the certificate. */
int cluster_access_begin(struct cluster *cluster, const struct settings *settings,
	const char *id, struct err *err) __attribute__((warn_unused_result));

/* All is stopped: nobody needs the certificate any more. Idempotent. */
void cluster_access_end(struct cluster *cluster);

/* Add to spec, whose environment is already there, what concerns security and dashboard. */
int cluster_access_scheduler(struct cluster *cluster, struct scheduler_spec *spec,
	struct err *err) __attribute__((warn_unused_result));

/* The scheduler's preload said hello. */
void cluster_access_hello(struct cluster *cluster, const json_t *hello);

/* See that the dashboard's socket is where paths says: ask the scheduler to make it again where
 * it is not. Idempotent. */
void cluster_access_mend(struct cluster *cluster);

/* Add the variables that workers need. */
void cluster_access_workers(const struct cluster *cluster, struct strv *environment);

/* The interface that workers shall use where their node has it; NULL: any. */
const char *cluster_access_worker_interface(const struct cluster *cluster);

/* The variables with which Client() connects, besides the scheduler's address, added to object. */
void cluster_access_variables(const struct cluster *cluster, json_t *object);

/* For the status: {security, interface, dashboard, warnings: [text]}, added to object. */
void cluster_access_report(const struct cluster *cluster, json_t *object);

#endif
