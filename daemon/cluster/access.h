/* access.h: access to the cluster: its certificate, its network and its dashboard. Part of the
 * cluster. */
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

/* A start begins: make the certificate, where the settings ask for TLS. 0, or -errno with err. */
int cluster_access_begin(struct cluster *cluster, const struct settings *settings,
	const char *id, struct err *err) __attribute__((warn_unused_result));

/* Free the certificate, once the scheduler and all jobs are gone. Idempotent. */
void cluster_access_end(struct cluster *cluster);

/* Go on with the certificate of the cluster that an earlier dracod has started. -ENOENT with err:
 * it is not there any more. */
int cluster_access_adopt(struct cluster *cluster, struct err *err)
	__attribute__((warn_unused_result));

/* Plan the dashboard of a scheduler that is about to start. 0, or -errno with err. */
int cluster_access_plan(struct cluster *cluster, struct err *err)
	__attribute__((warn_unused_result));

/* Add the options and variables for security and the dashboard to spec, whose environment must
 * already be set. */
void cluster_access_scheduler(const struct cluster *cluster, struct scheduler_spec *spec);

/* The scheduler's preload has said hello. */
void cluster_access_hello(struct cluster *cluster, const json_t *hello);

/* Make sure that the dashboard's socket is at the path that paths names; if it is not, ask the
 * scheduler to make it again. Idempotent. */
void cluster_access_mend(struct cluster *cluster);

/* Add the variables that workers need for security to environment. */
void cluster_access_workers(const struct cluster *cluster, struct strv *environment);

/* The interface that workers use if their node has it; NULL: any. Borrowed. */
const char *cluster_access_worker_interface(const struct cluster *cluster);

/* Add the variables that Client() needs to connect to object, except the scheduler's address. */
void cluster_access_variables(const struct cluster *cluster, json_t *object);

/* Add {security, interface, dashboard, warnings: [text]} to object, for the status. */
void cluster_access_report(const struct cluster *cluster, json_t *object);

#endif
