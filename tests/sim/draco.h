/* draco.h: a model of dracod around its policies, which are the real ones: what it knows of
 * Slurm and Dask, and when; what it asks them for. */
#ifndef DRACO_TESTS_SIM_DRACO_H
#define DRACO_TESTS_SIM_DRACO_H

#include "daemon/policy/demand.h"
#include "daemon/policy/fleet.h"
#include "daemon/policy/handover.h"
#include "daemon/policy/scaling.h"
#include "tests/sim/rules.h"
#include "tests/sim/world.h"

#define DRACO_JOBS 64

struct draco_job {
	struct fleet_job fleet;
	size_t number; /* in the queue */
	int64_t submit_ms, running_ms;
	bool asked; /* of the preload: to do what the action says; the answer comes at answer_ms */
	bool moving; /* its data, until answer_ms */
	bool forced; /* whatever runs there */
	enum fleet_action asked_for;
	int64_t answer_ms;
	struct rules_job rules;
};

struct draco {
	struct draco_job job[DRACO_JOBS]; /* that are not GONE, the oldest first */
	size_t count;
	struct fleet_state fleet;
	struct scaling_state scaling;
	struct scaling_limits limits;
	struct handover_waits waits, boots;
	struct demand demand;
	struct scaling_target target;
	struct fleet_decision decision;
	int64_t longest_ms;
	int64_t idle_hold_ms; /* the setting */
	bool learns;	      /* shorter holds */
	bool paused;
	int64_t back_off_until_ms;
	int failures;			     /* in a row */
	int64_t report_ms, poll_ms, wake_ms; /* INT64_MAX: not now */
	int64_t dask_changes, queue_changes; /* seen */
	bool due;			     /* decide at the end of this step */
	struct rules rules;
};

void draco_set_phase(struct world *world, struct draco_job *job, enum job_phase phase);

#endif
