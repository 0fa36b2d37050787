/* dask.c: a model of the Dask scheduler: bursts of tasks arrive, run, and leave results. The
 * workers are in dask_worker.c. */
#include "tests/sim/dask.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/number.h"
#include "daemon/policy/demand.h"
#include "tests/sim/dask_queue.h"
#include "tests/sim/world.h"

void dask_init(struct dask *dask)
{
	*dask = (struct dask){.free = -1, .first = -1, .last = -1};
	for (int i = 0; i < TRACE_KINDS; i++)
		dask->kind[i].average_s = -1;
}

void dask_finish(struct dask *dask)
{
	free(dask->task);
	free(dask->worker);
	for (int i = 0; i < TRACE_BURSTS; i++)
		free(dask->burst[i].task);
	*dask = (struct dask){.task = NULL};
}

void dask_queue_push(struct dask *dask, int task)
{
	dask->task[task].state = TASK_READY;
	dask->task[task].next = -1;
	if (dask->last >= 0)
		dask->task[dask->last].next = task;
	else
		dask->first = task;
	dask->last = task;
	dask->kind[dask->task[task].kind].ready++;
	dask->dirty = true;
	dask->changes++;
}

int dask_queue_pop(struct dask *dask)
{
	int task = dask->first;

	if (task < 0)
		return -1;
	dask->first = dask->task[task].next;
	if (dask->first < 0)
		dask->last = -1;
	dask->kind[dask->task[task].kind].ready--;
	return task;
}

/* One that nobody knows of yet; its number. */
static int make_task(struct world *world, int burst)
{
	struct dask *dask = &world->dask;
	int task = dask->free;

	if (task >= 0) {
		dask->free = dask->task[task].next;
	} else {
		if (dask->tasks == dask->tasks_size) {
			dask->tasks_size = dask->tasks_size ? 2 * dask->tasks_size : 256;
			dask->task = xrealloc(
				dask->task, (size_t)dask->tasks_size * sizeof(*dask->task));
		}
		task = dask->tasks++;
	}
	dask->task[task] = (struct dask_task){.burst = burst, .worker = -1};
	dask->burst[burst].open++;
	return task;
}

static void add_task(struct world *world, int burst)
{
	const struct trace_burst *from = &world->trace->burst[burst];
	double factor = 1 + from->spread * (2 * random_share(&world->random) - 1);
	int number = make_task(world, burst);
	struct dask_task *task = &world->dask.task[number];

	task->kind = from->kind;
	task->bytes = from->bytes;
	task->duration_ms = (int64_t)((double)from->duration_ms * factor) + 1;
	dask_queue_push(&world->dask, number);
}

static void add_recorded(struct world *world, int burst)
{
	const struct trace_burst *from = &world->trace->burst[burst];
	struct dask *dask = &world->dask;
	int *numbers = xcalloc((size_t)from->count, sizeof(*numbers));

	dask->burst[burst].task = numbers;
	for (int i = 0; i < from->count; i++)
		numbers[i] = make_task(world, burst);
	for (int i = 0; i < from->count; i++) {
		struct dask_task *task = &dask->task[numbers[i]];

		task->from = &from->task[i];
		task->kind = task->from->kind;
		task->bytes = task->from->bytes;
		task->duration_ms = task->from->duration_ms;
		task->blocked = task->from->afters;
		task->needs = task->from->needs;
		if (task->blocked == 0)
			dask_queue_push(dask, numbers[i]);
	}
}

static int64_t begin_ms(const struct world *world, int burst)
{
	const struct trace_burst *from = &world->trace->burst[burst];

	if (!from->chained || burst == 0)
		return from->at_ms;
	if (!world->dask.burst[burst - 1].done)
		return INT64_MAX;
	return world->dask.burst[burst - 1].done_ms + from->at_ms;
}

static void begin(struct world *world, int burst)
{
	const struct trace_burst *from = &world->trace->burst[burst];

	world->dask.burst[burst].begun = true;
	world->dask.burst[burst].begin_ms = world->now_ms;
	world_log(world, "dask: burst %d: %d tasks of kind %d, %.1f s each%s", burst,
		from->count, from->kind, (double)from->duration_ms / 1000,
		from->refill_ms ? ", steady" : "");
	if (from->task)
		add_recorded(world, burst);
	for (int i = 0; !from->task && i < from->count; i++)
		add_task(world, burst);
}

static void release(struct dask *dask, int task)
{
	struct dask_task *t = &dask->task[task];

	if (t->state == TASK_MEMORY)
		dask->worker[t->worker].bytes -= t->bytes;
	t->state = TASK_RELEASED;
	t->next = dask->free;
	dask->free = task;
	dask->changes++;
}

static void release_burst(struct world *world, int burst)
{
	struct dask *dask = &world->dask;

	dask->burst[burst].released = true;
	free(dask->burst[burst].task);
	dask->burst[burst].task = NULL;
	for (int i = 0; i < dask->tasks; i++) {
		if (dask->task[i].burst == burst && dask->task[i].state == TASK_MEMORY)
			release(dask, i);
	}
	world_log(world, "dask: burst %d: results released", burst);
}

/* A task of the burst is done. The burst can be done twice, when results are lost. */
static void count_done(struct world *world, int burst)
{
	struct dask_burst *b = &world->dask.burst[burst];

	b->open--;
	if (b->open > 0 || b->done)
		return;
	b->done = true;
	b->done_ms = world->now_ms;
	world->dask.bursts_done++;
	world_log(world, "dask: burst %d: done", burst);
}

/* Those that needed it can run, and what only it needed is forgotten. A result that is lost
 * later is computed again, without what it needs. */
static void unblock(struct dask *dask, struct dask_task *task)
{
	const int *numbers = dask->burst[task->burst].task;

	if (task->done)
		return;
	task->done = true;
	for (int i = 0; i < task->from->needs; i++) {
		int other = numbers[task->from->needed_by[i]];

		if (--dask->task[other].blocked == 0)
			dask_queue_push(dask, other);
	}
	for (int i = 0; i < task->from->afters; i++) {
		struct dask_task *other = &dask->task[numbers[task->from->after[i]]];

		if (--other->needs > 0)
			continue;
		if (other->state == TASK_MEMORY)
			dask->worker[other->worker].bytes -= other->bytes;
		other->bytes = 0;
	}
}

void dask_finish_task(struct world *world, int task)
{
	struct dask *dask = &world->dask;
	struct dask_task *t = &dask->task[task];
	const struct trace_burst *from = &world->trace->burst[t->burst];
	struct dask_kind *kind = &dask->kind[t->kind];
	double took_s = (double)t->duration_ms / 1000;
	int burst = t->burst;

	kind->processing--;
	kind->average_s = kind->average_s < 0 ? took_s : (kind->average_s + took_s) / 2;
	dask->finished++;
	dask->changes++;
	dask->dirty = true;
	t->state = TASK_MEMORY;
	dask->worker[t->worker].bytes += t->bytes;
	if (t->from)
		unblock(dask, t);
	if (from->refill_ms > 0) {
		release(dask, task);
		if (world->now_ms < dask->burst[burst].begin_ms + from->refill_ms)
			add_task(world, burst);
	}
	count_done(world, burst);
}

int64_t dask_next_ms(const struct world *world)
{
	const struct dask *dask = &world->dask;
	int64_t next = INT64_MAX;

	if (dask->dirty)
		return world->now_ms;
	for (int i = 0; i < dask->workers; i++)
		next = min_of(next, dask_worker_next_ms(dask, &dask->worker[i]));
	for (int i = 0; i < world->trace->bursts; i++) {
		const struct dask_burst *burst = &dask->burst[i];

		if (!burst->begun)
			next = min_of(next, begin_ms(world, i));
		else if (burst->done && burst->open == 0 && !burst->released)
			next = min_of(next, burst->done_ms + world->trace->burst[i].hold_ms);
	}
	return next;
}

void dask_step(struct world *world)
{
	struct dask *dask = &world->dask;

	dask_step_workers(world);
	for (int i = 0; i < world->trace->bursts; i++) {
		struct dask_burst *burst = &dask->burst[i];

		if (!burst->begun && world->now_ms >= begin_ms(world, i))
			begin(world, i);
		if (burst->done && burst->open == 0 && !burst->released &&
			world->now_ms >= burst->done_ms + world->trace->burst[i].hold_ms)
			release_burst(world, i);
	}
	dask_match(world);
}

bool dask_is_done(const struct world *world)
{
	if (world->dask.bursts_done < world->trace->bursts)
		return false;
	for (int i = 0; i < world->trace->bursts; i++) {
		if (world->dask.burst[i].open > 0)
			return false;
	}
	return true;
}

void dask_heartbeat(struct world *world)
{
	struct dask *dask = &world->dask;

	for (int i = 0; i < dask->workers; i++) {
		const struct dask_worker *worker = &dask->worker[i];

		for (int k = 0; k < worker->runs; k++) {
			const struct dask_task *task = &dask->task[worker->running[k]];
			struct dask_kind *kind = &dask->kind[task->kind];
			double runs_s = (double)(world->now_ms - task->start_ms) / 1000;

			if (runs_s > kind->longest_s)
				kind->longest_s = runs_s;
			if (runs_s > 2 * kind->average_s)
				kind->average_s = -1;
		}
	}
}

int64_t dask_work(const struct dask *dask)
{
	int64_t work = 0;

	for (int i = 0; i < TRACE_KINDS; i++)
		work += dask->kind[i].ready + dask->kind[i].processing;
	return work;
}

void dask_demand(struct world *world, struct demand *ret)
{
	struct dask *dask = &world->dask;

	*ret = (struct demand){.known = true, .clients = 1};
	dask_heartbeat(world);
	for (int i = 0; i < TRACE_KINDS; i++) {
		const struct dask_kind *kind = &dask->kind[i];
		int64_t n = kind->ready + kind->processing;
		double expected_s = kind->average_s < 0 ? kind->longest_s : kind->average_s;

		ret->ready += kind->ready;
		ret->running += kind->processing;
		if (n == 0)
			continue;
		if (kind->average_s < 0)
			ret->unknown += n;
		else
			ret->occupancy_s += kind->average_s * (double)n;
		if (expected_s > ret->longest_s)
			ret->longest_s = expected_s;
	}
	for (int i = 0; i < dask->workers; i++) {
		if (dask->worker[i].state == WORKER_GONE)
			continue;
		for (int k = 0; k < dask->worker[i].runs; k++) {
			const struct dask_task *task = &dask->task[dask->worker[i].running[k]];
			double runs_s = (double)(world->now_ms - task->start_ms) / 1000;

			if (runs_s > ret->longest_s)
				ret->longest_s = runs_s;
		}
		ret->memory += dask->worker[i].bytes;
		if (dask->worker[i].sent >= 0) {
			ret->running--;
			ret->ready++;
		}
	}
	ret->tasks = ret->ready + ret->running;
}
