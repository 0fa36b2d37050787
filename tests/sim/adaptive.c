/* adaptive.c: a model of AdaptiveCore, Adaptive, SpecCluster and JobQueueCluster: what they
 * make of the scheduler's answers. */
#include "tests/sim/adaptive.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/number.h"

#define INTERVAL_MS  1000
#define WAIT_COUNT   3
#define LOST_MS	     15000
#define MOVE_MS	     2000 /* as in draco.c */
#define BYTES_PER_MS 500000
#define SPECS	     512
#define PROCESSES    16

/* One entry of worker_spec: a job. */
struct spec {
	bool planned;	/* in worker_spec */
	bool requested; /* in cluster.workers, too */
	size_t number;	/* in the queue */
	int name;	/* no other one ever has it */
	int64_t lost_ms; /* that its only worker has left is noticed then; INT64_MAX: not at all */
	int close_count[PROCESSES];
	bool to_close[PROCESSES];
};

struct adaptive {
	bool grouped; /* workers_to_close() has a key that gives the job ... */
	bool fair;    /* ... and adaptive_target(), too */
	int64_t minimum;
	struct spec spec[SPECS];
	int specs, names;
	int64_t next_ms, retired_ms; /* INT64_MAX: nothing is being retired */
	bool closing[SPECS];	     /* jobs with a worker that is being retired */
};

static void *create_any(struct world *world, bool grouped, bool fair, bool whole)
{
	struct adaptive *adaptive = xcalloc(1, sizeof(*adaptive));
	int64_t processes = world->trace->processes, minimum = world->trace->minimum;

	adaptive->grouped = grouped;
	adaptive->fair = fair;
	adaptive->minimum = whole ? (minimum + processes - 1) / processes * processes : minimum;
	adaptive->retired_ms = INT64_MAX;
	return adaptive;
}

static void *create(struct world *world)
{
	return create_any(world, false, false, false);
}

static void *create_grouped(struct world *world)
{
	return create_any(world, true, false, false);
}

static void *create_fair(struct world *world)
{
	return create_any(world, true, true, false);
}

static void *create_whole(struct world *world)
{
	return create_any(world, true, true, true);
}

static void destroy(void *state)
{
	free(state);
}

/* SpecCluster._correct_state(). */
static void correct_state(struct world *world, struct adaptive *adaptive)
{
	for (int i = 0; i < adaptive->specs; i++) {
		struct spec *spec = &adaptive->spec[i];

		if (spec->requested && !spec->planned) {
			queue_cancel(world, spec->number);
			spec->requested = false;
		} else if (spec->planned && !spec->requested) {
			spec->number = queue_submit(world);
			spec->requested = true;
			spec->lost_ms = INT64_MAX;
		}
	}
}

static int count_planned(const struct adaptive *adaptive)
{
	int n = 0;

	for (int i = 0; i < adaptive->specs; i++)
		n += adaptive->spec[i].planned;
	return n;
}

/* JobQueueCluster.scale(): whole jobs. */
static void scale(struct world *world, struct adaptive *adaptive, int64_t workers)
{
	int64_t processes = world->trace->processes;
	int64_t jobs = (workers + processes - 1) / processes;

	while (count_planned(adaptive) < jobs) {
		int at = 0;

		/* A number that no job has any more stands for a new one. */
		while (at < adaptive->specs &&
			(adaptive->spec[at].planned || adaptive->spec[at].requested))
			at++;
		assert(at < SPECS);
		if (at == adaptive->specs)
			adaptive->specs++;
		adaptive->spec[at] = (struct spec){
			.planned = true, .lost_ms = INT64_MAX, .name = adaptive->names++};
	}
	correct_state(world, adaptive);
}

static struct spec *find(struct adaptive *adaptive, size_t number)
{
	for (int i = 0; i < adaptive->specs; i++) {
		if (adaptive->spec[i].requested && adaptive->spec[i].number == number)
			return &adaptive->spec[i];
	}
	return NULL;
}

static void clear_counts(struct adaptive *adaptive)
{
	for (int i = 0; i < adaptive->specs; i++) {
		for (int k = 0; k < PROCESSES; k++)
			adaptive->spec[i].close_count[k] = 0;
	}
}

/* The place of a worker among those of its job. */
static int place_of(const struct world *world, int worker)
{
	int place = 0;

	for (int i = 0; i < worker; i++)
		place += world->dask.worker[i].state != WORKER_GONE &&
			world->dask.worker[i].job == world->dask.worker[worker].job;
	return place % PROCESSES;
}

static uint64_t hash(const struct spec *spec, int place)
{
	struct random random = {spec->number * PROCESSES + (uint64_t)place};

	return random_next(&random);
}

/* toolz.take(count, requested - observed). tell: print them; what to put between. NULL: no. */
static int64_t take_not_arrived(
	struct world *world, struct adaptive *adaptive, int64_t wanted, const char **tell)
{
	int64_t taken = 0, busy, bytes, connected;

	for (; taken < wanted; taken++) {
		struct spec *best = NULL;
		int best_place = 0;

		for (int i = 0; i < adaptive->specs; i++) {
			struct spec *spec = &adaptive->spec[i];

			if (!spec->planned || !spec->requested)
				continue;
			dask_job_load(&world->dask, spec->number, &busy, &bytes, &connected);
			for (int k = (int)connected; k < world->trace->processes; k++) {
				if (!spec->to_close[k] &&
					(!best || hash(spec, k) < hash(best, best_place))) {
					best = spec;
					best_place = k;
				}
			}
		}
		if (!best)
			break;
		best->to_close[best_place] = true;
		if (tell) {
			printf("%s[%d, %d]", *tell, best->name, best_place);
			*tell = ", ";
		}
	}
	return taken;
}

/* Adaptive.scale_down(): retire the workers; close() comes when their data has been moved. */
static void retire(struct world *world, struct adaptive *adaptive, const bool *worker)
{
	int64_t bytes = 0;

	for (int i = 0; i < world->dask.workers; i++) {
		if (!worker[i])
			continue;
		world->dask.worker[i].state = WORKER_RETIRED;
		if (world->dask.worker[i].bytes > bytes)
			bytes = world->dask.worker[i].bytes;
	}
	adaptive->retired_ms =
		world->now_ms + (bytes > 0 ? MOVE_MS + bytes / BYTES_PER_MS : 50);
}

/* cluster.scale_down(): the jobs of the retired workers, as wholes. */
static void close_jobs(struct world *world, struct adaptive *adaptive)
{
	adaptive->retired_ms = INT64_MAX;
	for (int i = 0; i < world->dask.workers; i++) {
		struct dask_worker *worker = &world->dask.worker[i];

		if (worker->state == WORKER_RETIRED && dask_move(world, i, 1))
			dask_end_worker(world, i, AGAIN_FORCED, AGAIN_LOST_KILLED);
		else if (worker->state == WORKER_RETIRED)
			worker->state = WORKER_RUNNING;
	}
	for (int i = 0; i < adaptive->specs; i++) {
		if (adaptive->closing[i])
			adaptive->spec[i].planned = false;
		adaptive->closing[i] = false;
	}
	correct_state(world, adaptive);
}

/* What AdaptiveCore.recommendations() says to close, once it has said so often enough. */
static void close_firmly(struct world *world, struct adaptive *adaptive)
{
	bool *retired = xcalloc((size_t)world->dask.workers + 1, sizeof(*retired));
	bool any = false;

	for (int i = 0; i < adaptive->specs; i++) {
		struct spec *spec = &adaptive->spec[i];

		for (int k = 0; k < PROCESSES; k++) {
			if (!spec->to_close[k])
				spec->close_count[k] = 0;
			else if (++spec->close_count[k] >= WAIT_COUNT) {
				spec->close_count[k] = 0;
				adaptive->closing[i] = any = true;
				for (int w = 0; w < world->dask.workers; w++) {
					const struct dask_worker *worker =
						&world->dask.worker[w];

					if (worker->state == WORKER_RUNNING &&
						worker->job == spec->number &&
						place_of(world, w) == k)
						retired[w] = true;
				}
			}
		}
	}
	if (any) {
		world_log(world, "adaptive: closes");
		retire(world, adaptive, retired);
	}
	free(retired);
}

static void adapt_to(struct world *world, struct adaptive *adaptive, int64_t target)
{
	int closing[ADAPTIVE_WORKERS], n;
	int64_t plan, taken;

	plan = count_planned(adaptive) * world->trace->processes;
	if (target >= plan) {
		clear_counts(adaptive);
		if (target > plan)
			scale(world, adaptive, target);
		return;
	}
	for (int i = 0; i < adaptive->specs; i++) {
		for (int k = 0; k < PROCESSES; k++)
			adaptive->spec[i].to_close[k] = false;
	}
	taken = take_not_arrived(world, adaptive, plan - target, NULL);
	if (target < plan - taken) {
		n = adaptive_workers_to_close(world, adaptive->grouped, target, closing);
		for (int i = 0; i < n; i++) {
			struct spec *spec = find(adaptive, world->dask.worker[closing[i]].job);

			if (spec)
				spec->to_close[place_of(world, closing[i])] = true;
		}
	}
	close_firmly(world, adaptive);
}

bool adaptive_tells;

/* {"target": , "queued": , "kinds": [...], "workers": [...], "plan": [...], "coming": [...]:
 * what the real classes are asked, too (tests/system/test_adaptive_model.py). */
static void tell_state(struct world *world, struct adaptive *adaptive, int64_t target)
{
	const struct dask *dask = &world->dask;
	const char *comma = "";
	int64_t queued = 0;

	for (int i = 0; i < TRACE_KINDS; i++)
		queued += dask->kind[i].ready;
	printf("{\"target\": %" PRId64 ", \"queued\": %" PRId64 ", \"kinds\": [", target,
		queued);
	for (int i = 0; i < TRACE_KINDS; i++) {
		const struct dask_kind *kind = &dask->kind[i];

		if (kind->processing == 0)
			continue;
		printf("%s[%" PRId64 ", %.17g, %.17g]", comma, kind->processing,
			kind->average_s, kind->longest_s);
		comma = ", ";
	}
	comma = "";
	printf("], \"workers\": [");
	for (int i = 0; i < dask->workers; i++) {
		const struct dask_worker *worker = &dask->worker[i];
		const struct spec *spec = find(adaptive, worker->job);

		if (worker->state == WORKER_GONE || worker->state == WORKER_BOOTING)
			continue;
		printf("%s[%d, %d, %" PRId64 ", %" PRId64 "]", comma, spec ? spec->name : -1,
			place_of(world, i), dask_worker_busy(worker), worker->bytes);
		comma = ", ";
	}
	printf("], \"plan\": [");
	comma = "";
	for (int i = 0; i < adaptive->specs; i++) {
		if (!adaptive->spec[i].planned)
			continue;
		printf("%s%d", comma, adaptive->spec[i].name);
		comma = ", ";
	}
	printf("], \"coming\": [");
	comma = "";
	for (int i = 0; i < adaptive->specs; i++)
		for (int k = 0; k < PROCESSES; k++)
			adaptive->spec[i].to_close[k] = false;
	take_not_arrived(world, adaptive, INT64_MAX, &comma);
	putchar(']');
}

/* ..., "closes": [jobs], "jobs": 5}: planned from now on */
static void tell_decision(const struct adaptive *adaptive)
{
	const char *comma = "";

	printf(", \"closes\": [");
	for (int i = 0; i < adaptive->specs; i++) {
		if (!adaptive->closing[i])
			continue;
		printf("%s%d", comma, adaptive->spec[i].name);
		comma = ", ";
	}
	printf("], \"jobs\": %d}\n", count_planned(adaptive));
}

static void adapt(struct world *world, struct adaptive *adaptive)
{
	int64_t target = adaptive_target(world, adaptive->fair);

	correct_state(world, adaptive);
	if (adaptive_tells)
		tell_state(world, adaptive, target);
	/* safe_target() */
	target = max_of(min_of(target, world->trace->maximum), adaptive->minimum);
	adapt_to(world, adaptive, target);
	if (adaptive_tells)
		tell_decision(adaptive);
}

static int64_t next_ms(const struct world *world)
{
	const struct adaptive *adaptive = world->state;

	return adaptive->retired_ms < adaptive->next_ms ? adaptive->retired_ms
							: adaptive->next_ms;
}

static void step(struct world *world)
{
	struct adaptive *adaptive = world->state;

	if (world->now_ms >= adaptive->retired_ms)
		close_jobs(world, adaptive);
	for (int i = 0; i < adaptive->specs; i++) {
		struct spec *spec = &adaptive->spec[i];

		if (spec->requested && world->now_ms >= spec->lost_ms)
			spec->requested = false;
	}
	if (world->now_ms < adaptive->next_ms)
		return;
	adaptive->next_ms = world->now_ms + INTERVAL_MS;
	if (adaptive->retired_ms == INT64_MAX)
		adapt(world, adaptive);
}

static void job_ended(struct world *world, size_t number, enum queue_end how)
{
	const struct queue_job *job = &world->queue.job[number];
	struct spec *spec = find(world->state, number);

	/* Only the removal of a worker with the job's very name is noticed. */
	if (spec && how != QUEUE_CANCELLED && world->trace->processes == 1 &&
		world->now_ms - job->start_ms > world->trace->boot_max_ms)
		spec->lost_ms = world->now_ms + LOST_MS;
}

const struct policy policy_adaptive = {
	.name = "adaptive",
	.create = create,
	.destroy = destroy,
	.next_ms = next_ms,
	.step = step,
	.job_ended = job_ended,
};

const struct policy policy_adaptive_grouped = {
	.name = "adaptive+key",
	.create = create_grouped,
	.destroy = destroy,
	.next_ms = next_ms,
	.step = step,
	.job_ended = job_ended,
};

const struct policy policy_adaptive_fair = {
	.name = "adaptive+fair",
	.create = create_fair,
	.destroy = destroy,
	.next_ms = next_ms,
	.step = step,
	.job_ended = job_ended,
};

const struct policy policy_adaptive_whole = {
	.name = "adaptive+fair+min",
	.create = create_whole,
	.destroy = destroy,
	.next_ms = next_ms,
	.step = step,
	.job_ended = job_ended,
};
