/* fake_dask.c: a scripted Dask scheduler with draco's preload: its process, its connection to
 * dracod, and its answers. fake_workers.c has the workers and their tasks. */
#include "fake_dask.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/rpc.h"
#include "common/sock.h"
#include "daemon/dask/dask_link.h"
#include "daemon/io/loop.h"
#include "daemon/io/stream.h"
#include "fake_workers.h"
#include "process.h"
#include "unit.h"
#include "world.h"

#define END_MS	 200 /* time from SIGTERM to its end */
#define AGAIN_MS 500 /* between two tries to connect */

struct fake_dask dask;

static struct loop *loop;
static struct process *scheduler; /* NULL: none runs */
static struct stream *stream;	  /* NULL: not connected */
static struct loop_timer *boot, *end;
static bool greeted;	/* dracod has accepted it */
static int64_t lost_ms; /* when it lost dracod last */

bool dask_is_up(void)
{
	return stream && greeted;
}

static void tell(const char *method, json_t *params)
{
	if (dask_is_up())
		stream_send_take(stream, rpc_format_notification(method, params));
	else
		json_decref(params);
}

void dask_tell_load(json_t *load)
{
	tell("load", load);
}

void dask_tell_worker(const struct fake_worker *worker, bool comes)
{
	json_t *params = json_pack("{s:s}", "address", worker->address);

	if (comes) {
		json_object_set_new(params, "name", json_string(worker->name));
		json_object_set_new(params, "threads", json_integer(dask.threads));
	} else if (dask.death) {
		json_object_set_new(params, "death", json_loads(dask.death, 0, NULL));
	}
	tell(comes ? "worker_added" : "worker_removed", params);
}

void dask_tell_weight(const struct fake_worker *worker)
{
	tell("workers",
		json_pack("{s:[[s, i, I]]}", "workers", worker->address, worker->tasks,
			(json_int_t)worker->bytes));
}

/* Requests of dracod. */

static bool take_surprise(void)
{
	return dask.surprises > 0 && dask.surprises-- > 0;
}

static json_t *do_drain(const json_t *params, json_t *addresses)
{
	bool only_idle = json_get_boolean(params, "only_idle", 0);
	int busy = 0;

	dask.drains++;
	for (struct fake_worker *w = NULL; (w = workers_next(w, addresses));)
		busy += w->tasks;
	if (only_idle && take_surprise())
		busy++;
	if (only_idle && busy > 0)
		return json_pack("{s:b, s:i}", "drained", 0, "busy", busy);
	for (struct fake_worker *w = NULL; (w = workers_next(w, addresses));)
		w->drained = true;
	return json_pack("{s:b, s:i}", "drained", 1, "busy", busy);
}

static json_t *do_undrain(const json_t *params, json_t *addresses)
{
	(void)params;
	dask.undrains++;
	for (struct fake_worker *w = NULL; (w = workers_next(w, addresses));)
		w->drained = w->retired = false;
	workers_settle();
	return json_object();
}

/* Retire all of these workers, or none. */
static json_t *do_retire(const json_t *params, json_t *addresses)
{
	bool force = json_get_boolean(params, "force", 0);
	json_t *busy = json_array();
	struct fake_worker *heir;
	int64_t bytes = 0;

	dask.retires++;
	for (struct fake_worker *w = NULL; (w = workers_next(w, addresses));) {
		bytes += w->bytes;
		if (w->tasks > 0 || take_surprise())
			json_array_append_new(busy, json_string(w->address));
	}
	heir = workers_find_heir();
	if ((json_array_size(busy) > 0 && !force) || (bytes > 0 && (!heir || dask.full))) {
		for (struct fake_worker *w = NULL; (w = workers_next(w, addresses));)
			w->drained = false; /* none is retired */
		workers_settle();
		return json_pack("{s:[], s:o}", "retired", "busy", busy);
	}
	for (struct fake_worker *w = NULL; (w = workers_next(w, addresses));) {
		if (w->bytes > 0)
			workers_hand_over(w, heir);
		w->drained = w->retired = true;
	}
	return json_pack("{s:O, s:o}", "retired", addresses, "busy", busy);
}

static json_t *do_limit(const json_t *params, json_t *addresses)
{
	(void)addresses;
	dask.limits++;
	json_decref(dask.limit);
	dask.limit = json_incref(json_object_get(params, "workers"));
	return json_object();
}

static json_t *do_leaving(const json_t *params, json_t *addresses)
{
	(void)addresses;
	json_decref(dask.leaving);
	dask.leaving = json_incref(json_object_get(params, "jobs"));
	return json_object();
}

static json_t *do_ping(const json_t *params, json_t *addresses)
{
	(void)params;
	(void)addresses;
	return json_object();
}

static json_t *do_share(const json_t *params, json_t *addresses)
{
	(void)addresses;
	json_decref(dask.shares);
	dask.shares = json_incref(json_object_get(params, "programs"));
	return json_object();
}

static const struct {
	const char *name;
	json_t *(*answer)(const json_t *params, json_t *addresses);
} methods[] = {
	{"drain", do_drain},
	{"undrain", do_undrain},
	{"retire", do_retire},
	{"limit", do_limit},
	{"leaving", do_leaving},
	{"ping", do_ping},
	{"share", do_share},
};

static void serve(const struct rpc_message *request)
{
	_cleanup_free_ char *text = json_dumps(request->params, JSON_COMPACT);

	world_note("the preload is asked: %s %s", request->method, text);
	if (dask.mute)
		return;
	for (size_t i = 0; i < LENGTH(methods); i++)
		if (strcmp(methods[i].name, request->method) == 0) {
			stream_send_take(stream,
				rpc_format_result(request->id,
					methods[i].answer(request->params,
						json_object_get(request->params, "workers"))));
			return;
		}
	ck_abort_msg("the preload is asked for \"%s\"", request->method);
}

/* The connection. */

static void on_line(void *owner, char *line, size_t length)
{
	struct rpc_message message;
	struct err err = ERR_INIT;

	(void)owner;
	ck_assert_msg(rpc_parse(line, length, &message, &err) == 0, "%s", err.text);
	if (message.kind == RPC_REQUEST) {
		serve(&message);
	} else if (message.kind == RPC_RESULT) {
		greeted = true;
		workers_settle();
	} else {
		world_note("dracod refuses the scheduler: %s", message.text);
		process_end(scheduler, EXITED(0));
	}
	rpc_message_finish(&message);
}

static void on_closed(void *owner, const char *why)
{
	(void)owner;
	(void)why;
	stream = stream_destroy(stream);
	if (greeted)
		lost_ms = clock_ms();
	greeted = false;
	if (scheduler)
		loop_timer_start(boot, AGAIN_MS);
}

static json_t *describe_workers(void)
{
	json_t *list = json_array();

	for (struct fake_worker *w = NULL; (w = workers_next(w, NULL));)
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:i, s:I}", "name", w->name, "address",
				w->address, "tasks", w->tasks, "bytes", (json_int_t)w->bytes));
	return list;
}

static void greet(void)
{
	_cleanup_free_ char *address = xasprintf("%s:%s", process_argument(scheduler, "--host"),
		process_argument(scheduler, "--port"));
	json_t *list = describe_workers();

	stream_send_take(stream,
		rpc_format_request(1, "hello",
			json_pack("{s:i, s:s, s:i, s:s, s:s, s:i, s:b, s:I, s:f}", "protocol",
				DASK_LINK_PROTOCOL, "cluster",
				process_variable(scheduler, "DRACO_CLUSTER_ID"), "pid",
				(int)scheduler->pid, "distributed", "2026.8.0", "address",
				address, "dashboard_port", 8787, "dashboard", 1, "workers",
				(json_int_t)json_array_size(list), "alone_s",
				lost_ms ? (double)(clock_ms() - lost_ms) / 1000 : 0.0)));
	if (json_array_size(list) > 0)
		stream_send_take(stream,
			rpc_format_notification(
				"workers_there", json_pack("{s:O}", "workers", list)));
	json_decref(list);
}

static void connect_link(void *arg)
{
	static const struct stream_ops ops = {on_line, on_closed};
	const char *path = process_variable(scheduler, "DRACO_DASK_SOCKET");
	struct err err = ERR_INIT;
	int fd;

	(void)arg;
	ck_assert_ptr_nonnull(path);
	fd = sock_connect(path, &err);
	if (fd < 0) { /* dracod was killed */
		loop_timer_start(boot, AGAIN_MS);
		return;
	}
	stream = stream_create(loop, fd, &ops, NULL);
	greet();
}

void dask_disconnect(int64_t for_ms)
{
	ck_assert_msg(dask_is_up(), "the scheduler is not up");
	stream = stream_destroy(stream);
	greeted = false;
	loop_timer_start(boot, for_ms);
}

/* The process. */

void dask_die(int status)
{
	ck_assert_ptr_nonnull(scheduler);
	world_note("the scheduler dies");
	process_end(scheduler, status);
}

static void on_end_due(void *arg)
{
	(void)arg;
	process_end(scheduler, EXITED(0));
}

static void on_signal(struct process *process, int signal_number)
{
	(void)process;
	if (signal_number == SIGTERM && !dask.deaf)
		loop_timer_start(end, END_MS);
}

static void on_end(struct process *process)
{
	(void)process;
	stream = stream_destroy(stream);
	greeted = false;
	loop_timer_stop(boot);
	loop_timer_stop(end);
	scheduler = NULL;
	workers_lose_scheduler();
}

void dask_begin(struct process *process)
{
	static const struct process_ops ops = {on_signal, on_end};

	ck_assert_msg(!scheduler, "two schedulers run");
	process_say(process->stdout_fd, "the scheduler of the fake world\n");
	if (dask.boots_failing > 0) {
		dask.boots_failing--;
		process_say(process->stderr_fd, "ImportError: no module named anything\n");
		process_end(process, EXITED(1));
		return;
	}
	scheduler = process;
	process->ops = &ops;
	if (!dask.silent)
		loop_timer_start(boot, dask.boot_ms);
}

void dask_world_begin(struct loop *in)
{
	loop = in;
	scheduler = NULL;
	lost_ms = 0;
	dask = (struct fake_dask){
		.boot_ms = 1000, .worker_ms = 1500, .processes = 2, .threads = 1};
	boot = loop_timer_create(loop, connect_link, NULL);
	end = loop_timer_create(loop, on_end_due, NULL);
	workers_begin(loop);
}

void dask_world_end(void)
{
	workers_end();
	boot = loop_timer_destroy(boot);
	end = loop_timer_destroy(end);
	json_decref(dask.limit);
	json_decref(dask.shares);
	json_decref(dask.leaving);
	dask.limit = dask.shares = dask.leaving = NULL;
}
