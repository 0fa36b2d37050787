/* request.h: talking to dracod: one connection, one request at a time. */
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
	json_t *hello; /* dracod's answer to it */
	bool exact;    /* texts stay as they came: for JSON, which escapes by itself */
};

#define CONNECTION_INIT                 \
	{                               \
		.channel = CHANNEL_INIT \
	}

/* An error that dracod answered with, besides its text. */
struct refusal {
	int code;     /* of enum rpc_code; 0: the answer did not come at all */
	json_t *data; /* may be NULL; the caller frees */
};

/* Connect to the dracod of ctl->name (whose paths are computed here) and exchange versions. 0;
 * -ENOENT when none runs; another negative errno, with err, when one does but cannot be used: as
 * seek_dracod(). */
int connection_open(struct connection *connection, struct ctl *ctl, struct err *err);
void connection_close(struct connection *connection);

/* Told of each notification that comes before the answer; false ends the waiting (-EINTR). With
 * method NULL it is a tick: nothing came for a while. */
typedef bool (*notification_fn)(void *arg, const char *method, const json_t *params);

/* Ask, taking over params, and wait for the answer, whose texts can be shown (visible.h) but
 * for those of "environment" and "script", and where the connection is exact: 0 with
 * *ret_result (the caller frees), or a negative errno with err and *refusal. fn may be NULL. A
 * signal handler without SA_RESTART makes a tick. */
int connection_call(struct connection *connection, const char *method, json_t *params,
	notification_fn fn, void *arg, json_t **ret_result, struct refusal *refusal,
	struct err *err);

/* Hand each notification to fn, with ticks as above, until it returns false (0) or the
 * connection ends (a negative errno with err). */
int connection_listen(
	struct connection *connection, notification_fn fn, void *arg, struct err *err);

/* Connect for a command that needs a running dracod: on failure the message is printed and the exit
 * status to end with is returned, else 0. */
int connection_need(struct connection *connection, struct ctl *ctl);

#endif
