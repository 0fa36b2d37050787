/* handover.c: when a job must be replaced before its walltime ends. Pure. */
#include "daemon/policy/handover.h"

#include "common/number.h"

#define FIRST_LEAD_MS 30000 /* while no wait was observed */

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

int64_t handover_usual_ms(const struct handover_waits *waits)
{
	int64_t sum = 0, n = min_of(waits->count, HANDOVER_WAITS);

	for (int64_t i = 0; i < n; i++)
		sum += waits->ms[i];
	return n > 0 ? sum / n : 0;
}

int64_t handover_end_ms(int64_t told_ms, int64_t given_ms, int64_t waited_ms, int64_t ran_ms)
{
	if (waited_ms > 0 && waited_ms <= ran_ms)
		told_ms = max_of(told_ms, waited_ms + given_ms);
	return min_of(told_ms, ran_ms + given_ms);
}

void handover_times(int64_t end_ms, int64_t walltime_ms, int64_t lead_ms, int64_t margin_ms,
	int64_t longest_ms, struct handover_times *ret)
{
	int64_t half = walltime_ms / 2, margin = min_of(margin_ms, half / 2);
	int64_t task = longest_ms + longest_ms / 4, drain;

	if (task <= half) {
		/* The running task ends in this time, and so does the task that waits behind it. */
		task = min_of(task + longest_ms, half);
		drain = min_of(max_of(margin, task + margin / 2), half);
	} else if (task < walltime_ms - margin) {
		/* The task fits only in a fresh job. The drain leaves a job some time for tasks, so
		 * that jobs do not replace each other all the time. */
		drain = min_of(
			task + margin / 2, walltime_ms - max_of(margin, walltime_ms / 6));
	} else {
		/* The task fits in no job. It must not keep all jobs empty. */
		drain = margin;
	}
	ret->force_ms = end_ms - margin / 2;
	ret->drain_ms = end_ms - drain;
	ret->request_ms = end_ms - max_of(drain, min_of(drain + lead_ms, half));
}
