/* trace_random.c: the trace that belongs to a seed: every setting, site and kind of work has
 * its turn. Pure. */
#include "tests/sim/trace.h"

#include <stdio.h>

#include "tests/sim/random.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define MIB    (INT64_C(1) << 20)
#define GIB    (INT64_C(1) << 30)

static void make_settings(struct random *random, struct trace *trace)
{
	static const int64_t processes[] = {1, 2, 4, 8};
	int64_t jobs = random_between(random, 1, 6);

	trace->processes = processes[random_between(random, 0, 3)];
	trace->threads = random_between(random, 1, 2);
	trace->worker_bytes = random_between(random, 1, 8) * GIB;
	trace->maximum = jobs * trace->processes;
	trace->minimum =
		random_chance(random, 0.7) ? 1 : random_between(random, 1, trace->maximum);
	trace->walltime_ms = random_between(random, 6, 60) * MINUTE;
	trace->idle_hold_ms =
		random_chance(random, 0.1) ? 0 : random_scale(random, 5, 120) * SECOND;
	trace->idle_timeout_ms =
		random_chance(random, 0.2) ? 0 : random_between(random, 1, 15) * MINUTE;
	trace->margin_ms = random_between(random, 30, 120) * SECOND;
	trace->backlog = random_chance(random, 0.15) ? random_between(random, 1, 2) : 0;
}

static void make_site(struct random *random, struct trace *trace)
{
	int64_t jobs = trace->maximum / trace->processes;

	trace->wait_min_ms = random_scale(random, 1, 300) * SECOND;
	trace->wait_max_ms = trace->wait_min_ms;
	if (random_chance(random, 0.6))
		trace->wait_max_ms += random_scale(random, 1, 600) * SECOND;
	if (random_chance(random, 0.3))
		/* With a single one there is no handover. */
		trace->nodes = random_between(random, 2, jobs + 2);
	trace->boot_min_ms = random_between(random, 1, 4) * SECOND;
	trace->boot_max_ms = trace->boot_min_ms + random_between(random, 0, 10) * SECOND;
	if (random_chance(random, 0.25))
		trace->failing = random_share(random) / 4;
}

static void make_burst(struct random *random, const struct trace *trace, int64_t max_task_ms,
	int64_t after_ms, struct trace_burst *ret)
{
	int64_t slots = trace->maximum * trace->threads;
	/* Work for a few minutes on the whole cluster, or less. */
	int64_t budget_ms = slots * random_scale(random, 1, 600) * SECOND, most;

	*ret = (struct trace_burst){
		.chained = random_chance(random, 0.8),
		.at_ms = after_ms + random_scale(random, 1, 900) * SECOND,
		.kind = (int)random_between(random, 0, 7),
		.duration_ms = random_scale(random, 50, max_task_ms),
		.spread = random_chance(random, 0.5) ? random_share(random) * 0.9 : 0,
		.hold_ms =
			random_chance(random, 0.5) ? random_scale(random, 1, 600) * SECOND : 0,
	};
	ret->count = (int)(budget_ms / ret->duration_ms);
	if (ret->count > 400)
		ret->count = 400;
	if (ret->count < 1)
		ret->count = (int)random_between(random, 1, 3);
	/* Results that fit into the memory; none where a job can be gone before the next one
	 * comes. */
	most = trace->worker_bytes / 4 * trace->maximum / ret->count;
	if (most > 200 * MIB)
		most = 200 * MIB;
	if (random_chance(random, 0.6) && most > MIB &&
		trace->wait_max_ms + 60 * SECOND < trace->walltime_ms / 3)
		ret->bytes = random_scale(random, MIB, most);
	if (ret->chained)
		ret->at_ms -= after_ms;
}

/* A steady load, for longer than a walltime. */
static void make_steady(struct random *random, const struct trace *trace, int64_t max_task_ms,
	struct trace_burst *ret)
{
	int64_t slots = trace->maximum * trace->threads;
	int64_t low_ms = max_task_ms < 20 * SECOND ? max_task_ms : 20 * SECOND;

	ret->count = (int)random_between(random, 1, slots + slots / 2);
	ret->duration_ms = random_scale(random, low_ms, max_task_ms);
	ret->spread = 0;
	ret->bytes = ret->hold_ms = 0;
	ret->refill_ms = trace->walltime_ms + random_between(random, 1, 20) * MINUTE;
}

/* Tasks that take more than half a walltime, and fit only into a job that is new. draco allows
 * for a quarter more than they take. */
static void make_long(struct random *random, const struct trace *trace, struct trace_burst *ret)
{
	int64_t most_ms = (trace->walltime_ms - trace->margin_ms) * 4 / 5 - SECOND;

	ret->duration_ms = random_between(random, trace->walltime_ms / 2, most_ms);
	ret->count = (int)random_between(random, 1, 2 * trace->maximum * trace->threads);
	ret->spread = 0;
	ret->bytes = ret->hold_ms = ret->refill_ms = 0;
}

static void make_commands(struct random *random, struct trace *trace)
{
	int64_t at_ms = 0;

	if (random_chance(random, 0.8))
		return;
	trace->commands = (int)random_between(random, 1, TRACE_COMMANDS - 2);
	for (int i = 0; i < trace->commands; i++)
		trace->command[i] = (struct trace_command){
			.at_ms = at_ms += random_scale(random, 5, 600) * SECOND,
			.order = (enum trace_order)random_between(
				random, ORDER_SCALE, ORDER_RELEASE),
			.number = random_between(random, 0, trace->maximum / trace->processes),
		};
	/* As it was, so that the work gets done. */
	for (enum trace_order order = ORDER_ADAPT; order <= ORDER_RESUME; order += 2)
		trace->command[trace->commands++] =
			(struct trace_command){.at_ms = at_ms + 300 * SECOND, .order = order};
}

void trace_random(uint64_t seed, struct trace *ret)
{
	struct random random = {seed * 7919 + 1};
	int64_t after_ms = 0, max_task_ms;

	trace_init(ret);
	ret->seed = seed;
	snprintf(ret->name, sizeof(ret->name), "seed %llu", (unsigned long long)seed);
	make_settings(&random, ret);
	make_site(&random, ret);
	/* Those of most bursts find a job that they fit in at any time. */
	max_task_ms = ret->walltime_ms / 2 - ret->margin_ms;
	max_task_ms = max_task_ms < 300 * SECOND ? max_task_ms : 300 * SECOND;
	max_task_ms = max_task_ms * 10 / 19;
	if (max_task_ms < SECOND)
		max_task_ms = SECOND;
	ret->bursts = (int)random_between(&random, 1, 8);
	for (int i = 0; i < ret->bursts; i++) {
		make_burst(&random, ret, max_task_ms, after_ms, &ret->burst[i]);
		after_ms = ret->burst[i].chained ? after_ms : ret->burst[i].at_ms;
	}
	if (random_chance(&random, 0.3))
		make_steady(&random, ret, max_task_ms,
			&ret->burst[random_between(&random, 0, ret->bursts - 1)]);
	if (random_chance(&random, 0.15))
		make_long(
			&random, ret, &ret->burst[random_between(&random, 0, ret->bursts - 1)]);
	make_commands(&random, ret);
	ret->close_ms = random_scale(&random, 10, 2400) * SECOND;
}
