/* cmd_check.c: sim check: many random traces, every rule at every step. */
#include <inttypes.h>
#include <stdio.h>

#include "tests/sim/sim.h"
#include "tests/sim/world.h"

const struct policy *sim_policy_of(uint64_t seed)
{
	return seed % 2 ? &policy_draco : &policy_draco_short;
}

int sim_check(const struct sim_options *options)
{
	struct trace trace;
	struct world_result result;
	int64_t broken = 0, steps = 0, submissions = 0, twice[AGAIN_COUNT] = {0};
	double hours = 0;

	for (int64_t i = 0; i < options->traces; i++) {
		uint64_t seed = (uint64_t)(options->seed + i);

		trace_random(seed, &trace);
		world_run(&trace, sim_policy_of(seed), false, &result);
		steps += result.steps;
		submissions += result.submissions;
		for (int k = 0; k < AGAIN_COUNT; k++)
			twice[k] += result.again[k];
		hours += (double)result.simulated_ms / 3600000;
		if (!result.violation[0])
			continue;
		if (broken++ == 0 || options->verbose)
			printf("seed %" PRIu64 ", step %" PRId64 ": %s\n"
			       "replay: sim run --seed %" PRIu64 " --verbose\n",
				seed, result.violation_step, result.violation, seed);
	}
	printf("%" PRId64 " traces, %.0f simulated hours, %" PRId64 " steps, %" PRId64
	       " jobs; tasks begun again: %" PRId64 " failed, %" PRId64 " forced, %" PRId64
	       " killed, %" PRId64 " results lost to failures, %" PRId64 " to ends; %" PRId64
	       " with violations\n",
		options->traces, hours, steps, submissions, twice[AGAIN_FAILED],
		twice[AGAIN_FORCED], twice[AGAIN_KILLED], twice[AGAIN_LOST_FAILED],
		twice[AGAIN_LOST_KILLED], broken);
	return broken > 0;
}
