/* fleet_data.h: which job takes over the results of jobs that leave. Part of the fleet: only
 * fleet.c calls it. */
#ifndef DRACO_DAEMON_POLICY_FLEET_DATA_H
#define DRACO_DAEMON_POLICY_FLEET_DATA_H

#include "daemon/policy/fleet.h"

/* The input and the state of one decision. */
struct fleet {
	struct fleet_state *state;
	const struct fleet_limits *limits;
	struct fleet_job *jobs;
	size_t count;
	int64_t now_ms, wake_ms;
	bool more; /* another job is requested, or will be as soon as possible */
	bool full; /* the maximum allows no job besides those that count */
};

static inline bool fleet_runs(const struct fleet_job *job)
{
	return job->phase == PHASE_STARTING || job->phase == PHASE_READY;
}

static inline bool fleet_leaves(const struct fleet_job *job)
{
	return job->phase == PHASE_DRAINING || job->phase == PHASE_RETIRING;
}

/* Is the job pending or running, and neither expiring nor retired by a user? */
bool fleet_is_fresh(const struct fleet_job *job);

/* Has this time come? If not, the fleet decides again at that time. */
bool fleet_is_due(struct fleet *fleet, int64_t when_ms);

struct handover_times fleet_times(const struct fleet *fleet, const struct fleet_job *job);

/* Is this the only job that can take the data of other jobs, which are leaving? */
bool fleet_needs_to_take(struct fleet *fleet, const struct fleet_job *job);

/* Does the job hold data that no other job can take now? */
bool fleet_is_last_holder(const struct fleet *fleet, const struct fleet_job *job);

/* The user has set the size to 0: must this job, the last that runs, stay because it holds data, or
 * will soon? */
bool fleet_must_hold(struct fleet *fleet, struct fleet_job *job);

/* Several leaving jobs wait for a new job that takes their data, while the new job may wait for
 * their nodes. The one of them that ends last takes all the data, so that the others can end. If no
 * new job comes, it stays. */
void fleet_gather(struct fleet *fleet);

#endif
