/* clock.h: the clock of the fake world. It stands still while there is work, and jumps to the next
 * timer when there is none. */
#ifndef DRACO_TESTS_FAKE_CLOCK_H
#define DRACO_TESTS_FAKE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Milliseconds since the world began. */
int64_t clock_ms(void);

/* How often this process has waited for events: its wake-ups. */
int64_t clock_waits(void);

/* Start the clock again for a new world. */
void clock_restart(void);

/* Does libevent use this clock? Known once its loop has run. */
bool clock_is_used(void);

/* Set the wall clock of dracod's host forwards or backwards by this much. Monotonic clocks do not
 * change. */
void clock_set_wall(int64_t by_ms);

/* The wall clock of other hosts, such as slurmctld's, which nobody sets. */
time_t clock_elsewhere(void);

#endif
