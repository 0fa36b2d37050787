/* rpc.c: JSON-RPC 2.0, one message per line: the codec and the table of methods. */
#include "common/rpc.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/nearest.h"
#include "common/visible.h"

#define DIGITS	   15
#define NUMBER_MAX 1.79769313486231e308 /* largest double with this number of digits */

const struct rpc_method rpc_methods[RPC_METHOD_COUNT] = {
	[RPC_HELLO] = {"hello", true,
		{{"protocol", 'i', true}, {"client", 's', false}, {"version", 's', false}},
		"exchange protocol and program versions; the first request of a connection"},
	[RPC_START] = {"start", false,
		{{"settings", 'o', false}, {"profile", 's', false}, {"environment", 'o', false},
			{"directory", 's', false}, {"progress", 'b', false},
			{"bound", 'b', false}},
		"bring the cluster up, or join it; answers when it is usable or has failed. bound: "
		"what it began ends with this connection, until an attach",
		"Start"},
	[RPC_STATUS] = {"status", false, {{0}},
		"the current state of the cluster, as dracod knows it", "Status"},
	[RPC_STOP] = {"stop", false,
		{{"own", 'b', false}, {"alone", 'b', false}, {"clients", 'a', false}},
		"give all jobs back; answers when they are gone. own: only if a start of this "
		"connection, or of one of the same process that has ended, began the cluster. "
		"alone: only if nobody else is attached or waits; with clients, their ids, also "
		"only if no other Client() is connected",
		"Stop"},
	[RPC_SHUTDOWN] = {"shutdown", false, {{"alone", 'b', false}},
		"stop, then end dracod. alone: only if nobody uses a cluster", "Shutdown"},
	[RPC_LEAVE] = {"leave", false, {{0}},
		"end dracod and leave the cluster to the next one; answers whether somebody else "
		"starts that (supervised)"},
	[RPC_ENVIRONMENT] = {"environment", false, {{0}},
		"the variables that let a Dask client connect", "Environment"},
	[RPC_LOGS] = {"logs", false, {{0}}, "the paths of the logs of this cluster", "Logs"},
	[RPC_PLAN] = {"plan", false,
		{{"settings", 'o', false}, {"profile", 's', false},
			{"environment", 'o', false}},
		"where a start would put its jobs; submits nothing"},
	[RPC_SCRIPT] = {"script", false,
		{{"settings", 'o', false}, {"profile", 's', false},
			{"environment", 'o', false}},
		"the batch script that a start would submit"},
	[RPC_EVENTS] = {"events", false,
		{{"since", 'i', false}, {"count", 'i', false}, {"follow", 'b', false},
			{"workers", 'b', false}},
		"past events; with follow also later ones, as notifications; with "
		"workers also how many are connected, whenever that changes"},
	[RPC_SCALE] = {"scale", false,
		{{"jobs", 'i', false}, {"workers", 'i', false}, {"cores", 'i', false},
			{"memory_mib", 'i', false}},
		"set a fixed size: this many jobs, or the fewest that have this much; answers "
		"with the size",
		"Scale"},
	[RPC_ADAPT] = {"adapt", false, {{"minimum", 'i', false}, {"maximum", 'i', false}},
		"return to adaptive scaling, within bounds in workers; bounds that are left "
		"out stay",
		"Adapt"},
	[RPC_PAUSE] = {"pause", false, {{0}},
		"request no jobs and give none back, until resume", "Pause"},
	[RPC_RESUME] = {"resume", false, {{0}}, "continue after a pause", "Resume"},
	[RPC_RETIRE] = {"retire", false, {{"job", 's', true}, {"force", 'b', false}},
		"give a job back when its tasks are done and its data has moved; with force at "
		"once. Answers with the size, and whether it waits because its data has "
		"nowhere to go",
		"Retire"},
	[RPC_ATTACH] = {"attach", false,
		{{"label", 'o', true}, {"own", 'b', false}, {"share", 'n', false}},
		"use the cluster as long as this connection is open; the label tells others "
		"who uses it. Repeated requests record the last use. own: it began the "
		"cluster, under a dracod that was killed since"},
	[RPC_SHARE] = {"share", false, {{"program", 's', true}, {"share", 'n', true}},
		"give an attached program another share of the cluster; 1 is usual"},
};

int rpc_method_find(const char *name)
{
	for (int i = 0; i < RPC_METHOD_COUNT; i++)
		if (strcmp(rpc_methods[i].name, name) == 0)
			return i;
	return -ENOENT;
}

static bool has_type(const json_t *value, char type)
{
	switch (type) {
	case 'i':
		return json_is_integer(value);
	case 'n':
		return json_is_number(value);
	case 's':
		return json_is_string(value);
	case 'b':
		return json_is_boolean(value);
	case 'o':
		return json_is_object(value);
	case 'a':
		return json_is_array(value);
	}
	return false;
}

static const char *type_name(char type)
{
	switch (type) {
	case 'i':
		return "an integer";
	case 'n':
		return "a number";
	case 's':
		return "a string";
	case 'b':
		return "true or false";
	case 'a':
		return "an array";
	default:
		return "an object";
	}
}

static const struct rpc_param *find_param(const struct rpc_method *method, const char *name)
{
	for (int i = 0; i < RPC_PARAMS_MAX && method->params[i].name; i++)
		if (strcmp(method->params[i].name, name) == 0)
			return &method->params[i];
	return NULL;
}

int rpc_check_params(const struct rpc_method *method, const json_t *params, struct err *err)
{
	const struct rpc_param *param;
	const char *name;
	json_t *value;

	json_object_foreach (UNCONST(params), name, value) {
		param = find_param(method, name);
		if (!param) {
			const char *near = nearest(name, method->params, RPC_PARAMS_MAX,
				sizeof(method->params[0]));

			return err_set(err, -EINVAL, "%s: unknown parameter \"%s\"%s%s%s",
				method->name, name, near ? "; did you mean \"" : "",
				near ? near : "", near ? "\"?" : "");
		}
		if (!has_type(value, param->type))
			return err_set(err, -EINVAL, "%s: parameter \"%s\" must be %s",
				method->name, name, type_name(param->type));
	}
	for (int i = 0; i < RPC_PARAMS_MAX && method->params[i].name; i++)
		if (method->params[i].required &&
			!json_object_get(params, method->params[i].name))
			return err_set(err, -EINVAL, "%s: parameter \"%s\" is missing",
				method->name, method->params[i].name);
	return 0;
}

static int take_error(struct rpc_message *m, const json_t *error, struct err *err)
{
	const json_t *code = json_object_get(error, "code");
	const json_t *text = json_object_get(error, "message");
	json_int_t number = json_integer_value(code);

	if (!json_is_integer(code) || !json_is_string(text))
		return err_set(err, -EPROTO, "error without code and message");
	if (number < INT32_MIN || number > INT32_MAX)
		return err_set(err, -EPROTO, "error with a code beyond 32 bits");
	m->kind = RPC_ERROR;
	m->code = (int)number;
	m->text = json_string_value(text);
	m->data = json_object_get(error, "data");
	return 0;
}

static int take_call(struct rpc_message *m, const json_t *method, struct err *err)
{
	json_t *params = json_object_get(m->root, "params");

	if (!json_is_string(method))
		return err_set(err, -EPROTO, "member \"method\" must be a string");
	if (params && !json_is_object(params))
		return err_set(err, -EPROTO, "member \"params\" must be an object");
	m->method = json_string_value(method);
	m->params = params;
	m->kind = m->id ? RPC_REQUEST : RPC_NOTIFICATION;
	return 0;
}

static int classify(struct rpc_message *m, struct err *err)
{
	const json_t *version = json_object_get(m->root, "jsonrpc");
	const json_t *method = json_object_get(m->root, "method");
	const json_t *error = json_object_get(m->root, "error");
	json_t *result = json_object_get(m->root, "result");
	json_t *id = json_object_get(m->root, "id");

	/* Set the id first, so that any other fault can be answered. */
	if (json_is_integer(id) || json_is_string(id))
		m->id = id;
	if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0)
		return err_set(err, -EPROTO, "member \"jsonrpc\" must be \"2.0\"");
	if (!!method + !!error + !!result > 1)
		return err_set(err, -EPROTO,
			"members \"method\", \"result\" and \"error\" exclude each other");
	if (error && json_is_null(id))
		m->id = id;
	if (id && !m->id)
		return err_set(err, -EPROTO, "member \"id\" must be a string or an integer");
	if (method)
		return take_call(m, method, err);
	if (!m->id)
		return err_set(err, -EPROTO, "neither member \"method\" nor member \"id\"");
	if (error)
		return take_error(m, error, err);
	if (!result)
		return err_set(err, -EPROTO, "no member \"method\", \"result\" or \"error\"");
	m->result = result;
	m->kind = RPC_RESULT;
	return 0;
}

/* Does the value contain a number that dump() would round beyond the range of a double? No reader
 * could parse that message. jansson itself refuses infinities. */
static bool has_huge_number(json_t *value)
{
	const char *name;
	json_t *item;
	size_t i;

	if (json_is_real(value))
		return fabs(json_real_value(value)) > NUMBER_MAX;
	json_object_foreach (value, name, item)
		if (has_huge_number(item))
			return true;
	json_array_foreach (value, i, item)
		if (has_huge_number(item))
			return true;
	return false;
}

int rpc_parse(const char *line, size_t length, struct rpc_message *ret, struct err *err)
{
	char text[JSON_ERROR_TEXT_LENGTH];
	json_error_t error;

	*ret = (struct rpc_message){0};
	if (memchr(line, '\0', length)) /* jansson ignores NUL after a number */
		return err_set(err, -EBADMSG, "not JSON: it contains a NUL");
	ret->root = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	if (!ret->root) {
		/* The text of jansson quotes the line. */
		visible_copy(text, sizeof(text), error.text, "");
		return err_set(err, -EBADMSG, "not JSON: %s at column %d", text, error.column);
	}
	if (!json_is_object(ret->root))
		return err_set(err, -EPROTO, "a message must be one JSON object");
	if (has_huge_number(ret->root)) {
		classify(ret, NULL); /* finds the id */
		*ret = (struct rpc_message){.root = ret->root, .id = ret->id};
		return err_set(err, -EPROTO, "a number must be at most %.15g", NUMBER_MAX);
	}
	return classify(ret, err);
}

void rpc_message_make_visible(struct rpc_message *message)
{
	json_t *root = visible_value(message->root);

	rpc_message_finish(message);
	message->root = root;
	classify(message, NULL); /* cannot fail now: only texts have changed */
}

void rpc_message_finish(struct rpc_message *message)
{
	json_decref(message->root);
	*message = (struct rpc_message){0};
}

static char *dump(json_t *message)
{
	char *line = json_dumps(message, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));

	json_decref(message);
	/* Fails only without memory, or for a string that is not UTF-8. */
	return line ? line : xstrdup("{}");
}

static json_t *envelope(void)
{
	return json_pack("{s:s}", "jsonrpc", "2.0");
}

char *rpc_format_request(json_int_t id, const char *method, json_t *params)
{
	json_t *message = envelope();

	json_object_set_new(message, "id", json_integer(id));
	json_object_set_new(message, "method", json_string(method));
	if (params)
		json_object_set_new(message, "params", params);
	return dump(message);
}

char *rpc_format_notification(const char *method, json_t *params)
{
	json_t *message = envelope();

	json_object_set_new(message, "method", json_string(method));
	if (params)
		json_object_set_new(message, "params", params);
	return dump(message);
}

static void set_id(json_t *message, const json_t *id)
{
	json_object_set_new(message, "id", id ? json_deep_copy(id) : json_null());
}

char *rpc_format_result(const json_t *id, json_t *result)
{
	json_t *message = envelope();

	set_id(message, id);
	json_object_set_new(message, "result", result ? result : json_object());
	return dump(message);
}

char *rpc_format_error(const json_t *id, int code, const char *text, json_t *data)
{
	json_t *message = envelope();
	json_t *error = json_object();

	json_object_set_new(error, "code", json_integer(code));
	json_object_set_new(error, "message", json_text(text));
	if (data)
		json_object_set_new(error, "data", data);
	set_id(message, id);
	json_object_set_new(message, "error", error);
	return dump(message);
}
