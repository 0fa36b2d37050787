/* fuzz_daemon.c: a whole dracod, with clients, a draco-slurm, a Dask scheduler's preload and
 * child processes that may say and do anything: no assertion fails, no timer spins, all that it
 * says can be read, and after a shutdown it ends, with no job left, once Slurm shows none.
 *
 * Each line of an input is a JSON object with one member:
 *
 *	"client"	[number, message]: this client says a message, or a text. It connects
 *			first, and says hello, when it is not there; a start without settings
 *			gets some that fit
 *	"gone"		the client with this number disconnects
 *	"site", "survey", "predict", "submit", "query", "cancel", "update"
 *			draco-slurm's answer to the oldest request of that kind; with a member
 *			"outcome" an error
 *	"python"	what the probe of the Python prints
 *	"hello"		the scheduler's preload says hello, with the right id and process unless
 *			it has others
 *	"say"		the preload says this: a message, or a text
 *	"reply"		the preload's answer to the oldest request; with a member "error" an error
 *	"connect"	another program connects as the preload does
 *	"lost"		the connection of the preload with this number ends
 *	"exit"		the oldest child process ends with this status
 *	"wait"		so many milliseconds pass */
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/rpc.h"
#include "daemon/cluster/cluster.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/control/report.h"
#include "daemon/daemon.h"
#include "daemon/dask/dask_link.h"
#include "world.h"

#define WAIT_MAX_MS (900 * 1000)
#define LINES_MAX   64
#define CLIENTS_MAX 4
#define STOP_ROUNDS 200
#define CLUSTER_ID  "42424242"

const char fuzz_name[] = "daemon";
const char *const fuzz_words[] = {"client", "gone", "site", "survey", "predict", "submit",
	"query", "cancel", "update", "python", "hello", "say", "reply", "connect", "lost",
	"exit", "wait", "outcome", "refused", "unreachable", "uncertain", "unusable", "text",
	"method", "params", "id", "start", "stop", "status", "shutdown", "scale", "adapt",
	"pause", "resume", "retire", "attach", "events", "environment", "logs", "plan",
	"script", "settings", "progress", "bound", "own", "alone", "clients", "follow", "label",
	"force", "jobs", "job_id", "tasks", "task", "state", "PENDING", "RUNNING", "COMPLETED",
	"CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY",
	"draco-default-" CLUSTER_ID ".1", "draco-default-" CLUSTER_ID ".2", "worker_added",
	"worker_removed", "workers_there", "workers", "load", "name", "address", "drained",
	"retired", "busy", "draco-42-0", "draco-42_0-0", "draco-42_0-1", "tcp://n1:1",
	"tcp://n1:2", "partitions", "reservations", "predictions", "array_max", "nodes",
	"protocol", "cluster", "pid", "reason", "exit_status", "exit_signal", "longest",
	"occupancy", NULL};

static json_t *start_settings(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "processes", "2",
		"cores", "2", "memory", "1 GiB", "maximum", "8", "security", "none",
		"dashboard", "off", "interface", "none", "python", "/usr/bin/python3",
		"wait_timeout", "60");
}

/* Takes message over. */
static void say(const char *path, size_t peer, json_t *message)
{
	char *line;

	if (json_is_object(message) && !json_object_get(message, "jsonrpc"))
		json_object_set_new(message, "jsonrpc", json_string("2.0"));
	if (json_is_string(message))
		line = xstrdup(json_string_value(message));
	else
		line = json_dumps(message, JSON_COMPACT | JSON_ENCODE_ANY);
	world_say(path, peer, line, strlen(line));
	free(line);
	json_decref(message);
}

static void connect_client(void)
{
	size_t peer = world_peers(WORLD_CONTROL);

	world_connect(WORLD_CONTROL);
	say(WORLD_CONTROL, peer,
		json_pack("{s:i, s:s, s:{s:i, s:s}}", "id", 1, "method", "hello", "params",
			"protocol", RPC_PROTOCOL, "client", "fuzz"));
}

static size_t client_number(const json_t *value)
{
	return (size_t)json_integer_value(value) % CLIENTS_MAX;
}

static void client_says(const json_t *value)
{
	size_t peer = client_number(json_array_get(value, 0));
	json_t *message = json_deep_copy(json_array_get(value, 1));
	json_t *params = json_object_get(message, "params");

	if (!message)
		return;
	while (world_peers(WORLD_CONTROL) <= peer)
		connect_client();
	if (strcmp(json_get_text(message, "method", ""), "start") == 0 &&
		json_is_object(params) && !json_object_get(params, "settings"))
		json_object_set_new(params, "settings", start_settings());
	say(WORLD_CONTROL, peer, message);
}

static void answer_slurm(const char *method, const json_t *value)
{
	const char *outcome = json_get_text(value, "outcome", NULL);
	struct err err = ERR_INIT;

	err_set(&err, -EIO, "%s", json_get_text(value, "text", "no"));
	world_answer_slurm(
		method, outcome ? slurm_outcome_find(outcome) : OUTCOME_DONE, value, &err);
}

/* The preload's newest connection; it is made where there is none. */
static void preload_says(json_t *message)
{
	if (world_peers(WORLD_DASK) == 0)
		world_connect(WORLD_DASK);
	say(WORLD_DASK, world_peers(WORLD_DASK) - 1, message);
}

static void preload_says_hello(const json_t *value)
{
	json_t *params = json_pack("{s:i, s:s, s:i, s:s, s:s}", "protocol", DASK_LINK_PROTOCOL,
		"cluster", CLUSTER_ID, "pid", WORLD_PID, "address", "tcp://127.0.0.1:8786",
		"distributed", "2022.12.1");

	json_object_update(params, UNCONST(value));
	preload_says(
		json_pack("{s:i, s:s, s:o}", "id", 1, "method", "hello", "params", params));
}

static void preload_replies(json_t *value)
{
	json_int_t id = world_take_request();
	json_t *error = json_object_get(value, "error");

	if (id && error)
		preload_says(json_pack("{s:I, s:O}", "id", id, "error", error));
	else if (id)
		preload_says(json_pack("{s:I, s:O}", "id", id, "result", value));
}

static void pass(json_int_t ms)
{
	world_pass(ms < 0 ? 0 : ms < WAIT_MAX_MS ? ms : WAIT_MAX_MS);
}

static void take_member(const char *name, json_t *value)
{
	if (strcmp(name, "client") == 0)
		client_says(value);
	else if (strcmp(name, "gone") == 0)
		world_hang_up(WORLD_CONTROL, client_number(value), "closed by the other side");
	else if (strcmp(name, "python") == 0 && json_is_string(value))
		world_end_capture(0, false, json_string_value(value));
	else if (strcmp(name, "hello") == 0)
		preload_says_hello(value);
	else if (strcmp(name, "say") == 0)
		preload_says(json_copy(value));
	else if (strcmp(name, "reply") == 0)
		preload_replies(value);
	else if (strcmp(name, "connect") == 0)
		world_connect(WORLD_DASK);
	else if (strcmp(name, "lost") == 0)
		world_hang_up(WORLD_DASK, client_number(value), "closed by the other side");
	else if (strcmp(name, "exit") == 0)
		world_end_child((int)(json_integer_value(value) & 0xffff));
	else if (strcmp(name, "wait") == 0)
		pass(json_integer_value(value));
	else
		answer_slurm(name, value);
}

static void take_line(const char *line, size_t length)
{
	_cleanup_json_ json_t *object = json_loadb(line, length, 0, NULL);
	const char *name = json_object_iter_key(json_object_iter(object));

	if (!name)
		return;
	take_member(name, json_object_get(object, name));
	world_pass(0);
}

static void take_lines(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data, *end = line + size;

	for (int i = 0; line < end && i < LINES_MAX && !world_has_exited(); i++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((newline ? newline : end) - line);

		take_line(line, length);
		line += length + 1;
	}
}

static void check_model(void)
{
	struct jobs_count count = jobs_count(world_cluster->jobs);

	fuzz_require(count.connected >= 0 && count.alive >= 0 && count.running >= 0);
	fuzz_require(count.running <= count.alive && count.in_slurm <= count.alive);
	fuzz_require(world_cluster->array_max > 0 || !world_cluster->address);
	if (world_cluster->state == CLUSTER_RUNNING)
		fuzz_took();
	connect_client();
	say(WORLD_CONTROL, world_peers(WORLD_CONTROL) - 1,
		json_pack("{s:i, s:s}", "id", 2, "method", "status"));
	json_decref(report_progress(world_cluster));
}

/* From whatever state, when Slurm answers and shows no jobs any more. */
static void shut_down(void)
{
	_cleanup_json_ json_t *nothing = json_pack("{s:[]}", "jobs");
	struct err refused = ERR_INIT;

	err_set(&refused, -EIO, "no");
	say(WORLD_CONTROL, world_peers(WORLD_CONTROL) - 1,
		json_pack("{s:i, s:s}", "id", 3, "method", "shutdown"));
	for (int i = 0; i < STOP_ROUNDS && !world_has_exited(); i++) {
		world_pass(1000);
		world_answer_slurm("query", OUTCOME_DONE, nothing, NULL);
		world_answer_slurm("cancel", OUTCOME_DONE, nothing, NULL);
		world_answer_slurm("submit", OUTCOME_REFUSED, NULL, &refused);
	}
	fuzz_require(world_has_exited());
	fuzz_require(jobs_count(world_cluster->jobs).alive == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct daemon_options options = {.name = "default", .exact = true};
	struct err err = ERR_INIT;
	struct daemon *daemon;

	world_reset();
	daemon = daemon_create(&options, &err);
	fuzz_require(daemon);
	take_lines(data, size);
	if (!world_has_exited()) {
		check_model();
		shut_down();
	}
	while (world_hang_up(
		WORLD_DASK, 0, "the test ends")) /* what it was asked is answered so */
		;
	daemon_destroy(daemon);
	world_reset();
	return 0;
}
