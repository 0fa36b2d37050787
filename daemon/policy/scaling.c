/* scaling.c: the number of jobs that the work needs. Pure: the clock is an argument. */
#include "daemon/policy/scaling.h"

#include <inttypes.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/number.h"
#include "common/parse.h"
#include "common/settings.h"
#include "daemon/policy/demand.h"

#define MIB		  (1024 * 1024)
#define UNKNOWN_SETTLE_MS 100 /* the duration of short tasks is known after this time */
#define MEMORY_SHARE	  0.6 /* the share of a worker's memory for results, as in Dask */
#define JOBS_MAX	  (1 << 20)

void scaling_limits_of(const struct settings *settings, struct scaling_limits *ret)
{
	*ret = (struct scaling_limits){
		.processes = settings->processes,
		.threads = settings_threads_per_worker(settings),
		.worker_bytes = settings_bytes_per_worker(settings),
		.minimum_jobs = divide_up(settings->minimum, settings->processes),
		.maximum_jobs = max_of(1, settings_maximum(settings) / settings->processes),
		.target_duration_s = (double)settings->target_duration_ms / 1000,
		.idle_timeout_ms = settings->idle_timeout_ms,
		.fixed_jobs = -1,
	};
	ret->maximum_jobs = max_of(ret->maximum_jobs, ret->minimum_jobs);
}

void scaling_state_init(struct scaling_state *state)
{
	*state = (struct scaling_state){.unknown_since_ms = -1, .workless_since_ms = -1};
}

void scaling_someone_comes(struct scaling_state *state)
{
	state->workless_since_ms = -1;
}

/* A double as a count, limited to a number that no cluster reaches. */
static int64_t count_up(double value)
{
	int64_t whole = value < JOBS_MAX ? (int64_t)value : JOBS_MAX;

	return whole < JOBS_MAX && (double)whole < value ? whole + 1 : whole;
}

/* The workers that the results in memory need. */
static int64_t memory_workers(const struct scaling_limits *limits, const struct demand *demand)
{
	if (demand->memory <= 0)
		return 0;
	if (limits->worker_bytes <= 0)
		return 1;
	return max_of(1,
		count_up((double)demand->memory /
			(MEMORY_SHARE * (double)limits->worker_bytes)));
}

/* The threads that the tasks of known duration need. */
static int64_t known_threads(const struct scaling_limits *limits, const struct demand *demand)
{
	int64_t tasks = max_of(0, demand->ready + demand->running - demand->unknown);
	double done_s = (double)limits->ready_threads * (double)limits->wait_ms / 1000;
	double left_s = demand->occupancy_s > done_s ? demand->occupancy_s - done_s : 0;
	int64_t all = count_up(demand->occupancy_s / limits->target_duration_s);
	int64_t left = count_up(left_s / limits->target_duration_s);

	/* Tasks that take less than the target duration together still need a worker. */
	return min_of(tasks, min_of(all, max_of(limits->kept_threads, left)));
}

/* The jobs that the work needs, before minimum and maximum. */
static int64_t need(struct scaling_state *state, const struct scaling_limits *limits,
	const struct demand *demand, int64_t now_ms, struct scaling_target *ret)
{
	int64_t known = known_threads(limits, demand), unknown = 0, workers, memory;

	if (demand->unknown == 0)
		state->unknown_since_ms = -1;
	else if (state->unknown_since_ms < 0)
		state->unknown_since_ms = now_ms;
	if (demand->unknown > 0) {
		int64_t settled_ms = state->unknown_since_ms + UNKNOWN_SETTLE_MS;

		if (now_ms >= settled_ms)
			unknown = demand->unknown;
		else
			ret->wake_ms = min_of(ret->wake_ms, settled_ms);
	}
	ret->reason = unknown >= known && unknown > 0 ? SCALING_READY : SCALING_DURATION;
	/* One worker tells how many threads the others will have. */
	workers = limits->threads > 0 ? divide_up(known + unknown, limits->threads) : 0;
	if (workers == 0 && demand_has_work(demand))
		workers = 1;
	if (demand->ready > 0)
		workers += limits->full_workers;
	memory = memory_workers(limits, demand);
	if (memory > workers) {
		workers = memory;
		ret->reason = SCALING_MEMORY;
	}
	if (demand->waited_for > 0 && demand->waited_for >= workers) {
		workers = min_of(demand->waited_for, JOBS_MAX);
		ret->reason = SCALING_WAITED;
	}
	return divide_up(workers, limits->processes);
}

/* Has there been no work for idle_timeout, so that no job is needed? */
static bool is_idle_for_long(struct scaling_state *state, const struct scaling_limits *limits,
	const struct demand *demand, int64_t now_ms, struct scaling_target *ret)
{
	int64_t due_ms;

	if (demand->clients > state->clients)
		scaling_someone_comes(state);
	state->clients = demand->clients;
	if (demand_has_work(demand) || demand->memory > 0) {
		state->workless_since_ms = -1;
		return false;
	}
	if (state->workless_since_ms < 0)
		state->workless_since_ms = now_ms;
	if (limits->idle_timeout_ms == 0)
		return false;
	due_ms = state->workless_since_ms + limits->idle_timeout_ms;
	if (now_ms >= due_ms)
		return true;
	ret->wake_ms = min_of(ret->wake_ms, due_ms);
	return false;
}

void scaling_decide(struct scaling_state *state, const struct scaling_limits *limits,
	const struct demand *demand, int64_t now_ms, struct scaling_target *ret)
{
	bool idle = false;

	*ret = (struct scaling_target){.wake_ms = INT64_MAX, .reason = SCALING_NO_DEMAND};
	if (demand->known) {
		ret->needed = need(state, limits, demand, now_ms, ret);
		idle = is_idle_for_long(state, limits, demand, now_ms, ret);
	} else {
		scaling_state_init(state);
		ret->needed = limits->minimum_jobs;
	}
	if (limits->fixed_jobs >= 0) {
		ret->jobs = limits->fixed_jobs;
		ret->reason = SCALING_BY_HAND;
		ret->wake_ms = INT64_MAX;
		return;
	}
	if (idle) {
		ret->reason = SCALING_IDLE;
		return;
	}
	ret->jobs = min_of(ret->needed, limits->maximum_jobs);
	if (ret->jobs < limits->minimum_jobs || ret->jobs == 0)
		ret->reason = demand->known ? SCALING_MINIMUM : SCALING_NO_DEMAND;
	ret->jobs = max_of(ret->jobs, limits->minimum_jobs);
}

char *scaling_explain(const struct scaling_target *target, const struct scaling_limits *limits,
	const struct demand *demand)
{
	const char *plural = target->jobs == 1 ? "" : "s";
	_cleanup_free_ char *why = NULL;
	char text[FORMAT_MAX];

	switch (target->reason) {
	case SCALING_BY_HAND:
		return xasprintf("set by hand to %" PRId64 " job%s", target->jobs, plural);
	case SCALING_NO_DEMAND:
		return xasprintf("the scheduler has not reported yet, minimum %" PRId64
				 " job%s",
			target->jobs, plural);
	case SCALING_IDLE:
		return xasprintf("nothing to do for %s, no job",
			format_duration(limits->idle_timeout_ms, text));
	case SCALING_MINIMUM:
		return xasprintf("the work needs %" PRId64 ", minimum %" PRId64 " job%s",
			target->needed, target->jobs, plural);
	case SCALING_MEMORY:
		if (demand->memory < MIB)
			why = xstrdup("results of less than 1 MiB in memory");
		else
			why = xasprintf("results of %s in memory",
				format_size(demand->memory / MIB, text));
		break;
	case SCALING_WAITED:
		why = xasprintf("somebody waits for %" PRId64 " worker%s", demand->waited_for,
			demand->waited_for == 1 ? "" : "s");
		break;
	case SCALING_READY:
		why = xasprintf("ready tasks %" PRId64, demand->ready + demand->running);
		break;
	case SCALING_DURATION:
	case SCALING_REASON_COUNT:
		why = xasprintf("work for %.0f s on one thread", demand->occupancy_s);
		break;
	}
	if (target->needed > target->jobs)
		return xasprintf("%s, target %" PRId64 " job%s, limit %" PRId64, why,
			target->needed, target->needed == 1 ? "" : "s", limits->maximum_jobs);
	return xasprintf("%s, target %" PRId64 " job%s", why, target->jobs, plural);
}
