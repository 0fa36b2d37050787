/* fleet_fixture.h: jobs for the tests of daemon/policy/fleet.c, in short. */
#ifndef DRACO_TESTS_FLEET_FIXTURE_H
#define DRACO_TESTS_FLEET_FIXTURE_H

#include "unit.h"

#include "daemon/policy/fleet.h"

#define SECOND 1000
#define MINUTE 60000
#define START  (INT64_C(1000) * MINUTE)
#define HOLD   (60 * SECOND)

/* What one test works on: a target of 0, a hold of a minute, a lead of 5 minutes, a margin of
 * 2, and no job. */
struct fleet_fixture {
	struct fleet_state state;
	struct fleet_limits limits;
	struct fleet_job jobs[16];
	size_t count;
	int64_t now_ms;
	struct fleet_decision decision;
};

extern struct fleet_fixture fix;

void fleet_fixture_setup(void);

/* A job in that phase for an hour, without tasks or data, idle since then, with no end known. */
struct fleet_job *fleet_fixture_add(enum job_phase phase);

/* It ends in so many minutes, of a walltime of 90. */
struct fleet_job *fleet_fixture_add_ending(enum job_phase phase, int64_t minutes);

/* Let so much time pass, and decide. */
void fleet_fixture_decide(int64_t after_ms);

/* "keep cancel keep!": an action for each job, with ! where it is forced. */
#define assert_actions(expected) ck_assert_str_eq(fleet_fixture_actions(), expected)
const char *fleet_fixture_actions(void);

#endif
