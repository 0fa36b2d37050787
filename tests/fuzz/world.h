/* world.h: a dracod without the world around it, for the fuzz targets: its clock and timers, what it asks of
 * draco-slurm, its child processes and its connections are plain memory, which the target looks at and acts
 * on. world.c has the functions that the linker puts in place of the real ones (fuzz_world_wraps in
 * Makefile.am). */
#ifndef DRACO_TESTS_WORLD_H
#define DRACO_TESTS_WORLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/slurm_msg.h"

struct err;

#define WORLD_PID 4711 /* of each child process */

/* Nothing is asked, no process runs, and it is a fixed time. Frees all that the last world had. */
void world_reset(void);

/* Let so much time pass; timers that are due fire in their order. Ends the process when they keep firing and
 * no time passes: such a dracod would use a whole core. */
void world_pass(int64_t ms);

/* draco-slurm answers the oldest request with this method; false: there is none. result is borrowed. */
bool world_answer_slurm(const char *method, enum slurm_outcome outcome, const json_t *result,
	const struct err *err);

/* The oldest child process ends. False: there is none. */
bool world_end_child(int status);

/* The command whose output is captured has ended. False: there is none. */
bool world_end_capture(int status, bool timed_out, const char *output);

/* The preload of the Dask scheduler says a line, on the newest connection; it connects where there is none. */
void world_say(const char *line, size_t length);

/* Another program connects as the preload does. */
void world_connect(void);

/* The oldest connection ends. False: there is none. */
bool world_hang_up(const char *why);

/* Take the oldest request to the preload that has no answer yet: its number; 0: there is none. */
json_int_t world_take_request(void);

#endif
