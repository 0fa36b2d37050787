/* scheduler.c: the Dask scheduler as a supervised process. */
#include "daemon/dask/scheduler.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/argv.h"
#include "common/cleanup.h"
#include "common/environment.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "common/number.h"
#include "common/parse.h"
#include "common/paths.h"
#include "common/port.h"
#include "common/visible.h"
#include "daemon/dask/dask_link.h"
#include "daemon/dask/scheduler_unit.h"
#include "daemon/io/child.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"

#define FAILURES_MAX 3
#define BACKOFF_MS   500
/* After being up for this long, its earlier failures are forgotten. */
#define STABLE_MS    60000
#define RECONNECT_MS 20000 /* for the preload to connect again */
#define ADOPT_MS     60000 /* the same, to a new dracod */

struct scheduler {
	struct loop *loop;
	struct children *children;
	char *preload;
	const struct paths *paths;
	struct scheduler_spec spec;
	enum scheduler_state state;
	int64_t since_ms;
	struct child *child;
	struct loop_timer *timer; /* its meaning depends on the state */
	int failures;		  /* failures in a row */
	char address[64];
	char distributed[32];
	struct scheduler_unit unit;
	int hold; /* keeps others from choosing the port while no process listens; -1: none */
	char *memory_end; /* how the last process ended for memory; NULL: it did not */
	const struct scheduler_ops *ops;
	void *arg;
};

static const char *const state_names[] = {
	[SCHEDULER_STOPPED] = "stopped",
	[SCHEDULER_STARTING] = "starting",
	[SCHEDULER_UP] = "up",
	[SCHEDULER_BACKOFF] = "waiting to start again",
	[SCHEDULER_STOPPING] = "stopping",
};

void scheduler_spec_finish(struct scheduler_spec *spec)
{
	free(spec->python);
	free(spec->cluster_id);
	free(spec->host);
	free(spec->dashboard_address);
	free(spec->dashboard_socket);
	free(spec->log_path);
	free(spec->directory);
	strv_finish(&spec->environment);
	strv_finish(&spec->options);
	*spec = (struct scheduler_spec){0};
}

static void release_port(struct scheduler *scheduler)
{
	closep(&scheduler->hold);
	scheduler->hold = -1;
}

/* While a process listens there, no hold can be made, and none is needed. */
static void hold_port(struct scheduler *scheduler)
{
	if (scheduler->hold < 0)
		scheduler->hold = port_hold(scheduler->spec.host, scheduler->spec.port);
}

static void set_state(struct scheduler *scheduler, enum scheduler_state state)
{
	int64_t now = loop_now_ms();

	history_phase("scheduler", NULL, state_names[scheduler->state], state_names[state],
		now - scheduler->since_ms, NULL);
	scheduler->state = state;
	scheduler->since_ms = now;
	if (state == SCHEDULER_STOPPED) {
		loop_timer_stop(scheduler->timer);
		release_port(scheduler);
	}
	scheduler->ops->changed(scheduler->arg);
}

static void give_up(struct scheduler *scheduler, const struct err *err)
{
	set_state(scheduler, SCHEDULER_STOPPED);
	scheduler->ops->failed(scheduler->arg, err);
}

/* The scheduler has ended by itself, or could not start. */
static void failed(struct scheduler *scheduler, const char *how)
{
	struct err err = ERR_INIT;

	if (scheduler->state == SCHEDULER_UP &&
		loop_now_ms() - scheduler->since_ms >= STABLE_MS)
		scheduler->failures = 0;
	scheduler->failures++;
	history_failure("scheduler", NULL, scheduler->spec.log_path, "%s, failure %d in a row",
		how, scheduler->failures);
	if (scheduler->failures >= FAILURES_MAX) {
		err_set(&err, -EIO, "the Dask scheduler %s, %d times in a row", how,
			scheduler->failures);
		give_up(scheduler, &err);
		return;
	}
	hold_port(scheduler);
	set_state(scheduler, SCHEDULER_BACKOFF);
	loop_timer_start(scheduler->timer, (int64_t)BACKOFF_MS << (scheduler->failures - 1));
}

/* Its program could not be executed, and the first start has not waited for that. */
static void not_executed(struct scheduler *scheduler, int code)
{
	struct err err = ERR_INIT;

	err_set(&err, -code, "the Dask scheduler: cannot execute %s: %s",
		scheduler->spec.python, strerror(code));
	give_up(scheduler, &err);
}

static void on_end(void *arg, int status)
{
	struct scheduler *scheduler = arg;
	bool for_memory;
	_cleanup_free_ char *how = scheduler_unit_end(&scheduler->unit, status, &for_memory);

	scheduler->child = NULL;
	xreplace(&scheduler->memory_end, for_memory ? how : NULL);
	if (scheduler->state == SCHEDULER_STOPPING)
		set_state(scheduler, SCHEDULER_STOPPED);
	else if (child_not_executed(status) && scheduler->failures == 0)
		not_executed(scheduler, child_not_executed(status));
	else
		failed(scheduler, how);
}

const struct memory_use *scheduler_look(struct scheduler *scheduler)
{
	if (scheduler->child)
		scheduler_unit_look(&scheduler->unit, child_pid(scheduler->child));
	return &scheduler->unit.use;
}

static const char *scheme(const struct scheduler *scheduler)
{
	return scheduler->spec.tls ? "tls" : "tcp";
}

static void add_python(const struct scheduler_spec *spec, struct strv *ret)
{
	if (argv_split(spec->python, ret, NULL) < 0)
		strv_add(ret, spec->python);
}

static void make_command(const struct scheduler *scheduler, struct strv *ret)
{
	add_python(&scheduler->spec, ret);
	strv_add(ret, "-m");
	strv_add(ret, "distributed.cli.dask_scheduler");
	strv_add(ret, "--host"); /* TLS fails with --interface */
	strv_addf(ret, "%s://%s", scheme(scheduler), scheduler->spec.host);
	strv_add(ret, "--port");
	strv_addf(ret, "%d", scheduler->spec.port);
	if (scheduler->spec.dashboard == DASHBOARD_OFF)
		strv_add(ret, "--no-dashboard");
	strv_add(ret, "--dashboard-address");
	strv_add(ret,
		scheduler->spec.dashboard_address ? scheduler->spec.dashboard_address
						  : "127.0.0.1:0");
	strv_add(ret, "--preload");
	strv_add(ret, scheduler->preload);
	for (size_t i = 0; i < scheduler->spec.options.count; i++)
		strv_add(ret, scheduler->spec.options.item[i]);
}

static void make_environment(const struct scheduler *scheduler, struct strv *ret)
{
	strv_copy(ret, &scheduler->spec.environment);
	/* An idle timeout in the user's configuration of Dask is meant for other clusters; draco
	 * ends the scheduler itself. The setting scheduler_options has precedence. */
	environment_set(ret, "DASK_DISTRIBUTED__SCHEDULER__IDLE_TIMEOUT=None");
	environment_set(ret, "DASK_DISTRIBUTED__SCHEDULER__NO_WORKERS_TIMEOUT=None");
	strv_addf(ret, "DRACO_DASK_SOCKET=%s", scheduler->paths->dask_socket);
	strv_addf(ret, "DRACO_DAEMON_FILE=%s", scheduler->paths->daemon_file);
	strv_addf(ret, "DRACO_CLUSTER_ID=%s", scheduler->spec.cluster_id);
	if (!scheduler->spec.fair_share)
		strv_add(ret, "DRACO_FAIR_SHARE=off");
	if (scheduler->spec.dashboard == DASHBOARD_SOCKET)
		strv_addf(ret, "DRACO_DASHBOARD=socket:%s", scheduler->spec.dashboard_socket);
	else
		strv_addf(ret, "DRACO_DASHBOARD=%s",
			scheduler->spec.dashboard == DASHBOARD_OFF ? "off" : "on");
	strv_add(ret, "PYTHONUNBUFFERED=1");
}

static void launch(struct scheduler *scheduler)
{
	struct strv command = STRV_INIT, environment = STRV_INIT;
	const char *path = environment_get(&scheduler->spec.environment, "PATH");
	struct err err = ERR_INIT;

	make_command(scheduler, &command);
	make_environment(scheduler, &environment);
	scheduler->child = child_start(scheduler->children,
		&(struct child_spec){
			.argv = command.item,
			.search = path ? path : PROGRAM_PATH,
			.envp = environment.item,
			.directory = scheduler->spec.directory,
			.root_else = true,
			.log = scheduler->spec.log_path,
			.stdout_fd = -1,
			.stderr_fd = -1,
			.extra_fd = -1,
			.own_session = true,
		},
		on_end, scheduler, &err);
	strv_finish(&command);
	strv_finish(&environment);
	if (!scheduler->child) {
		if (scheduler->state == SCHEDULER_STOPPED) {
			/* Otherwise the start would end like this, but later. */
			err_prefix(&err, "the Dask scheduler");
			scheduler->ops->failed(scheduler->arg, &err);
		} else {
			failed(scheduler, err.text);
		}
		return;
	}
	scheduler_unit_begin(&scheduler->unit, child_pid(scheduler->child));
	log_info("scheduler: process %d at %s", (int)child_pid(scheduler->child),
		scheduler->address);
	set_state(scheduler, SCHEDULER_STARTING);
	loop_timer_start(scheduler->timer, scheduler->spec.timeout_ms);
}

static void never_connected(struct scheduler *scheduler)
{
	struct err err = ERR_INIT;
	char limit[FORMAT_MAX];

	err_set(&err, -ETIMEDOUT,
		"the Dask scheduler runs, but draco's plugin in it did not connect within %s "
		"(scheduler_timeout)",
		format_duration(scheduler->spec.timeout_ms, limit));
	child_signal(scheduler->child, SIGKILL);
	child_forget(TAKE_PTR(scheduler->child));
	give_up(scheduler, &err);
}

void scheduler_kill(struct scheduler *scheduler, const char *why)
{
	if (!scheduler->child)
		return;
	history_note(EVENT_DECISION, "scheduler", NULL, "process %d %s, killing it",
		scheduler_pid(scheduler), why);
	child_signal(scheduler->child, SIGKILL);
}

static void on_timer(void *arg)
{
	struct scheduler *scheduler = arg;

	switch (scheduler->state) {
	case SCHEDULER_STARTING:
		never_connected(scheduler);
		break;
	case SCHEDULER_BACKOFF:
		launch(scheduler);
		break;
	case SCHEDULER_UP: /* the preload did not connect again */
	case SCHEDULER_STOPPING:
		scheduler_kill(scheduler, "does not respond");
		break;
	case SCHEDULER_STOPPED:
		break;
	}
}

struct scheduler *scheduler_create(struct loop *loop, struct children *children,
	const char *preload, const struct paths *paths, const struct scheduler_ops *ops,
	void *arg)
{
	struct scheduler *scheduler = xcalloc(1, sizeof(*scheduler));

	scheduler->loop = loop;
	scheduler->children = children;
	scheduler->preload = xstrdup(preload);
	scheduler->paths = paths;
	scheduler->since_ms = loop_now_ms();
	scheduler->hold = -1;
	scheduler->timer = loop_timer_create(loop, on_timer, scheduler);
	scheduler->ops = ops;
	scheduler->arg = arg;
	return scheduler;
}

struct scheduler *scheduler_destroy(struct scheduler *scheduler)
{
	if (!scheduler)
		return NULL;
	if (scheduler->child) {
		child_signal(scheduler->child, SIGKILL);
		child_forget(scheduler->child);
	}
	loop_timer_destroy(scheduler->timer);
	release_port(scheduler);
	scheduler_spec_finish(&scheduler->spec);
	scheduler_unit_finish(&scheduler->unit);
	free(scheduler->memory_end);
	free(scheduler->preload);
	free(scheduler);
	return NULL;
}

static void take_spec(struct scheduler *scheduler, struct scheduler_spec *spec)
{
	release_port(scheduler);
	scheduler_spec_finish(&scheduler->spec);
	scheduler->spec = *spec;
	*spec = (struct scheduler_spec){0};
	scheduler->failures = 0;
	snprintf(scheduler->address, sizeof(scheduler->address), "%s://%s:%d",
		scheme(scheduler), scheduler->spec.host, scheduler->spec.port);
}

void scheduler_start(struct scheduler *scheduler, struct scheduler_spec *spec)
{
	take_spec(scheduler, spec);
	hold_port(scheduler);
	launch(scheduler);
}

bool scheduler_adopt(
	struct scheduler *scheduler, struct scheduler_spec *spec, int pid, int64_t since_ms)
{
	scheduler->child = child_adopt(scheduler->children, pid, on_end, scheduler);
	if (!scheduler->child)
		return false;
	take_spec(scheduler, spec);
	scheduler_unit_begin(&scheduler->unit, child_pid(scheduler->child));
	history_note(EVENT_NOTE, "scheduler", NULL, "goes on: process %d at %s", pid,
		scheduler->address);
	scheduler->state = SCHEDULER_UP;
	scheduler->since_ms = since_ms;
	scheduler->ops->changed(scheduler->arg);
	if (scheduler->spec.silence_ms)
		loop_timer_start(scheduler->timer,
			max_of(ADOPT_MS,
				max_of(scheduler->spec.silence_ms,
					scheduler->spec.timeout_ms)));
	return true;
}

void scheduler_stop(struct scheduler *scheduler)
{
	switch (scheduler->state) {
	case SCHEDULER_STARTING:
	case SCHEDULER_UP:
		child_signal(scheduler->child, SIGTERM);
		set_state(scheduler, SCHEDULER_STOPPING);
		loop_timer_start(scheduler->timer, SCHEDULER_STOP_GRACE_MS);
		break;
	case SCHEDULER_BACKOFF:
		set_state(scheduler, SCHEDULER_STOPPED);
		break;
	case SCHEDULER_STOPPING:
	case SCHEDULER_STOPPED:
		break;
	}
}

/* Does hello come from the process that was started, or from a child of it? The command for Python
 * may start another process, and in a container that process may know itself by another pid than
 * this one does. */
static bool is_ours(const struct scheduler *scheduler, const json_t *hello)
{
	pid_t ours = scheduler->child ? child_pid(scheduler->child) : 0;
	pid_t peer = (pid_t)json_get_integer(hello, DASK_LINK_PEER, 0);

	return ours &&
		(json_get_integer(hello, "pid", 0) == ours ||
			(peer > 0 && getsid(peer) == ours));
}

int scheduler_hello(struct scheduler *scheduler, const json_t *hello, struct err *err)
{
	const char *cluster = json_get_text(hello, "cluster", "");
	const char *address = json_get_text(hello, "address", scheduler->address);
	const char *version = json_get_text(hello, "distributed", "?");

	if (!is_ours(scheduler, hello) || strcmp(cluster, scheduler->spec.cluster_id) != 0)
		return err_set(
			err, -EPERM, "this dracod has not started it (cluster %s)", cluster);
	/* The texts go into environments and files. */
	if (strlen(address) >= sizeof(scheduler->address) || !visible_is_clean(address) ||
		!visible_is_clean(version))
		return err_set(
			err, -EPROTO, "its address or its version is not a short line of text");
	if (address != scheduler->address)
		strcpy(scheduler->address, address);
	snprintf(scheduler->distributed, sizeof(scheduler->distributed), "%s", version);
	if (scheduler->state == SCHEDULER_STARTING || scheduler->state == SCHEDULER_UP)
		loop_timer_stop(scheduler->timer);
	if (scheduler->state == SCHEDULER_STARTING)
		set_state(scheduler, SCHEDULER_UP);
	return 0;
}

void scheduler_lost(struct scheduler *scheduler)
{
	if (scheduler->state == SCHEDULER_UP)
		loop_timer_start(scheduler->timer, RECONNECT_MS);
}

enum scheduler_state scheduler_state(const struct scheduler *scheduler)
{
	return scheduler->state;
}

const char *scheduler_state_name(enum scheduler_state state)
{
	return state_names[state];
}

int64_t scheduler_since_ms(const struct scheduler *scheduler)
{
	return scheduler->since_ms;
}

const char *scheduler_address(const struct scheduler *scheduler)
{
	return scheduler->state == SCHEDULER_STOPPED ? "" : scheduler->address;
}

const char *scheduler_log_path(const struct scheduler *scheduler)
{
	return scheduler->spec.log_path;
}

const char *scheduler_distributed(const struct scheduler *scheduler)
{
	return scheduler->distributed;
}

int scheduler_pid(const struct scheduler *scheduler)
{
	return scheduler->child ? (int)child_pid(scheduler->child) : 0;
}

const struct memory_use *scheduler_memory(const struct scheduler *scheduler)
{
	return &scheduler->unit.use;
}

const char *scheduler_unit_directory(const struct scheduler *scheduler)
{
	return scheduler->child ? scheduler->unit.directory : NULL;
}

const char *scheduler_memory_end(const struct scheduler *scheduler)
{
	return scheduler->memory_end;
}
