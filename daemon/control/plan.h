/* plan.h: the request "plan": the places where a start would put its jobs. Nothing is submitted. */
#ifndef DRACO_DAEMON_CONTROL_PLAN_H
#define DRACO_DAEMON_CONTROL_PLAN_H

#include <jansson.h>

struct bad_nodes;
struct client;
struct cluster_request;
struct err;
struct plans;
struct slurm;

struct plans *plans_create(struct slurm *slurm);
struct plans *plans_destroy(struct plans *plans); /* call it after slurm_destroy() */

/* Search for places for jobs that avoid these nodes, and answer client's request id with
 * {candidates, chosen, now}. -EBUSY: too many requests to Slurm are waiting. */
int plans_begin(struct plans *plans, struct client *client, const json_t *id,
	const struct cluster_request *request, const struct bad_nodes *nodes, struct err *err);

/* client is gone: drop its plans. */
void plans_client_gone(struct plans *plans, struct client *client);

#endif
