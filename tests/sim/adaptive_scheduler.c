/* adaptive_scheduler.c: what Dask's scheduler answers to Adaptive: adaptive_target() and
 * workers_to_close() of distributed 2022.12. */
#include <math.h>
#include <stdlib.h>

#include "tests/sim/adaptive.h"

#define TARGET_DURATION_S 5.0
#define UNKNOWN_TASK_S	  0.5
#define MEMORY_RATIO	  2

static bool is_connected(const struct dask_worker *worker)
{
	return worker->state != WORKER_GONE && worker->state != WORKER_BOOTING;
}

int64_t adaptive_target(struct world *world, bool fair)
{
	const struct dask *dask = &world->dask;
	int to_close[ADAPTIVE_WORKERS];
	int64_t workers = 0, queued = 0, ready, cpu, memory = 0, limit = 0, used = 0, target;
	double occupancy_s = 0;

	dask_heartbeat(world);
	for (int i = 0; i < TRACE_KINDS; i++) {
		const struct dask_kind *kind = &dask->kind[i];
		double duration_s = kind->average_s;

		if (duration_s < 0)
			duration_s = kind->longest_s > 0 ? 2 * kind->longest_s : UNKNOWN_TASK_S;
		occupancy_s += duration_s * (double)kind->processing;
		queued += kind->ready;
	}
	cpu = (int64_t)ceil(
		(occupancy_s + (double)queued * UNKNOWN_TASK_S) / TARGET_DURATION_S);
	ready = queued;
	for (int i = 0; i < dask->workers; i++) {
		const struct dask_worker *worker = &dask->worker[i];

		if (!is_connected(worker))
			continue;
		workers++;
		ready += dask_worker_busy(worker);
		limit += world->trace->worker_bytes;
		used += worker->bytes;
	}
	if (ready < cpu)
		cpu = ready;
	if (queued > 0 && workers == 0 && cpu < 1)
		cpu = 1;
	if (limit > 0 && (double)used > 0.6 * (double)limit)
		memory = 2 * workers;
	target = memory > cpu ? memory : cpu;
	if (target >= workers)
		return target;
	return workers - adaptive_workers_to_close(world, fair, -1, to_close);
}

/* Workers that close together. */
struct group {
	bool busy;
	int64_t bytes;
	int order; /* of its first worker */
	size_t job;
	int workers;
};

/* As sorted() with (is_idle, -bytes); the best to close is the last. */
static int compare(const void *left, const void *right)
{
	const struct group *a = left, *b = right;

	if (a->busy != b->busy)
		return a->busy ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

static int make_groups(const struct world *world, bool grouped, struct group *group)
{
	const struct dask *dask = &world->dask;
	int groups = 0;

	for (int i = 0; i < dask->workers; i++) {
		const struct dask_worker *worker = &dask->worker[i];
		int at = grouped ? 0 : groups;

		if (!is_connected(worker))
			continue;
		while (at < groups && group[at].job != worker->job)
			at++;
		if (at == groups)
			group[groups++] = (struct group){.order = i, .job = worker->job};
		group[at].busy |= dask_worker_busy(worker) > 0;
		group[at].bytes += worker->bytes;
		group[at].workers++;
	}
	qsort(group, (size_t)groups, sizeof(*group), compare);
	return groups;
}

int adaptive_workers_to_close(
	const struct world *world, bool grouped, int64_t target, int ret[ADAPTIVE_WORKERS])
{
	const struct dask *dask = &world->dask;
	struct group group[ADAPTIVE_WORKERS];
	int groups = make_groups(world, grouped, group), found = 0;
	int64_t remain = 0, limit, total = 0;
	bool any_idle = false;

	for (int i = 0; i < groups; i++) {
		remain += group[i].workers;
		total += group[i].bytes;
	}
	for (int i = 0; i < dask->workers; i++)
		any_idle |= is_connected(&dask->worker[i]) &&
			dask_worker_busy(&dask->worker[i]) == 0;
	if (target > remain)
		target = remain;
	if (!any_idle && (target < 0 || target == remain))
		return 0;
	limit = remain * world->trace->worker_bytes;
	while (groups-- > 0) {
		const struct group *g = &group[groups];

		if (target < 0 && g->busy)
			break;
		limit -= g->workers * world->trace->worker_bytes;
		if (!(target >= 0 ? remain - g->workers >= target
				  : limit >= MEMORY_RATIO * total))
			break;
		remain -= g->workers;
		for (int i = 0; i < dask->workers; i++) {
			if (is_connected(&dask->worker[i]) &&
				(grouped ? dask->worker[i].job == g->job : i == g->order))
				ret[found++] = i;
		}
	}
	return found;
}
