/* start_wait.h: starts the cluster for a command, and shows progress. */
#ifndef DRACO_CLIENT_START_WAIT_H
#define DRACO_CLIENT_START_WAIT_H

#include <jansson.h>
#include <stdbool.h>

struct connection;
struct ctl;

/* Check the settings here, so that an error starts no dracod, and print the site's limits. Then
 * connect, and start dracod if none runs. From here on SIGINT and SIGTERM only interrupt
 * start_wait(). Returns an exit status, after a message. The caller owns *ret_limits, which is set
 * with CTL_DONE. */
int start_connect(struct connection *connection, struct ctl *ctl, json_t **ret_limits,
	bool *ret_launched);

/* The parameters of the request "start". The caller may add some. */
json_t *start_params(const struct ctl *ctl);

/* Send the request to start, take params over, and wait with progress. If it fails or is
 * interrupted, everything that it began is given back, and a dracod that was launched for it ends.
 * Returns an exit status, after a message. With CTL_DONE *ret_status is set, which the caller
 * owns. */
int start_wait(struct connection *connection, struct ctl *ctl, json_t *params,
	const json_t *limits, bool launched, double *ret_seconds, json_t **ret_status);

#endif
