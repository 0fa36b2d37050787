/* fleet_data.c: decides which job takes the results of leaving jobs. Pure. */
#include "daemon/policy/fleet_data.h"

#define HOLDS_AGAIN_MS 30000 /* a job that held results a moment ago may soon hold some again */

static bool is_done_draining(const struct fleet_job *job)
{
	return job->phase == PHASE_DRAINING && job->busy == 0 && job->bytes > 0;
}

bool fleet_needs_to_take(struct fleet *fleet, const struct fleet_job *job)
{
	bool needed = false;

	if (job->phase != PHASE_READY || fleet_is_due(fleet, fleet_times(fleet, job).force_ms))
		return false;
	for (size_t i = 0; i < fleet->count; i++) {
		const struct fleet_job *other = &fleet->jobs[i];

		if (other == job)
			continue;
		if (other->phase == PHASE_READY && other->action == FLEET_KEEP)
			return false;
		needed |= is_done_draining(other) || other->phase == PHASE_RETIRING;
	}
	return needed;
}

/* Did a user ask for no jobs, so that none will come to take the results? */
static bool is_for_good(const struct fleet *fleet, const struct fleet_job *job)
{
	return fleet->limits->by_hand && fleet->limits->target == 0 && !job->expiring;
}

bool fleet_must_hold(struct fleet *fleet, struct fleet_job *job)
{
	bool data = job->bytes > 0;

	if (!is_for_good(fleet, job))
		return false;
	for (size_t i = 0; i < fleet->count; i++) {
		const struct fleet_job *other = &fleet->jobs[i];

		if (other == job)
			continue;
		if (fleet_runs(other) && fleet_is_fresh(other) && other->action == FLEET_KEEP)
			return false;
		data |= (fleet_runs(other) || fleet_leaves(other)) && other->bytes > 0;
	}
	job->holds = data;
	if (data)
		fleet->state->holds_until_ms = fleet->now_ms + HOLDS_AGAIN_MS;
	return data || !fleet_is_due(fleet, fleet->state->holds_until_ms);
}

void fleet_gather(struct fleet *fleet)
{
	struct fleet_job *last = NULL;
	int64_t waiting = 0;

	for (size_t i = 0; i < fleet->count; i++) {
		struct fleet_job *job = &fleet->jobs[i];

		if (job->phase == PHASE_READY || job->phase == PHASE_RETIRING ||
			job->action == FLEET_UNDRAIN)
			return;
		if (!is_done_draining(job) || job->by_hand ||
			!(job->expiring || is_for_good(fleet, job)))
			continue;
		waiting++;
		if (!last || job->end_ms > last->end_ms)
			last = job;
	}
	if (!last || (waiting == 1 && last->expiring) || !fleet_is_due(fleet, last->hold_ms) ||
		fleet_is_due(fleet, fleet_times(fleet, last).force_ms))
		return;
	last->action = FLEET_UNDRAIN;
	if (last->expiring)
		return;
	last->holds = true;
	fleet->state->holds_until_ms = fleet->now_ms + HOLDS_AGAIN_MS;
}

bool fleet_is_last_holder(const struct fleet *fleet, const struct fleet_job *job)
{
	if (job->bytes == 0)
		return false;
	for (size_t i = 0; i < fleet->count; i++) {
		const struct fleet_job *other = &fleet->jobs[i];

		if (other != job && other->phase == PHASE_READY && other->action == FLEET_KEEP)
			return false;
	}
	return true;
}
