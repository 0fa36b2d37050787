/* world.h: a world for dracod in which hours pass in milliseconds.
 *
 * dracod is the real one, in this process, with its real sockets. Around it are a scripted Slurm
 * (fake_slurm.h), a scripted Dask (fake_dask.h), clients of its control socket, and a clock that
 * jumps to the next event (clock.h). A scenario is a Check test. It starts a cluster, causes an
 * event, and waits for dracod's reaction. When it fails it prints all events with their times. */
#ifndef DRACO_TESTS_FAKE_WORLD_H
#define DRACO_TESTS_FAKE_WORLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "fake_dask.h"
#include "fake_slurm.h"
#include "process.h"
#include "program.h"
#include "unit.h"

#define NAME "fake" /* of the cluster */

struct loop;

/* Fixtures: a world with a dracod that has no cluster. */
void world_setup(void);
void world_teardown(void);

/* End dracod, and begin another one with the same files. Only while there is no cluster. */
void world_restart(void);

/* Kill dracod as SIGKILL does, with its draco-slurm; scheduler, jobs and files stay. And start
 * another one, with the same files. Meanwhile time may pass, but nothing can be asked. */
void world_kill(void);
void world_come_back(void);

/* dracod ends after being unused for so long. Set it before world_setup() or world_restart(). */
extern int64_t world_stay_ms;

/* Time */

void pass(double seconds);

/* Let time pass until the condition holds. If it does not within a day, the scenario fails. */
#define await(condition)                                         \
	for (int64_t end_ = clock_ms() + AWAIT_MS; !(condition); \
		world_turn(HERE, end_, #condition))
#define AWAIT_MS (24 * 3600 * INT64_C(1000))

/* The same, and check that it takes from so many to so many seconds. */
#define await_from_to(from_s, to_s, condition)                      \
	do {                                                        \
		int64_t begin_ = clock_ms();                        \
		await(condition);                                   \
		world_took(HERE, begin_, from_s, to_s, #condition); \
	} while (0)

/* Check that the condition holds now, and for so many seconds. */
#define holds_for(seconds, condition)                                                     \
	for (int64_t end_ = clock_ms() + (int64_t)((seconds)*1000); clock_ms() < end_;) { \
		check(condition);                                                         \
		world_turn_until(end_);                                                   \
	}

#define check(condition)                                    \
	do {                                                \
		if (!(condition))                           \
			world_fail(HERE, "%s", #condition); \
	} while (0)

/* The position in the scenario. */
#define HERE	     __FILE__ ":" HERE_(__LINE__)
#define HERE_(line)  HERE__(line)
#define HERE__(line) #line

/* What dracod says */

/* Has an event since the last forget() a line with this text? Lines are those of dracoctl events:
 * "job 1_0: pending -> starting after 3.0 s: n1". */
bool told(const char *part);
int times_told(const char *part);
void forget(void);

/* The status. Borrowed until the next call. */
json_t *status(void);

/* A member of the status, or of an object in it: "cluster.state"; NULL: there is none. Borrowed
 * until the next status(). */
const char *status_text(const char *path);
int64_t status_number(const char *path);

bool cluster_is(const char *state);
int jobs_of_phase(const char *phase);		  /* as dracod sees them */
int jobs_alive(void);				  /* jobs that have not ended */
const char *phase_of(const struct fake_job *job); /* as dracod sees it; "": unknown to it */
bool is_excluded(const char *node);
bool has_notice(const char *part);

/* A start */

/* The parameters of a start in this world. Besides the defaults they ask for jobs of two workers of
 * one thread, for up to eight workers, and for no end of idle jobs or of an unused cluster. json
 * (with ' in place of ", "" for none) holds further settings. */
json_t *start_params(const char *json);
void start(const char *json); /* by the world's own client, without waiting */
#define start_running(json) world_start_running(HERE, json) /* waits until the cluster runs */
void world_start_running(const char *where, const char *json);

/* Wait for the answer to start(): has it succeeded, and with which error has it failed? */
bool start_succeeded(void);
const char *start_error(void);

/* For the fakes: add a line to the events that a failing scenario prints; and fail the scenario. */
void world_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void world_fail(const char *where, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));
struct loop *world_loop(void);
bool world_is_killing(void);
void world_turn(const char *where, int64_t end_ms, const char *what);
void world_turn_until(int64_t end_ms);
void world_took(
	const char *where, int64_t begin_ms, double from_s, double to_s, const char *what);

/* Has dracod ended by itself? */
bool world_has_ended(void);

/* The world's own client, and a file in dracod's state directory. */
struct program *me(void);
char *state_path(const char *name);

/* A suite of scenarios, each in a world of its own. */
#define scenarios(name, ...) scenario_suite(name, (const TTest *[]){__VA_ARGS__, NULL})
Suite *scenario_suite(const char *name, const TTest *const *tests);

/* Add a scenario that runs once for each row of a table. _i is the row. */
void scenario_of_table(Suite *suite, const TTest *test, size_t rows);

#endif
