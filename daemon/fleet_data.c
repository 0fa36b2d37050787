/* fleet_data.c: which job takes the results of those that go. Pure. */
#include "daemon/fleet_data.h"

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

/* Several jobs wait for one that takes their data, and that one perhaps for the place of theirs: the last
 * of them to end takes it all, so that the others can go. */
void fleet_gather(struct fleet *fleet)
{
	struct fleet_job *last = NULL;
	int64_t waiting = 0;

	for (size_t i = 0; i < fleet->count; i++) {
		struct fleet_job *job = &fleet->jobs[i];

		if (job->phase == PHASE_READY || job->phase == PHASE_RETIRING ||
			job->action == FLEET_UNDRAIN)
			return;
		if (!is_done_draining(job) || !job->expiring || job->by_hand)
			continue;
		waiting++;
		if (!last || job->end_ms > last->end_ms)
			last = job;
	}
	if (waiting > 1 && fleet_is_due(fleet, last->hold_ms) &&
		!fleet_is_due(fleet, fleet_times(fleet, last).force_ms))
		last->action = FLEET_UNDRAIN;
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
