/* clock.h: the time since some moment in the past, for programs without an event loop
 * (daemon/io/loop.h has its own). */
#ifndef DRACO_COMMON_CLOCK_H
#define DRACO_COMMON_CLOCK_H

#include <stdint.h>

/* In milliseconds; nobody sets this clock. */
int64_t clock_now_ms(void);

#endif
