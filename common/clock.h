/* clock.h: a monotonic clock for programs without an event loop (daemon/io/loop.h has its own). */
#ifndef DRACO_COMMON_CLOCK_H
#define DRACO_COMMON_CLOCK_H

#include <stdint.h>

/* Milliseconds since an arbitrary moment. Nobody can set this clock. */
int64_t clock_now_ms(void);

#endif
