/* job_phase.c: the phases of a job and which may follow which. Pure. */
#include "daemon/policy/job_phase.h"

#include <assert.h>

#define BIT(phase) (1u << PHASE_##phase)

static const struct {
	const char *name;
	unsigned next; /* the phases that may follow, as bits */
} phases[PHASE_COUNT] = {
	[PHASE_NEW] = {"new", BIT(SUBMITTED) | BIT(GONE)},
	[PHASE_SUBMITTED] = {"submitted",
		BIT(PENDING) | BIT(STARTING) | BIT(ENDING) | BIT(GONE)},
	[PHASE_PENDING] = {"pending", BIT(STARTING) | BIT(ENDING) | BIT(GONE)},
	/* Back to PENDING: an administrator, or a preemption, has requeued the job. */
	[PHASE_STARTING] = {"starting",
		BIT(PENDING) | BIT(READY) | BIT(DRAINING) | BIT(ENDING) | BIT(GONE)},
	[PHASE_READY] = {"ready", BIT(PENDING) | BIT(DRAINING) | BIT(ENDING) | BIT(GONE)},
	/* Back to READY: work has arrived, or no other job has room for its results. */
	[PHASE_DRAINING] = {"draining", BIT(READY) | BIT(RETIRING) | BIT(ENDING) | BIT(GONE)},
	[PHASE_RETIRING] = {"retiring", BIT(READY) | BIT(ENDING) | BIT(GONE)},
	[PHASE_ENDING] = {"ending", BIT(GONE)},
	[PHASE_GONE] = {"gone", 0},
};

const char *job_phase_name(enum job_phase phase)
{
	assert(phase < PHASE_COUNT);
	return phases[phase].name;
}

bool job_phase_may_follow(enum job_phase from, enum job_phase to)
{
	assert(from < PHASE_COUNT && to < PHASE_COUNT);
	return phases[from].next & (1u << to);
}

bool job_phase_is_alive(enum job_phase phase)
{
	return phase != PHASE_GONE;
}

bool job_phase_is_wanted(enum job_phase phase)
{
	return phase <= PHASE_READY;
}
