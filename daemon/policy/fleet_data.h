/* fleet_data.h: which job takes the results of those that go. Part of the fleet; called by
 * fleet.c only. */
#ifndef DRACO_DAEMON_POLICY_FLEET_DATA_H
#define DRACO_DAEMON_POLICY_FLEET_DATA_H

#include "daemon/policy/fleet.h"

/* What one decision works on. */
struct fleet {
	struct fleet_state *state;
	const struct fleet_limits *limits;
	struct fleet_job *jobs;
	size_t count;
	int64_t now_ms, wake_ms;
	bool more; /* another job is asked for, or will be as soon as that can be */
};

static inline bool fleet_runs(const struct fleet_job *job)
{
	return job->phase == PHASE_STARTING || job->phase == PHASE_READY;
}

static inline bool fleet_leaves(const struct fleet_job *job)
{
	return job->phase == PHASE_DRAINING || job->phase == PHASE_RETIRING;
}

/* Does it count as a job that will be there for a while? */
bool fleet_is_fresh(const struct fleet_job *job);

/* Is the time come? Otherwise decide again then. */
bool fleet_is_due(struct fleet *fleet, int64_t when_ms);

struct handover_times fleet_times(const struct fleet *fleet, const struct fleet_job *job);

/* Is this the only job that can take the data of others, which wait for that or are at it? */
bool fleet_needs_to_take(struct fleet *fleet, const struct fleet_job *job);

/* Has the job data that no other one could take now? */
bool fleet_is_last_holder(const struct fleet *fleet, const struct fleet_job *job);

/* The size was set to nothing by hand: must this one, the last that runs, stay because of data,
 * or have some again soon? */
bool fleet_must_hold(struct fleet *fleet, struct fleet_job *job);

/* Several jobs wait for one that takes their data, and that one perhaps for the place of
 * theirs: the last of them to end takes it all, so that the others can go. Where none will
 * come, it stays. */
void fleet_gather(struct fleet *fleet);

#endif
