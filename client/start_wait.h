/* start_wait.h: bringing the cluster up for a command, with what people see meanwhile. */
#ifndef DRACO_CLIENT_START_WAIT_H
#define DRACO_CLIENT_START_WAIT_H

#include <jansson.h>
#include <stdbool.h>

struct connection;
struct ctl;

/* Check the settings here, so that a mistake costs no daemon, telling what the site does not
 * allow; then connect, starting dracod when none runs. SIGINT and SIGTERM only interrupt
 * start_wait() from now on. Returns an exit status, after a message; with CTL_DONE *ret_limits
 * (the caller frees in any case). */
int start_connect(struct connection *connection, struct ctl *ctl, json_t **ret_limits,
	bool *ret_launched);

/* The parameters of the request "start"; the caller may add some. */
json_t *start_params(const struct ctl *ctl);

/* Ask for the start, taking over params, and wait, showing progress. When it fails or is
 * interrupted, what it began is given back, and a dracod that was launched for it ends. Returns
 * an exit status, after a message; with CTL_DONE *ret_status (the caller frees). */
int start_wait(struct connection *connection, struct ctl *ctl, json_t *params,
	const json_t *limits, bool launched, double *ret_seconds, json_t **ret_status);

#endif
