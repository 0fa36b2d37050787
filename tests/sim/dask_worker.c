/* dask_worker.c: a model of Dask's workers: they connect, take tasks, are paused, move their
 * results and leave. Those that are gone make room for others. */
#include <stdlib.h>

#include "common/alloc.h"
#include "tests/sim/dask.h"
#include "tests/sim/dask_queue.h"
#include "tests/sim/world.h"

void dask_start_job(struct world *world, size_t job)
{
	const struct trace *trace = world->trace;
	struct dask *dask = &world->dask;
	int at = 0;

	for (int64_t i = 0; i < trace->processes; i++) {
		while (at < dask->workers && dask->worker[at].state != WORKER_GONE)
			at++;
		if (at == dask->workers_size) {
			dask->workers_size = dask->workers_size ? 2 * dask->workers_size : 32;
			dask->worker = xrealloc(dask->worker,
				(size_t)dask->workers_size * sizeof(*dask->worker));
		}
		if (at == dask->workers)
			dask->workers++;
		dask->worker[at] = (struct dask_worker){.state = WORKER_BOOTING,
			.job = job,
			.sent = -1,
			.connect_ms = world->now_ms +
				random_between(&world->random, trace->boot_min_ms,
					trace->boot_max_ms)};
	}
}

static void again(struct world *world, int task, enum dask_again why)
{
	struct dask *dask = &world->dask;
	struct dask_task *t = &dask->task[task];

	dask->again[why]++;
	dask->kind[t->kind].processing--;
	world_task_again(world, t, why);
	dask_queue_push(dask, task);
}

void dask_lose_result(struct world *world, int task)
{
	struct dask_task *t = &world->dask.task[task];

	world->dask.burst[t->burst].open++;
	dask_queue_push(&world->dask, task);
}

void dask_end_worker(struct world *world, int worker, enum dask_again again_running,
	enum dask_again again_lost)
{
	struct dask *dask = &world->dask;
	struct dask_worker *w = &dask->worker[worker];

	if (w->state == WORKER_GONE)
		return;
	for (int i = 0; i < w->runs; i++)
		again(world, w->running[i], again_running);
	if (w->sent >= 0) {
		dask->kind[dask->task[w->sent].kind].processing--;
		dask_queue_push(dask, w->sent);
	}
	for (int i = 0; w->bytes > 0 && i < dask->tasks; i++) {
		struct dask_task *task = &dask->task[i];

		if (task->state != TASK_MEMORY || task->worker != worker)
			continue;
		w->bytes -= task->bytes;
		if (task->bytes == 0)
			continue;
		dask->again[again_lost]++;
		world_task_again(world, task, again_lost);
		dask_lose_result(world, i);
	}
	*w = (struct dask_worker){.state = WORKER_GONE, .sent = -1};
	dask->changes++;
	dask->dirty = true;
}

void dask_end_job(struct world *world, size_t job, enum dask_job_end how)
{
	bool failed = how == DASK_JOB_FAILED;

	for (int i = 0; i < world->dask.workers; i++) {
		if (world->dask.worker[i].state != WORKER_GONE &&
			world->dask.worker[i].job == job)
			dask_end_worker(world, i, failed ? AGAIN_FAILED : AGAIN_KILLED,
				failed ? AGAIN_LOST_FAILED : AGAIN_LOST_KILLED);
	}
}

int64_t dask_worker_busy(const struct dask_worker *worker)
{
	return worker->runs + (worker->sent >= 0);
}

void dask_job_load(const struct dask *dask, size_t job, int64_t *ret_busy, int64_t *ret_bytes,
	int64_t *ret_connected)
{
	*ret_busy = *ret_bytes = *ret_connected = 0;
	for (int i = 0; i < dask->workers; i++) {
		const struct dask_worker *worker = &dask->worker[i];

		if (worker->state == WORKER_GONE || worker->job != job)
			continue;
		*ret_busy += dask_worker_busy(worker);
		*ret_bytes += worker->bytes;
		*ret_connected += worker->state != WORKER_BOOTING;
	}
}

void dask_set_job(struct world *world, size_t job, enum dask_worker_state state)
{
	for (int i = 0; i < world->dask.workers; i++) {
		struct dask_worker *worker = &world->dask.worker[i];

		if (worker->job == job && worker->state != WORKER_GONE &&
			worker->state != WORKER_BOOTING)
			worker->state = state;
	}
	world->dask.dirty = true;
}

bool dask_move(struct world *world, int worker, double share)
{
	struct dask *dask = &world->dask;
	struct dask_worker *from = &dask->worker[worker];
	int64_t left = (int64_t)((1 - share) * (double)from->bytes);

	for (int i = 0; from->bytes > left && i < dask->tasks; i++) {
		struct dask_task *task = &dask->task[i];
		int best = -1;

		if (task->state != TASK_MEMORY || task->worker != worker || task->bytes == 0)
			continue;
		for (int k = 0; k < dask->workers; k++) {
			if (dask->worker[k].state == WORKER_RUNNING && k != worker &&
				(best < 0 || dask->worker[k].bytes < dask->worker[best].bytes))
				best = k;
		}
		if (best < 0)
			return false;
		task->worker = best;
		from->bytes -= task->bytes;
		dask->worker[best].bytes += task->bytes;
	}
	return true;
}

int64_t dask_worker_next_ms(const struct dask *dask, const struct dask_worker *worker)
{
	int64_t next = INT64_MAX;

	if (worker->state == WORKER_BOOTING)
		return worker->connect_ms;
	for (int i = 0; i < worker->runs; i++) {
		const struct dask_task *task = &dask->task[worker->running[i]];

		if (task->start_ms + task->duration_ms < next)
			next = task->start_ms + task->duration_ms;
	}
	return next;
}

void dask_step_workers(struct world *world)
{
	struct dask *dask = &world->dask;

	for (int i = 0; i < dask->workers; i++) {
		struct dask_worker *worker = &dask->worker[i];

		if (worker->state == WORKER_BOOTING && world->now_ms >= worker->connect_ms) {
			worker->state = world_worker_connects(world, worker->job);
			dask->changes++;
			dask->dirty = true;
		}
		for (int k = worker->runs; k-- > 0;) {
			int task = worker->running[k];

			if (world->now_ms <
				dask->task[task].start_ms + dask->task[task].duration_ms)
				continue;
			worker->running[k] = worker->running[--worker->runs];
			dask_finish_task(world, task);
		}
	}
}

/* The worker that runs and has the least to do, of those with less than limit; -1: none. */
static int least_loaded(const struct dask *dask, int64_t limit)
{
	int best = -1;

	for (int i = 0; i < dask->workers; i++) {
		const struct dask_worker *worker = &dask->worker[i];

		if (worker->state == WORKER_RUNNING && dask_worker_busy(worker) < limit &&
			(best < 0 ||
				dask_worker_busy(worker) <
					dask_worker_busy(&dask->worker[best])))
			best = i;
	}
	return best;
}

static void run(struct world *world, struct dask_worker *worker, int number, int task)
{
	struct dask_task *t = &world->dask.task[task];

	t->state = TASK_RUNNING;
	t->worker = number;
	t->start_ms = world->now_ms;
	worker->running[worker->runs++] = task;
	world->dask.changes++;
}

/* A task that waits at some worker; -1: none. */
static int steal(struct dask *dask)
{
	for (int i = 0; i < dask->workers; i++) {
		int task = dask->worker[i].sent;

		if (task >= 0 && dask->worker[i].state != WORKER_GONE) {
			dask->worker[i].sent = -1;
			return task;
		}
	}
	return -1;
}

void dask_match(struct world *world)
{
	struct dask *dask = &world->dask;
	int64_t threads = world->trace->threads;
	int at, task;

	if (!dask->dirty)
		return;
	dask->dirty = false;
	for (int i = 0; i < dask->workers; i++) {
		struct dask_worker *worker = &dask->worker[i];

		if ((worker->state == WORKER_RUNNING || worker->state == WORKER_PAUSED) &&
			worker->sent >= 0 && worker->runs < threads) {
			task = worker->sent;
			worker->sent = -1;
			run(world, worker, i, task);
		}
	}
	while ((at = least_loaded(dask, threads)) >= 0) {
		task = dask_queue_pop(dask);
		if (task >= 0)
			dask->kind[dask->task[task].kind].processing++;
		else
			task = steal(dask);
		if (task < 0)
			return;
		run(world, &dask->worker[at], at, task);
	}
	while (dask->first >= 0 && (at = least_loaded(dask, threads + 1)) >= 0) {
		task = dask_queue_pop(dask);
		dask->kind[dask->task[task].kind].processing++;
		dask->task[task].state = TASK_SENT;
		dask->task[task].worker = at;
		dask->worker[at].sent = task;
		dask->changes++;
	}
}
