/* random.c: random numbers that a seed repeats on every machine (splitmix64). Pure. */
#include "tests/sim/random.h"

#include <math.h>

uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

int64_t random_between(struct random *random, int64_t low, int64_t high)
{
	return low + (int64_t)(random_next(random) % (uint64_t)(high - low + 1));
}

double random_share(struct random *random)
{
	return (double)(random_next(random) >> 11) / (double)(UINT64_C(1) << 53);
}

int64_t random_scale(struct random *random, int64_t low, int64_t high)
{
	return (int64_t)((double)low * pow((double)high / (double)low, random_share(random)));
}

bool random_chance(struct random *random, double probability)
{
	return random_share(random) < probability;
}
