/* env_dask.c: the Dask of an exploration: the scheduler with draco's preload, its workers, and what
 * they have to do. */
#include "env.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/rpc.h"
#include "daemon/dask/dask_link.h"
#include "tests/fuzz/world.h"

#define AWAY_MAX 3 /* times that time passes */

static int served;	  /* the process of the scheduler that serves; 0: none */
static unsigned refusals; /* that were seen */

static char *address_of(const struct env_job *job)
{
	return xasprintf("tcp://n1:%d", 9000 + (int)(job - env.job));
}

struct env_job *env_job_of_address(const char *address)
{
	int number = atoi(strrchr(address, ':') + 1) - 9000;

	return &env.job[number];
}

/* The number of the preload's connection: the newest. */
static void say(char *text)
{
	size_t peers = world_peers(WORLD_DASK);

	if (peers > 0)
		world_say(WORLD_DASK, peers - 1, text, strlen(text));
	free(text);
}

static void tell(const char *method, json_t *params)
{
	if (env.greeted)
		say(rpc_format_notification(method, params));
	else
		json_decref(params);
}

static char *name_of(const struct env_job *job)
{
	char id[SLURM_JOB_ID_MAX];

	return xasprintf("draco-%s", slurm_job_format_id(job->id, job->task, id));
}

void dask_tell_worker(const struct env_job *job, bool comes)
{
	_cleanup_free_ char *address = address_of(job), *name = name_of(job);

	tell(comes ? "worker_added" : "worker_removed",
		comes ? json_pack("{s:s, s:s}", "name", name, "address", address)
		      : json_pack("{s:s}", "address", address));
}

void dask_tell_work(void)
{
	json_t *workers = json_array();
	int running = 0;

	for (int i = 0; i < env.jobs; i++) {
		_cleanup_free_ char *address = address_of(&env.job[i]);

		if (!env.job[i].there)
			continue;
		running += env.job[i].busy;
		json_array_append_new(
			workers, json_pack("[s, i, i]", address, env.job[i].busy ? 1 : 0, 0));
	}
	tell("workers", json_pack("{s:o}", "workers", workers));
	tell("load",
		json_pack("{s:i, s:i, s:i, s:i, s:f, s:f, s:s, s:i, s:[]}", "tasks", running,
			"ready", 0, "running", running, "unknown", running, "occupancy", 0.0,
			"longest", 0.0, "longest_name", "", "memory", 0, "clients"));
}

void env_worker_leaves(struct env_job *job)
{
	bool was_there = job->there;

	job->there = job->busy = job->drained = false;
	if (was_there) {
		dask_tell_worker(job, false);
		dask_tell_work();
	}
}

void dask_settle(void)
{
	const char *cluster;
	int pid = world_scheduler(&cluster);

	if (env.greeted && world_refusals != refusals) /* it is not wanted: it ends */
		world_end_scheduler(0);
	refusals = world_refusals;
	if (env.daemon && world_peers(WORLD_DASK) == 0)
		env.greeted = false;
	pid = world_scheduler(&cluster);
	if (pid == served)
		return;
	env.greeted = false;
	while (env.daemon && world_hang_up(WORLD_DASK, 0, "closed by the other side"))
		;
	for (int i = 0; i < env.jobs; i++)
		env.job[i].there = env.job[i].busy = env.job[i].drained = false;
	served = pid;
}

void dask_leave_alone(void)
{
	env.greeted = false;
}

static void greet(void)
{
	const char *cluster = NULL;
	int pid = world_scheduler(&cluster);
	json_t *list = json_array();

	world_connect(WORLD_DASK);
	for (int i = 0; i < env.jobs; i++) {
		_cleanup_free_ char *address = address_of(&env.job[i]);
		_cleanup_free_ char *name = name_of(&env.job[i]);

		if (env.job[i].there)
			json_array_append_new(list,
				json_pack("{s:s, s:s, s:i, s:i}", "name", name, "address",
					address, "tasks", env.job[i].busy ? 1 : 0, "bytes", 0));
	}
	say(rpc_format_request(1, "hello",
		json_pack("{s:i, s:s, s:i, s:s, s:s, s:i}", "protocol", DASK_LINK_PROTOCOL,
			"cluster", cluster, "pid", pid, "address", "tcp://127.0.0.1:8786",
			"distributed", "2026.8.0", "workers", (int)json_array_size(list))));
	if (json_array_size(list) > 0)
		say(rpc_format_notification(
			"workers_there", json_pack("{s:O}", "workers", list)));
	json_decref(list);
	env.greeted = true;
	dask_tell_work();
}

/* It does not stay away from dracod for long. */
void dask_time_passes(void)
{
	if (!env.daemon || !served || env.greeted)
		env.away = 0;
	else if (++env.away >= AWAY_MAX)
		greet();
}

/* The preload's answers to dracod. */

static bool any_busy(const json_t *workers)
{
	const json_t *item;
	bool busy = false;
	size_t i;

	json_array_foreach (workers, i, item)
		busy |= env_job_of_address(json_string_value(item))->busy;
	return busy;
}

static void set_drained(const json_t *workers, bool drained)
{
	const json_t *item;
	size_t i;

	json_array_foreach (workers, i, item) {
		struct env_job *job = env_job_of_address(json_string_value(item));

		job->drained = drained && job->there;
	}
}

static json_t *drain(const json_t *params, json_t *workers)
{
	bool busy = any_busy(workers);
	bool drains = !busy || !json_get_boolean(params, "only_idle", 0);

	if (drains)
		set_drained(workers, true);
	return json_pack("{s:b, s:i}", "drained", drains, "busy", busy ? 1 : 0);
}

static json_t *retire(const json_t *params, json_t *workers)
{
	if (any_busy(workers) && !json_get_boolean(params, "force", 0)) {
		set_drained(workers, false);
		return json_pack("{s:[], s:[s]}", "retired", "busy", "tcp://n1:9000");
	}
	set_drained(workers, true);
	return json_pack("{s:O, s:[]}", "retired", workers, "busy");
}

static json_t *reply_to(const char *method, const json_t *params)
{
	json_t *workers = json_object_get(params, "workers");

	if (strcmp(method, "drain") == 0)
		return drain(params, workers);
	if (strcmp(method, "retire") == 0)
		return retire(params, workers);
	if (strcmp(method, "undrain") == 0)
		set_drained(workers, false);
	return json_object();
}

static void reply(void)
{
	const json_t *params;
	const char *method = world_request(&params);
	json_t *result = reply_to(method, params);
	_cleanup_json_ json_t *id = json_integer(world_take_request());

	say(rpc_format_result(id, result));
}

bool dask_can(enum event event, int number)
{
	const struct env_job *job = number < env.jobs ? &env.job[number] : NULL;
	const json_t *params;

	switch (event) {
	case EVENT_WORKER_COMES:
		return job && job->state == STATE_RUNNING && !job->came && served &&
			!job->asked_to_end;
	case EVENT_TASK_COMES:
		return job && job->there && !job->busy && !job->drained && env.left.tasks > 0;
	case EVENT_TASK_ENDS:
		return job && job->busy;
	case EVENT_HELLO:
		return env.daemon && served && !env.greeted;
	case EVENT_HANG_UP:
		return env.greeted && env.left.hang_ups > 0;
	case EVENT_REPLY:
		return env.greeted && world_request(&params);
	case EVENT_SCHEDULER_DIES:
		return served && env.left.deaths > 0;
	default:
		return false;
	}
}

static void end_scheduler(void)
{
	env.left.deaths--;
	env.gave_up = true;
	while (env.greeted && world_hang_up(WORLD_DASK, 0, "closed by the other side"))
		;
	env.greeted = false;
	world_end_scheduler(1 << 8);
}

void dask_do(enum event event, int number)
{
	struct env_job *job = &env.job[number];

	switch (event) {
	case EVENT_WORKER_COMES:
		job->came = job->there = true;
		dask_tell_worker(job, true);
		dask_tell_work();
		break;
	case EVENT_TASK_COMES:
	case EVENT_TASK_ENDS:
		env.left.tasks -= event == EVENT_TASK_COMES;
		job->busy = event == EVENT_TASK_COMES;
		dask_tell_work();
		break;
	case EVENT_HELLO:
		greet();
		break;
	case EVENT_HANG_UP:
		env.left.hang_ups--;
		env.greeted = false;
		world_hang_up(WORLD_DASK, 0, "closed by the other side");
		break;
	case EVENT_REPLY:
		reply();
		break;
	default: /* EVENT_SCHEDULER_DIES */
		end_scheduler();
		break;
	}
}
