/* handover.c: when a job must be replaced before its walltime ends. Pure. */
#include "daemon/handover.h"

#define FIRST_LEAD_MS 30000 /* before anything is known */

static int64_t min_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void handover_observe(struct handover_waits *waits, int64_t wait_ms)
{
	waits->ms[waits->count++ % HANDOVER_WAITS] = max_of(0, wait_ms);
}

int64_t handover_lead_ms(const struct handover_waits *waits, int64_t predicted_ms)
{
	int64_t longest = 0;

	if (waits->count == 0)
		return max_of(FIRST_LEAD_MS, predicted_ms);
	for (int64_t i = 0; i < min_of(waits->count, HANDOVER_WAITS); i++)
		longest = max_of(longest, waits->ms[i]);
	return longest + longest / 4;
}

int64_t handover_shortest_ms(const struct handover_waits *waits)
{
	int64_t shortest = waits->count > 0 ? waits->ms[0] : 0;

	for (int64_t i = 1; i < min_of(waits->count, HANDOVER_WAITS); i++)
		shortest = min_of(shortest, waits->ms[i]);
	return shortest;
}

void handover_times(int64_t end_ms, int64_t walltime_ms, int64_t lead_ms, int64_t margin_ms,
	int64_t longest_ms, struct handover_times *ret)
{
	int64_t half = walltime_ms / 2, margin = min_of(margin_ms, half / 2);
	int64_t task = longest_ms + longest_ms / 4, drain;

	/* What is longer than that finds no job that it fits in; it must not keep all of them empty.
	 * Else the task that runs ends in that time, and the one that waits behind it. */
	task = task > half ? 0 : min_of(task + longest_ms, half);
	drain = min_of(max_of(margin, task + margin / 2), half);
	ret->force_ms = end_ms - margin / 2;
	ret->drain_ms = end_ms - drain;
	ret->request_ms = end_ms - min_of(drain + lead_ms, half);
}
