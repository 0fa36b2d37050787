/* fuzz_cluster.c: the whole cluster of a dracod, with a draco-slurm, a Dask scheduler's preload and processes
 * that may say and do anything: no assertion fails, no loop spins, the status can always be written, and a stop
 * ends in STOPPED once Slurm shows no job.
 *
 * Each line of an input is a JSON object with one member:
 *
 *	"site", "survey", "predict", "submit", "query", "cancel", "update"
 *			draco-slurm's answer to the oldest request of that kind; with a member "outcome" an error
 *	"python"	what the probe of the Python prints
 *	"hello"		the scheduler's preload says hello, with the right id and process unless it has others
 *	"say"		the preload says this: a notification's {method, params}, any message, or a text
 *	"reply"		the preload's answer to the oldest request; with a member "error" an error
 *	"connect"	another program connects as the preload does
 *	"lost"		the preload's connection ends
 *	"exit"		the oldest child process ends with this status
 *	"wait"		so many milliseconds pass
 *	"do"		"start", "stop", "pause", "resume", "retire", "end", a number of jobs, or [minimum, maximum] */
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/paths.h"
#include "common/rpc.h"
#include "daemon/cluster.h"
#include "daemon/dask_link.h"
#include "daemon/jobs.h"
#include "daemon/report.h"
#include "daemon/slurm.h"
#include "world.h"

#define WAIT_MAX_MS (900 * 1000)
#define LINES_MAX   64
#define STOP_ROUNDS 200
#define CLUSTER_ID  "42424242"

const char fuzz_name[] = "cluster";
const char *const fuzz_words[] = {"site", "survey", "predict", "submit", "query", "cancel",
	"update", "python", "hello", "say", "reply", "connect", "lost", "exit", "wait", "do",
	"stop", "start", "pause", "resume", "retire", "end", "outcome", "refused",
	"unreachable", "uncertain", "unusable", "text", "jobs", "job_id", "tasks", "task",
	"state", "PENDING", "RUNNING", "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT",
	"NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY", "draco-default-" CLUSTER_ID ".1",
	"draco-default-" CLUSTER_ID ".2", "worker_added", "worker_removed", "workers_there",
	"workers", "load", "name", "address", "drained", "retired", "busy", "draco-42-0",
	"draco-42_0-0", "draco-42_0-1", "tcp://n1:1", "tcp://n1:2", "partitions",
	"reservations", "predictions", "start", "array_max", "nodes", "protocol", "cluster",
	"pid", "reason", "exit_status", "exit_signal", "longest", "occupancy", NULL};

static struct cluster *cluster;
static struct dask_link *dask_link;

/* What daemon.c does. */

static void on_changed(void *arg)
{
	(void)arg;
}

static void on_log_directory(void *arg, const char *directory, int64_t retention_ms)
{
	(void)arg;
	fuzz_require(directory[0] == '/' && retention_ms >= 0);
}

static void on_may_have_jobs(void *arg, const char *id)
{
	(void)arg;
	fuzz_require(strcmp(id, CLUSTER_ID) == 0);
}

static int ask_scheduler(void *arg, const char *method, json_t *params, int64_t deadline_ms,
	scheduler_answer *done, void *done_arg)
{
	(void)arg;
	return dask_link_request(dask_link, method, params, deadline_ms, done, done_arg);
}

static int on_hello(void *arg, const json_t *hello, struct err *err)
{
	(void)arg;
	return cluster_scheduler_hello(cluster, hello, err);
}

static void on_worker_added(void *arg, const char *name, const char *address)
{
	(void)arg;
	cluster_worker_added(cluster, name, address);
}

static void on_worker_removed(void *arg, const char *address)
{
	(void)arg;
	cluster_worker_removed(cluster, address);
}

static void on_load(void *arg, const json_t *load)
{
	(void)arg;
	cluster_set_load(cluster, load);
}

static void on_workers(void *arg, const json_t *workers)
{
	(void)arg;
	cluster_workers_load(cluster, workers);
}

static void on_lost(void *arg, const char *why)
{
	(void)arg;
	(void)why;
	cluster_scheduler_lost(cluster);
}

static void make_settings(struct settings *settings)
{
	settings_init(settings);
	settings->processes = settings->cores = 2;
	settings->memory_mib = 1024;
	settings->maximum = 8;
	settings->wait_timeout_ms = 60000;
	settings->security = SECURITY_NONE;
	settings->dashboard = DASHBOARD_OFF;
	xreplace(&settings->interface, NULL);
	xreplace(&settings->python, "/usr/bin/python3");
}

static void start(void)
{
	static struct settings settings; /* made once: it takes long */
	struct cluster_request request = {0};
	struct err err = ERR_INIT;

	if (!settings.processes)
		make_settings(&settings);
	settings_copy(&request.settings, &settings);
	request.directory = xstrdup("/");
	if (cluster_start(cluster, &request, &err) < 0)
		cluster_request_finish(&request);
}

/* What holds at any moment. */

static void check_json(json_t *value)
{
	_cleanup_json_ json_t *id = json_integer(1);
	char *line = rpc_format_result(id, value);
	struct rpc_message message;

	fuzz_require(rpc_parse(line, strlen(line), &message, NULL) == 0);
	fuzz_require(message.kind == RPC_RESULT && json_is_object(message.result));
	rpc_message_finish(&message);
	free(line);
}

static void check_model(void)
{
	struct jobs_count count = jobs_count(cluster->jobs);

	fuzz_require(count.connected >= 0 && count.alive >= 0 && count.running >= 0);
	fuzz_require(count.running <= count.alive && count.in_slurm <= count.alive);
	fuzz_require(cluster->array_max > 0 || !cluster->address);
	check_json(report_status(cluster));
	check_json(report_progress(cluster));
}

/* What a line does. */

static void answer_slurm(const char *method, const json_t *value)
{
	const char *outcome = json_get_text(value, "outcome", NULL);
	struct err err = ERR_INIT;

	err_set(&err, -EIO, "%s", json_get_text(value, "text", "no"));
	world_answer_slurm(
		method, outcome ? slurm_outcome_find(outcome) : OUTCOME_DONE, value, &err);
}

static void say(json_t *message) /* takes it over */
{
	char *line;

	if (json_is_object(message) && !json_object_get(message, "jsonrpc"))
		json_object_set_new(message, "jsonrpc", json_string("2.0"));
	if (json_is_string(message))
		line = xstrdup(json_string_value(message));
	else
		line = json_dumps(message, JSON_COMPACT | JSON_ENCODE_ANY);
	world_say(line, strlen(line));
	free(line);
	json_decref(message);
}

static void say_hello(const json_t *value)
{
	json_t *params = json_pack("{s:i, s:s, s:i, s:s, s:s}", "protocol", DASK_LINK_PROTOCOL,
		"cluster", CLUSTER_ID, "pid", WORLD_PID, "address", "tcp://127.0.0.1:8786",
		"distributed", "2022.12.1");

	json_object_update(params, UNCONST(value));
	say(json_pack("{s:i, s:s, s:o}", "id", 1, "method", "hello", "params", params));
}

static void reply(json_t *value)
{
	json_int_t id = world_take_request();
	json_t *error = json_object_get(value, "error");

	if (id && error)
		say(json_pack("{s:I, s:O}", "id", id, "error", error));
	else if (id)
		say(json_pack("{s:I, s:O}", "id", id, "result", value));
}

static void act_on_job(bool force)
{
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job_phase_is_wanted(job->phase) && job->id[0])
			break;
	if (job)
		cluster_retire(cluster, job, force);
}

static void act(const json_t *value)
{
	const char *what = json_is_string(value) ? json_string_value(value) : "";
	bool runs = cluster->state == CLUSTER_RUNNING;

	if (strcmp(what, "start") == 0)
		start();
	else if (strcmp(what, "stop") == 0)
		cluster_stop(cluster, "a user says so");
	else if (strcmp(what, "pause") == 0 && runs)
		cluster_pause(cluster, "a user says so");
	else if (strcmp(what, "resume") == 0 && runs)
		cluster_resume(cluster);
	else if ((strcmp(what, "retire") == 0 || strcmp(what, "end") == 0) && runs)
		act_on_job(*what == 'e');
	else if (json_is_integer(value) && runs)
		cluster_scale(cluster, json_integer_value(value), &(struct err)ERR_INIT);
	else if (json_is_array(value) && runs)
		cluster_adapt(cluster, json_integer_value(json_array_get(value, 0)),
			json_integer_value(json_array_get(value, 1)), &(struct err)ERR_INIT);
}

static void pass(json_int_t ms)
{
	world_pass(ms < 0 ? 0 : ms < WAIT_MAX_MS ? ms : WAIT_MAX_MS);
}

static void take_member(const char *name, json_t *value)
{
	if (strcmp(name, "python") == 0 && json_is_string(value))
		world_end_capture(0, false, json_string_value(value));
	else if (strcmp(name, "hello") == 0)
		say_hello(value);
	else if (strcmp(name, "say") == 0)
		say(json_copy(value));
	else if (strcmp(name, "reply") == 0)
		reply(value);
	else if (strcmp(name, "connect") == 0)
		world_connect();
	else if (strcmp(name, "lost") == 0)
		world_hang_up("closed by the other side");
	else if (strcmp(name, "exit") == 0)
		world_end_child((int)(json_integer_value(value) & 0xffff));
	else if (strcmp(name, "wait") == 0)
		pass(json_integer_value(value));
	else if (strcmp(name, "do") == 0)
		act(value);
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

	for (int i = 0; line < end && i < LINES_MAX; i++) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((newline ? newline : end) - line);

		take_line(line, length);
		line += length + 1;
	}
	check_model();
}

/* From whatever state, when Slurm answers and shows no jobs any more. */
static void stop(void)
{
	_cleanup_json_ json_t *nothing = json_pack("{s:[]}", "jobs");
	struct err refused = ERR_INIT;

	if (cluster->state == CLUSTER_RUNNING)
		fuzz_took();
	err_set(&refused, -EIO, "no");
	cluster_stop(cluster, "the test ends");
	for (int i = 0; i < STOP_ROUNDS; i++) {
		if (cluster->state == CLUSTER_STOPPED || cluster->state == CLUSTER_FAILED)
			break;
		world_pass(1000);
		world_answer_slurm("query", OUTCOME_DONE, nothing, NULL);
		world_answer_slurm("cancel", OUTCOME_DONE, nothing, NULL);
		world_answer_slurm("submit", OUTCOME_REFUSED, NULL, &refused);
	}
	fuzz_require(cluster->state == CLUSTER_STOPPED || cluster->state == CLUSTER_FAILED);
	fuzz_require(jobs_count(cluster->jobs).alive == 0);
	check_model();
	while (world_hang_up("the test ends")) /* what it was asked is answered so */
		;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cluster_ops ops = {on_changed, on_log_directory, on_may_have_jobs,
		on_may_have_jobs, ask_scheduler};
	static const struct dask_link_ops link_ops = {
		on_hello, on_worker_added, on_worker_removed, on_load, on_workers, on_lost};
	static char name[] = "default", nowhere[] = "/nonexistent/file";
	struct paths paths = {.name = name,
		.dask_socket = nowhere,
		.nodes_file = nowhere,
		.pauses_file = nowhere,
		.tls_dir = nowhere,
		.http_socket = nowhere};
	struct err err = ERR_INIT;

	world_reset();
	cluster =
		cluster_create(NULL, NULL, NULL, &paths, "/nonexistent/preload.py", &ops, NULL);
	dask_link = dask_link_create(NULL, nowhere, &link_ops, NULL, &err);
	start();
	world_pass(0);
	take_lines(data, size);
	stop();
	dask_link = dask_link_destroy(dask_link);
	cluster = cluster_destroy(cluster);
	world_reset();
	return 0;
}
