/* number.h: small arithmetic on whole numbers. */
#ifndef DRACO_COMMON_NUMBER_H
#define DRACO_COMMON_NUMBER_H

#include <stdint.h>

static inline int64_t min_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* a / b, rounded up. a must not be negative, b must be positive. */
static inline int64_t divide_up(int64_t a, int64_t b)
{
	return a / b + (a % b != 0);
}

#endif
