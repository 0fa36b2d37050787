/* clock.h: the time of the fake world: it stands still while there is anything to do, and jumps
 * to the next timer when there is not. */
#ifndef DRACO_TESTS_FAKE_CLOCK_H
#define DRACO_TESTS_FAKE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds since the world began. */
int64_t clock_ms(void);

/* Begin again, with a new world. */
void clock_restart(void);

/* Does libevent go by this clock? Known once its loop has run. */
bool clock_is_used(void);

/* The wall clock is set by this much, forwards or backwards; what passes steadily does not
 * change. */
void clock_set_wall(int64_t by_ms);

#endif
