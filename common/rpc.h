/* rpc.h: JSON-RPC 2.0, one message per line: the codec and the table of methods, without I/O.
 *
 * The control socket, the connection of the scheduler's preload and the connection to draco-slurm
 * have the same framing: one JSON object per line, at most LINE_LIMIT bytes (common/line.h). */
#ifndef DRACO_COMMON_RPC_H
#define DRACO_COMMON_RPC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct err;

/* The version of the control protocol, exchanged in "hello". It is raised if an old peer would
 * misunderstand a new one. Names of retired methods stay reserved. */
#define RPC_PROTOCOL 1

enum rpc_code { /* those of JSON-RPC 2.0, then draco's own */
	RPC_PARSE_ERROR = -32700,
	RPC_INVALID_REQUEST = -32600,
	RPC_METHOD_NOT_FOUND = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_INTERNAL_ERROR = -32603,
	RPC_FAILED = -32000,	  /* the request was understood, but its work failed */
	RPC_NOT_RUNNING = -32001, /* there is no running cluster */
	RPC_WRONG_VERSION = -32002,
	RPC_HELLO_FIRST = -32003,
	RPC_CANCELLED = -32004, /* another request has ended this one's work */
};

enum rpc_kind {
	RPC_REQUEST,	  /* has method, params, id */
	RPC_NOTIFICATION, /* has method, params */
	RPC_RESULT,	  /* has id, result */
	RPC_ERROR,	  /* has id, code, text, data */
};

struct rpc_message {
	enum rpc_kind kind;
	json_t *id;	    /* string or integer; null in an RPC_ERROR for an unknown request */
	const char *method; /* a part of root */
	json_t *params;	    /* object; NULL: absent. Parts of root, as result and data are */
	json_t *result;
	json_t *data;
	const char *text;
	int code;
	json_t *root; /* owns all the members above */
};

/* Parse one line. 0; -EBADMSG with err: it is no JSON; -EPROTO with err: it is not JSON-RPC 2.0.
 * After an error *ret holds only the id for the answer, which may be null. rpc_message_finish()
 * frees in all cases. */
int rpc_parse(const char *line, size_t length, struct rpc_message *ret, struct err *err)
	__attribute__((warn_unused_result));

/* Replace control characters in all texts and member names of a message, so that they cannot
 * control a terminal (visible_value()). */
void rpc_message_make_visible(struct rpc_message *message);

void rpc_message_finish(struct rpc_message *message);

/* Format a message, without a newline. The caller frees. params, result and data are taken over
 * (NULL: absent); id is not. */
char *rpc_format_request(json_int_t id, const char *method, json_t *params);
char *rpc_format_notification(const char *method, json_t *params);
char *rpc_format_result(const json_t *id, json_t *result);
char *rpc_format_error(const json_t *id, int code, const char *text, json_t *data);

/* The methods of the control socket. */
enum rpc_method_id {
	RPC_HELLO,
	RPC_START,
	RPC_STATUS,
	RPC_STOP,
	RPC_SHUTDOWN,
	RPC_LEAVE,
	RPC_ENVIRONMENT,
	RPC_LOGS,
	RPC_PLAN,
	RPC_SCRIPT,
	RPC_EVENTS,
	RPC_SCALE,
	RPC_ADAPT,
	RPC_PAUSE,
	RPC_RESUME,
	RPC_RETIRE,
	RPC_ATTACH,
	RPC_SHARE,
	RPC_METHOD_COUNT,
};

#define RPC_PARAMS_MAX 10

struct rpc_param {
	const char *name; /* NULL ends the list */
	/* 'i' integer, 'n' number, 's' string, 'b' boolean, 'o' object, 'a' array */
	char type;
	bool required;
};

struct rpc_method {
	const char *name;
	bool before_hello; /* may be called before hello */
	struct rpc_param params[RPC_PARAMS_MAX];
	const char *summary;
	const char *member; /* its name on the user bus (docs/dbus.md); NULL: it has none */
};

extern const struct rpc_method rpc_methods[RPC_METHOD_COUNT];

/* The method's id, or -ENOENT. */
int rpc_method_find(const char *name);

/* Check params (may be NULL) against the method's list. -EINVAL with err, which names each member
 * that is unknown, missing or of the wrong type. */
int rpc_check_params(const struct rpc_method *method, const json_t *params, struct err *err);

#endif
