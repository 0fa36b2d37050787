/* random.h: random numbers that a seed repeats on every machine. Pure. */
#ifndef DRACO_TESTS_SIM_RANDOM_H
#define DRACO_TESTS_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

uint64_t random_next(struct random *random);

/* From low to high, both included. */
int64_t random_between(struct random *random, int64_t low, int64_t high);

/* As often small as large: uniform in the logarithm. low is positive. */
int64_t random_scale(struct random *random, int64_t low, int64_t high);

/* From 0 to below 1. */
double random_share(struct random *random);

bool random_chance(struct random *random, double probability);

#endif
