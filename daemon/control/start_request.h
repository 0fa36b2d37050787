/* start_request.h: reads a request to start, or to plan a start. */
#ifndef DRACO_DAEMON_CONTROL_START_REQUEST_H
#define DRACO_DAEMON_CONTROL_START_REQUEST_H

#include <jansson.h>
#include <stdbool.h>

struct binding;
struct client;
struct cluster;
struct cluster_request;
struct paths;
struct rpc_message;
struct settings;

/* Fill *ret (free it with cluster_request_finish()) and *ret_limits, the site's limits that changed
 * a setting, and *ret_mistakes, texts about the site's file that the user is to be told; NULL:
 * nobody is told. The settings come from the files, the environment and the options of the client;
 * dracod's own environment does not count. Returns false after it has sent the client an error. */
bool start_request_make(struct client *client, const struct rpc_message *message,
	const struct paths *paths, struct cluster_request *ret, json_t **ret_limits,
	json_t **ret_mistakes);

/* Where the start will make its log directory; NULL: in the home. The caller frees. */
char *start_request_log_directory(const struct rpc_message *message);

/* Fill request->slurm for a start. Returns false after it has sent the client an error: the request
 * means another Slurm than this dracod's. */
bool start_request_check_slurm(struct client *client, const struct rpc_message *message,
	const struct binding *binding, struct cluster_request *request);

/* A start that joins the cluster may bring a new token for Slurm: tokens expire. */
void start_request_renew_token(const struct rpc_message *message, const struct binding *binding,
	struct cluster *cluster);

void start_request_log_limits(const json_t *limits);

/* The settings of a start that differ from those of the running cluster that it joins: [{setting,
 * running, asked}]. */
json_t *start_request_differences(const struct settings *running, const struct settings *asked);

#endif
