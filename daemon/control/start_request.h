/* start_request.h: what a request to start, or to plan a start, brings along. */
#ifndef DRACO_DAEMON_CONTROL_START_REQUEST_H
#define DRACO_DAEMON_CONTROL_START_REQUEST_H

#include <jansson.h>
#include <stdbool.h>

struct binding;
struct client;
struct cluster_request;
struct rpc_message;
struct settings;

/* Fill *ret (cluster_request_finish() frees) and *ret_limits, the limits of the site that bit. The
 * settings come from the files, the environment and the options of the caller: the environment that
 * dracod was started in does not matter. False when something is wrong: the client was told. */
bool start_request_make(struct client *client, const struct rpc_message *message,
	struct cluster_request *ret, json_t **ret_limits);

/* Fill request->slurm, of a start that would submit. False when it means another Slurm than
 * this dracod's: the client was told. */
bool start_request_check_slurm(struct client *client, const struct rpc_message *message,
	const struct binding *binding, struct cluster_request *request);

void start_request_log_limits(const json_t *limits);

/* What a start asked for and the cluster that it joins does not have: [{setting, running,
 * asked}]. */
json_t *start_request_differences(const struct settings *running, const struct settings *asked);

#endif
