/* sim.h: the commands of the simulator. */
#ifndef DRACO_TESTS_SIM_SIM_H
#define DRACO_TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

struct sim_options {
	int64_t traces, seed, seeds;
	bool verbose;
	bool claims, decisions;
	const char *policy;
	char **files; /* ends with NULL */
};

struct policy;

/* The policy that the random trace of a seed is run with. */
const struct policy *sim_policy_of(uint64_t seed);

/* Each returns the exit status. */
int sim_check(const struct sim_options *options);
int sim_run(const struct sim_options *options);
int sim_compare(const struct sim_options *options);

#endif
