/* request.h: requests to dracod: one connection, one request at a time. */
#ifndef DRACO_CLIENT_REQUEST_H
#define DRACO_CLIENT_REQUEST_H

#include <jansson.h>
#include <stdbool.h>

#include "client/reach.h"
#include "common/err.h"
#include "common/line.h"

struct ctl;

struct connection {
	struct channel channel;
	struct line_reader reader;
	json_int_t last_id;
	json_t *hello; /* dracod's answer to hello */
	const struct ctl *ctl;
	bool exact; /* leave texts unchanged: JSON output escapes them itself */
};

#define CONNECTION_INIT                                                     \
	{                                                                   \
		.channel = CHANNEL_INIT, .reader = LINE_READER_INIT_ANSWERS \
	}

/* The error in dracod's answer, besides its text. */
struct refusal {
	int code;     /* of enum rpc_code; 0: there was no answer */
	json_t *data; /* may be NULL; the caller owns it */
};

/* Compute the paths for ctl->name, connect to its dracod, and exchange versions. 0. -ENOENT: no
 * dracod runs. Otherwise -errno with err: it cannot be used; see seek_dracod(). */
int connection_open(struct connection *connection, struct ctl *ctl, struct err *err);
void connection_close(struct connection *connection);

/* Called for each notification before the answer. Returning false ends the wait (-EINTR). method
 * NULL is a tick: nothing has arrived for a while. */
typedef bool (*notification_fn)(void *arg, const char *method, const json_t *params);

/* Send a request, take params over, and wait for the answer. 0 with *ret_result, which the caller
 * owns, or -errno with err and *refusal.
 *
 * Control characters in texts are replaced (visible.h), except in answers to "environment" and
 * "script", and with an exact connection. fn may be NULL. A signal handler without SA_RESTART
 * causes a tick. */
int connection_call(struct connection *connection, const char *method, json_t *params,
	notification_fn fn, void *arg, json_t **ret_result, struct refusal *refusal,
	struct err *err);

/* Call fn for each notification, with ticks as above. 0: fn has returned false. -errno with err:
 * the connection has ended. */
int connection_listen(
	struct connection *connection, notification_fn fn, void *arg, struct err *err);

#endif
