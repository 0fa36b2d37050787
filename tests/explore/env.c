/* env.c: what is around a dracod while it is explored: the client, the life of dracod itself, and
 * the rules that hold at the end. */
#include "env.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/rpc.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/control/report.h"
#include "daemon/daemon.h"
#include "daemon/io/loop.h"
#include "tests/fuzz/world.h"

#define WAIT_MS	  30000 /* the longest EVENT_WAIT */
#define END_STEPS 400	/* until the wish must be fulfilled, about an hour and more */
#define CALM	  12	/* steps without any change: nothing will come any more */

struct env env;

static const struct {
	const char *name;
	bool of_job;
} events[EVENT_COUNT] = {
	[EVENT_ANSWER] = {"Slurm answers"},
	[EVENT_CARRY_OUT] = {"Slurm carries out, its answer is under way"},
	[EVENT_LOSE] = {"a request to Slurm is lost"},
	[EVENT_LOSE_LATE] = {"a request to Slurm is cut off, and waits there"},
	[EVENT_LOSE_AFTER] = {"Slurm carries out, its answer is lost"},
	[EVENT_REFUSE] = {"Slurm refuses"},
	[EVENT_ARRIVE] = {"the submission that was cut off arrives"},
	[EVENT_JOB_STARTS] = {"a job starts", true},
	[EVENT_JOB_ENDS] = {"a job ends", true},
	[EVENT_NODE_FAILS] = {"the node of a job fails", true},
	[EVENT_REQUEUE] = {"a job is requeued", true},
	[EVENT_WORKER_COMES] = {"the worker of a job comes", true},
	[EVENT_TASK_COMES] = {"a task comes to a job", true},
	[EVENT_TASK_ENDS] = {"the task of a job ends", true},
	[EVENT_HELLO] = {"the preload says hello"},
	[EVENT_HANG_UP] = {"the preload's connection breaks"},
	[EVENT_REPLY] = {"the preload replies"},
	[EVENT_SCHEDULER_DIES] = {"the scheduler dies"},
	[EVENT_KILL] = {"dracod is killed, its request to Slurm with it"},
	[EVENT_KILL_AFTER] = {"dracod is killed, its request to Slurm is carried out"},
	[EVENT_COME_BACK] = {"dracod comes back"},
	[EVENT_SCALE] = {"the client scales to", true},
	[EVENT_STOP] = {"the client stops the cluster"},
	[EVENT_START] = {"the client starts a cluster"},
	[EVENT_WAIT] = {"time passes"},
};

bool event_is_of_job(enum event event)
{
	return events[event].of_job;
}

const char *event_name(enum event event)
{
	return events[event].name;
}

/* The client */

static void ask(const char *method, json_t *params)
{
	_cleanup_free_ char *text = rpc_format_request(2, method, params);
	size_t peers = world_peers(WORLD_CONTROL);

	if (peers > 0)
		world_say(WORLD_CONTROL, peers - 1, text, strlen(text));
}

static void connect_client(void)
{
	world_connect(WORLD_CONTROL);
	ask("hello", json_pack("{s:i, s:s}", "protocol", RPC_PROTOCOL, "client", "explore"));
}

static void start_cluster(void)
{
	json_t *settings = json_pack(
		"{s:i, s:i, s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:s}",
		"processes", 1, "cores", 1, "memory", "1 GiB", "minimum", env.adaptive ? 1 : 2,
		"maximum", 2, "security", "none", "dashboard", "off", "interface", "none",
		"python", "/usr/bin/python3", "idle_timeout", 0, "idle_shutdown", 0,
		"idle_hold", "20 s", "queues_to_try", "short", "walltime", "10:00:00");

	env.wish = env.adaptive ? 1 : 2;
	ask("start",
		json_pack("{s:o, s:{s:s, s:s}, s:s}", "settings", settings, "environment",
			"HOME", "/nonexistent", "PATH", "/usr/bin:/bin", "directory", "/"));
}

/* dracod */

static void begin_daemon(void)
{
	static const struct daemon_options options = {
		.name = "default", .exact = true, .ready_fd = -1};
	struct err err = ERR_INIT;

	if (!daemon_create(&options, &err))
		env_broken("dracod does not start: %s", err.text);
	env.daemon = true;
	connect_client();
}

/* Let dracod do what it does without any choice. */
static void settle(void)
{
	static const char python[] =
		"{\"path\": \"/usr/bin/python3\", \"version\": \"3.11.2\", "
		"\"distributed\": \"2026.8.0\"}\n";

	for (int i = 0; i < 8 && env.daemon; i++) {
		world_pass(0);
		world_end_capture(0, false, python);
		slurm_answer_surely();
		dask_settle();
	}
	if (env.daemon && world_has_exited()) {
		world_kill();
		env.daemon = false;
		dask_leave_alone();
	}
	dask_settle();
}

static void end_daemon(bool after)
{
	env.left.kills--;
	slurm_kill(after);
	world_kill();
	env.daemon = false;
	dask_leave_alone();
}

static void wait_for_deed(void)
{
	unsigned before = world_deeds;
	int64_t left_ms = WAIT_MS;

	slurm_time_passes();
	dask_time_passes();
	while (left_ms > 0 && world_deeds == before && !world_has_exited()) {
		int64_t next_ms = env.daemon ? world_next_ms() : -1;
		int64_t step_ms = next_ms < 0 || next_ms > left_ms ? left_ms : next_ms;

		world_pass(step_ms);
		left_ms -= step_ms;
	}
}

static bool can_scale(int number)
{
	return number >= 1 && number <= 2 && number != env.wish && env.wish != NO_CLUSTER &&
		!env.adaptive && env.left.wishes > 0 && env.daemon &&
		world_cluster->state == CLUSTER_RUNNING;
}

bool env_can(enum event event, int number)
{
	if (!event_is_of_job(event) && number > 0)
		return false;
	switch (event) {
	case EVENT_KILL:
		return env.daemon && env.left.kills > 0;
	case EVENT_KILL_AFTER:
		return env.daemon && env.left.kills > 0 && slurm_can(EVENT_CARRY_OUT, 0);
	case EVENT_COME_BACK:
		return !env.daemon;
	case EVENT_SCALE:
		return can_scale(number);
	case EVENT_STOP:
		return env.daemon && env.left.wishes > 0 && cluster_is_up(world_cluster);
	case EVENT_START:
		return env.daemon && env.left.wishes > 0 && cluster_is_down(world_cluster);
	case EVENT_WAIT:
		return true;
	default:
		return slurm_can(event, number) || dask_can(event, number);
	}
}

void env_do(enum event event, int number)
{
	switch (event) {
	case EVENT_KILL:
	case EVENT_KILL_AFTER:
		end_daemon(event == EVENT_KILL_AFTER);
		break;
	case EVENT_COME_BACK:
		begin_daemon();
		break;
	case EVENT_SCALE:
		env.left.wishes--;
		env.wish = number;
		ask("scale", json_pack("{s:i}", "jobs", number));
		break;
	case EVENT_STOP:
		env.left.wishes--;
		env.wish = NO_CLUSTER;
		ask("stop", NULL);
		break;
	case EVENT_START:
		env.left.wishes--;
		start_cluster();
		break;
	case EVENT_WAIT:
		wait_for_deed();
		break;
	default:
		if (slurm_can(event, number))
			slurm_do(event, number);
		else
			dask_do(event, number);
		break;
	}
	settle();
}

void env_begin(const struct env_budget *budget, bool adaptive)
{
	memset(&env, 0, sizeof(env));
	env.left = *budget;
	env.adaptive = adaptive;
	world_lasts = true;
	begin_daemon();
	start_cluster();
	settle();
}

/* The end: all goes well from here on. */

static int count_alive(void)
{
	int alive = 0;

	for (int i = 0; i < env.jobs; i++)
		alive += env_job_is_alive(&env.job[i]);
	return alive;
}

/* What must happen some time, in this order. */
static const enum event good[] = {EVENT_COME_BACK, EVENT_HELLO, EVENT_ANSWER, EVENT_REPLY,
	EVENT_TASK_ENDS, EVENT_JOB_ENDS, EVENT_JOB_STARTS, EVENT_WORKER_COMES};

static void go_on_well(void)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		for (int number = 0; number < JOBS_MAX; number++)
			if (env_can(good[i], number))
				env_do(good[i], number);
	env_do(EVENT_WAIT, 0);
}

static bool is_nothing_left(void)
{
	const char *cluster;

	return env.daemon && cluster_is_down(world_cluster) && count_alive() == 0 &&
		!world_scheduler(&cluster) &&
		!json_object_get(world_files(), WORLD_CLUSTER_FILE);
}

/* A cluster that Slurm refuses fails, and one that loses dracod and scheduler is given up. */
static bool is_fulfilled(void)
{
	if (env.wish == NO_CLUSTER ||
		(env.daemon && env.gave_up && cluster_is_down(world_cluster)))
		return is_nothing_left();
	return env.daemon && world_cluster->state == CLUSTER_RUNNING &&
		count_alive() == env.wish &&
		jobs_count(world_cluster->jobs).connected == env.wish;
}

/* Wait until the wish is fulfilled, and see that it stays so. */
static void await_wish(const char *when)
{
	int calm = 0;

	for (int i = 0; i < END_STEPS && calm < CALM; i++) {
		go_on_well();
		calm = is_fulfilled() ? calm + 1 : 0;
	}
	if (calm < CALM)
		env_broken("%s: %" PRId64
			   " jobs are wanted (-1: no cluster), %d are there, the "
			   "cluster is %s%s%s",
			when, env.wish, count_alive(),
			env.daemon ? cluster_state_name(world_cluster->state)
				   : "without dracod",
			env.daemon && world_cluster->failure.code ? ": " : "",
			env.daemon ? world_cluster->failure.text : "");
}

void env_end_well(void)
{
	await_wish("the wish is not fulfilled");
	env.wish = NO_CLUSTER;
	if (env.daemon)
		ask("stop", NULL);
	settle();
	await_wish("something is left after the stop");
}

/* The fingerprint. Times count as distances from now. */

static uint64_t sum;

static void add(const void *data, size_t size)
{
	const unsigned char *byte = data;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ byte[i]) * UINT64_C(1099511628211);
	sum ^= sum >> 29;
}

static void add_number(int64_t number)
{
	add(&number, sizeof(number));
}

static void add_timer(void *arg, uintptr_t fn, int64_t in_ms)
{
	(void)arg;
	add(&fn, sizeof(fn));
	add_number(in_ms);
}

static void add_time(int64_t ms)
{
	add_number(ms ? loop_now_ms() - ms : 0);
}

static void add_json(const json_t *value)
{
	const char *key;
	const json_t *item;
	size_t i;

	if (json_is_string(value))
		add(json_string_value(value), json_string_length(value));
	else if (json_is_integer(value) && json_integer_value(value) >= 1000000)
		add_time(json_integer_value(value));
	else if (json_is_integer(value))
		add_number(json_integer_value(value));
	else
		add_number(value ? (int64_t)json_typeof(value) : -1);
	json_array_foreach (value, i, item)
		add_json(item);
	json_object_foreach (UNCONST(value), key, item) {
		add(key, strlen(key));
		add_json(item);
	}
}

static void add_job(const struct job *job)
{
	const int64_t times[] = {job->phase_since_ms, job->hold_ms, job->known_ms, job->seen_ms,
		job->ending_since_ms, job->idle_since_ms, job->alone_since_ms,
		job->running_since_ms, job->came_ms};
	const int64_t values[] = {job->phase, job->role, job->asking, job->connected, job->busy,
		job->ending, job->ending_sent, job->abandoned, job->was_connected, job->by_hand,
		job->submission != NULL};

	add(job->tag, strlen(job->tag));
	add(job->id, strlen(job->id));
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		add_time(times[i]);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		add_number(values[i]);
}

static void add_model(const struct cluster *cluster)
{
	const int64_t values[] = {cluster->state, cluster->wanted, cluster->undrain_due,
		cluster->undraining, cluster->place.to_submit, cluster->place.found,
		cluster->place.substitutes, cluster->submission_count, cluster->adoption.waits,
		cluster->adoption.unread, cluster->adoption.ungreeted,
		(int64_t)cluster->strays.count, cluster->poll_failures};
	const struct job *job;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		add_number(values[i]);
	add_time(cluster->stop_since_ms);
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job->phase != PHASE_GONE)
			add_job(job);
}

uint64_t env_fingerprint(void)
{
	const json_t *params = NULL;
	const char *method;

	sum = UINT64_C(14695981039346656037);
	add(&env, sizeof(env));
	slurm_hash(add);
	add_json(world_files());
	if (!env.daemon)
		return sum;
	method = world_question(&params);
	add(method ? method : "-", method ? strlen(method) : 1);
	add_json(params);
	params = NULL;
	method = world_request(&params);
	add(method ? method : "-", method ? strlen(method) : 1);
	add_json(params);
	world_timers(add_timer, NULL);
	add_model(world_cluster);
	return sum;
}
