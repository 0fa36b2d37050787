/* queue.c: a model of Slurm. Calls dask.c when a job's processes begin and end. */
#include "tests/sim/queue.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/number.h"
#include "tests/sim/dask.h"
#include "tests/sim/world.h"

void queue_finish(struct queue *queue)
{
	free(queue->job);
	*queue = (struct queue){.job = NULL};
}

size_t queue_submit(struct world *world)
{
	const struct trace *trace = world->trace;
	struct queue *queue = &world->queue;
	struct queue_job *job;

	if (queue->count == queue->size) {
		queue->size = queue->size ? 2 * queue->size : 32;
		queue->job = xrealloc(queue->job, queue->size * sizeof(*queue->job));
	}
	job = &queue->job[queue->count];
	*job = (struct queue_job){
		.state = QUEUE_PENDING,
		.submit_ms = world->now_ms,
		.eligible_ms = world->now_ms +
			random_between(&world->random, trace->wait_min_ms, trace->wait_max_ms),
		.fail_ms = INT64_MAX,
		.kill_ms = INT64_MAX,
	};
	/* All are alike: none overtakes another one, and asking for more brings none sooner. */
	for (size_t i = queue->first; i < queue->count; i++) {
		if (queue->job[i].state == QUEUE_PENDING)
			job->eligible_ms = max_of(job->eligible_ms, queue->job[i].eligible_ms);
	}
	if (random_chance(&world->random, trace->failing))
		job->fail_ms = random_scale(&world->random, 1000, trace->walltime_ms);
	queue->submissions++;
	queue->changes++;
	world_log(world, "slurm: job %zu submitted", queue->count);
	return queue->count++;
}

static void end(struct world *world, size_t number, enum queue_end how)
{
	static const char *const names[] = {
		[QUEUE_CANCELLED] = "is cancelled",
		[QUEUE_FAILED] = "failed",
		[QUEUE_TIMEOUT] = "ended by TIMEOUT",
	};
	struct queue_job *job = &world->queue.job[number];
	bool ran = job->state == QUEUE_RUNNING;

	job->state = QUEUE_ENDED;
	job->end = how;
	job->end_ms = world->now_ms;
	world->queue.changes++;
	if (!ran)
		world->queue.cancelled_pending++;
	world_log(
		world, "slurm: job %zu %s%s", number, names[how], ran ? "" : " while pending");
	if (ran)
		dask_end_job(world, number,
			how == QUEUE_CANCELLED ? DASK_JOB_ENDED : DASK_JOB_FAILED);
	world_job_ended(world, number, how);
}

void queue_cancel(struct world *world, size_t number)
{
	struct queue_job *job = &world->queue.job[number];

	if (job->state == QUEUE_PENDING)
		end(world, number, QUEUE_CANCELLED);
	else if (job->state == QUEUE_RUNNING && job->kill_ms == INT64_MAX)
		job->kill_ms = world->now_ms + random_between(&world->random, 300, 2000);
}

static int64_t count_running(const struct queue *queue)
{
	int64_t n = 0;

	for (size_t i = queue->first; i < queue->count; i++)
		n += queue->job[i].state == QUEUE_RUNNING;
	return n;
}

static int64_t leaves_ms(const struct world *world, const struct queue_job *job)
{
	int64_t when = job->start_ms + world->trace->walltime_ms;

	if (job->fail_ms != INT64_MAX)
		when = min_of(when, job->start_ms + job->fail_ms);
	return min_of(when, job->kill_ms);
}

int64_t queue_next_ms(const struct world *world)
{
	const struct queue *queue = &world->queue;
	bool room = world->trace->nodes == 0 || count_running(queue) < world->trace->nodes;
	int64_t next = INT64_MAX;

	for (size_t i = queue->first; i < queue->count; i++) {
		const struct queue_job *job = &queue->job[i];

		if (job->state == QUEUE_RUNNING)
			next = min_of(next, leaves_ms(world, job));
		else if (job->state == QUEUE_PENDING && room)
			next = min_of(next, job->eligible_ms);
	}
	return next;
}

void queue_step(struct world *world)
{
	struct queue *queue = &world->queue;

	for (size_t i = queue->first; i < queue->count; i++) {
		const struct queue_job *job = &queue->job[i];

		if (job->state != QUEUE_RUNNING || world->now_ms < leaves_ms(world, job))
			continue;
		if (world->now_ms >= job->kill_ms)
			end(world, i, QUEUE_CANCELLED);
		else if (world->now_ms >= job->start_ms + world->trace->walltime_ms)
			end(world, i, QUEUE_TIMEOUT);
		else
			end(world, i, QUEUE_FAILED);
	}
	while (queue->first < queue->count && queue->job[queue->first].state == QUEUE_ENDED)
		queue->first++;
	for (size_t i = queue->first; i < queue->count; i++) {
		struct queue_job *job = &queue->job[i];

		if (world->trace->nodes > 0 && count_running(queue) >= world->trace->nodes)
			break;
		if (job->state != QUEUE_PENDING || world->now_ms < job->eligible_ms)
			continue;
		job->state = QUEUE_RUNNING;
		job->start_ms = world->now_ms;
		queue->changes++;
		world_log(world, "slurm: job %zu runs", i);
		dask_start_job(world, i);
	}
}

int64_t queue_node_ms(const struct world *world)
{
	int64_t sum = 0;

	for (size_t i = 0; i < world->queue.count; i++) {
		const struct queue_job *job = &world->queue.job[i];

		if (job->state == QUEUE_RUNNING)
			sum += world->now_ms - job->start_ms;
		else if (job->state == QUEUE_ENDED && job->start_ms > 0)
			sum += job->end_ms - job->start_ms;
	}
	return sum;
}
