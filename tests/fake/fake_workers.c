/* fake_workers.c: the Dask workers of the fake world, and their tasks. */
#include "fake_workers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/queue.h"
#include "daemon/io/loop.h"
#include "fake_dask.h"
#include "fake_slurm.h"
#include "process.h"
#include "unit.h"
#include "world.h"

#define LEAVE_MS 2000 /* time that jobs run on without their scheduler */
#define JOBS_MAX NODES_MAX

static struct loop *loop;
static TAILQ_HEAD(, fake_worker) all = TAILQ_HEAD_INITIALIZER(all);
static int last_port;

/* The running jobs, with the time at which their workers connect, or leave because their scheduler
 * is gone. */
static struct run {
	struct fake_job *job; /* NULL: this entry is free */
	struct loop_timer *come, *leave;
	bool came; /* its workers have connected */
} runs[JOBS_MAX];

static struct {
	int unknown, known; /* tasks that are not done yet */
	double each_s;	    /* duration of a known task */
	int clients, waited_for;
	const char *longest;
	double longest_s;
} work;

static struct run *find_run(const struct fake_job *job)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (runs[i].job == job)
			return &runs[i];
	ck_abort_msg("%s", job ? "the job does not run" : "too many jobs run");
}

struct fake_worker *workers_next(struct fake_worker *worker, const json_t *addresses)
{
	worker = worker ? TAILQ_NEXT(worker, link) : TAILQ_FIRST(&all);
	for (; worker && addresses; worker = TAILQ_NEXT(worker, link)) {
		const json_t *item;
		size_t i;

		json_array_foreach (addresses, i, item)
			if (strcmp(json_string_value(item), worker->address) == 0)
				return worker;
	}
	return worker;
}

/* Work */

static json_t *measure(void)
{
	int running = 0, ready = work.unknown + work.known;
	json_t *clients = json_array();
	int64_t bytes = 0;

	for (struct fake_worker *w = NULL; (w = workers_next(w, NULL));) {
		running += w->tasks;
		bytes += w->bytes;
	}
	for (int i = 0; i < work.clients; i++)
		json_array_append_new(clients, json_sprintf("Client-%d", i));
	ready -= running;
	return json_pack(
		"{s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:s, s:I, s:i, s:i, s:i, s:o}",
		"tasks", ready + running + (bytes > 0), "ready", ready, "running", running,
		"long_running", 0, "unrunnable", 0, "unknown", work.unknown, "occupancy",
		work.known * work.each_s, "longest", work.longest_s, "longest_name",
		work.longest, "memory", (json_int_t)bytes, "paused", dask.paused,
		"pause_percent", 80, "waited_for", work.waited_for, "clients", clients);
}

static int count_running(void)
{
	int running = 0;

	for (struct fake_worker *w = NULL; (w = workers_next(w, NULL));)
		running += w->tasks;
	return running;
}

void workers_settle(void)
{
	int waiting = work.unknown + work.known - count_running();

	for (struct fake_worker *w = NULL; (w = workers_next(w, NULL));)
		if (waiting > 0 && w->tasks == 0 && !w->drained) {
			w->tasks = 1;
			waiting--;
			dask_tell_weight(w);
		}
	dask_tell_load(measure());
}

static void done_on(struct fake_worker *worker)
{
	int *kind = work.unknown > 0 ? &work.unknown : &work.known;

	*kind -= worker->tasks;
	worker->tasks = 0;
	dask_tell_weight(worker);
}

void tasks_come(int count)
{
	work.unknown += count;
	workers_settle();
}

void tasks_known(int count, double seconds_each)
{
	work.known += count;
	work.each_s = seconds_each;
	workers_settle();
}

void tasks_done(void)
{
	for (struct fake_worker *w = NULL; (w = workers_next(w, NULL));)
		if (w->tasks > 0)
			done_on(w);
	work.unknown = work.known = 0;
	workers_settle();
}

void tasks_done_on(struct fake_job *job)
{
	for (struct fake_worker *w = NULL; (w = workers_next(w, NULL));)
		if (w->job == job && w->tasks > 0)
			done_on(w);
	workers_settle();
}

int tasks_on(const struct fake_job *job)
{
	int count = 0;

	for (struct fake_worker *w = NULL; (w = workers_next(w, NULL));)
		count += w->job == job ? w->tasks : 0;
	return count;
}

void results_on(struct fake_job *job, int64_t bytes)
{
	for (struct fake_worker *w = NULL; (w = workers_next(w, NULL));)
		if (w->job == job) {
			w->bytes = bytes;
			dask_tell_weight(w);
			workers_settle();
			return;
		}
	ck_abort_msg("job %s has no worker", job->id);
}

void clients_come(int count)
{
	work.clients = count;
	workers_settle();
}

void wait_for_workers(int count)
{
	work.waited_for = count;
	workers_settle();
}

void longest_task(const char *name, double seconds)
{
	work.longest = name;
	work.longest_s = seconds;
	workers_settle();
}

struct fake_worker *workers_find_heir(void)
{
	for (struct fake_worker *w = NULL; (w = workers_next(w, NULL));)
		if (!w->drained)
			return w;
	return NULL;
}

void workers_hand_over(struct fake_worker *worker, struct fake_worker *heir)
{
	heir->bytes += worker->bytes;
	worker->bytes = 0;
	dask_tell_weight(worker);
	dask_tell_weight(heir);
}

/* Coming and going */

int workers_of(const struct fake_job *job)
{
	int count = 0;

	for (struct fake_worker *w = NULL; (w = workers_next(w, NULL));)
		count += w->job == job;
	return count;
}

int workers(void)
{
	int count = 0;

	for (struct fake_worker *w = NULL; (w = workers_next(w, NULL));)
		count++;
	return count;
}

bool is_drained(const struct fake_job *job)
{
	for (struct fake_worker *w = NULL; (w = workers_next(w, NULL));)
		if (w->job == job && !w->drained)
			return false;
	return true;
}

/* Does the preload know that the job leaves? */
static bool is_leaving(const struct fake_job *job)
{
	_cleanup_free_ char *name = xasprintf("draco-%s", job->id);
	json_t *item;
	size_t i;

	json_array_foreach (dask.leaving, i, item)
		if (strcmp(json_string_value(item), name) == 0)
			return true;
	return false;
}

static void add(struct fake_job *job, int number)
{
	struct fake_worker *worker = xcalloc(1, sizeof(*worker));

	worker->job = job;
	worker->name = dask.processes > 1 ? xasprintf("draco-%s-%d", job->id, number)
					  : xasprintf("draco-%s", job->id);
	worker->address = xasprintf("tls://127.0.0.1:%d", ++last_port);
	worker->drained = is_leaving(job);
	TAILQ_INSERT_TAIL(&all, worker, link);
	dask_tell_worker(worker, true);
	workers_settle(); /* the scheduler gives it tasks in the same step */
}

/* Remove a worker. Its tasks run again on others. */
static void drop(struct fake_worker *worker)
{
	TAILQ_REMOVE(&all, worker, link);
	dask_tell_worker(worker, false);
	free(worker->name);
	free(worker->address);
	free(worker);
}

static void come(void *arg)
{
	struct run *run = arg;

	if (!dask_is_up()) { /* they try again and again */
		loop_timer_start(run->come, 500);
		return;
	}
	run->came = true;
	for (int i = workers_of(run->job); i < dask.processes - dask.missing; i++)
		add(run->job, i);
	workers_settle();
}

static void drop_all_of(const struct fake_job *job)
{
	for (struct fake_worker *next, *w = workers_next(NULL, NULL); w; w = next) {
		next = workers_next(w, NULL);
		if (w->job == job)
			drop(w);
	}
}

static void leave(void *arg)
{
	struct run *run = arg;

	job_end(run->job, STATE_COMPLETED, 0);
}

void dask_job_starts(struct fake_job *job)
{
	struct run *run = find_run(NULL);

	run->job = job;
	run->came = false;
	run->come = loop_timer_create(loop, come, run);
	run->leave = loop_timer_create(loop, leave, run);
	if (!dask.no_workers &&
		(!dask.barren_node || strcmp(dask.barren_node, job->said.nodes) != 0))
		loop_timer_start(run->come, dask.worker_ms);
}

void dask_job_ends(struct fake_job *job)
{
	struct run *run = find_run(job);

	loop_timer_destroy(run->come);
	loop_timer_destroy(run->leave);
	*run = (struct run){0};
	drop_all_of(job);
	workers_settle();
}

void workers_die(struct fake_job *job, int count)
{
	for (struct fake_worker *next, *w = workers_next(NULL, NULL); w && count > 0;
		w = next) {
		next = workers_next(w, NULL);
		if (w->job != job)
			continue;
		drop(w);
		count--;
	}
	workers_settle();
}

void workers_return(struct fake_job *job)
{
	loop_timer_start(find_run(job)->come, 0);
}

/* Workers do not connect to another scheduler. Those that had one end, and so do their jobs. */
void workers_lose_scheduler(void)
{
	while (!TAILQ_EMPTY(&all))
		drop(TAILQ_FIRST(&all));
	work.unknown = work.known = 0;
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (runs[i].job && runs[i].came)
			loop_timer_start(runs[i].leave, LEAVE_MS);
}

void workers_begin(struct loop *in)
{
	loop = in;
	last_port = 40000;
	memset(&work, 0, sizeof(work));
	work.longest = "";
}

void workers_end(void)
{
	while (!TAILQ_EMPTY(&all))
		drop(TAILQ_FIRST(&all));
	for (size_t i = 0; i < JOBS_MAX; i++) {
		loop_timer_destroy(runs[i].come);
		loop_timer_destroy(runs[i].leave);
	}
	memset(runs, 0, sizeof(runs));
}
