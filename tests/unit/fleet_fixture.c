/* fleet_fixture.c: jobs for the tests of daemon/policy/fleet.c, in short. */
#include "fleet_fixture.h"

struct fleet_fixture fix;

void fleet_fixture_setup(void)
{
	fix = (struct fleet_fixture){
		.now_ms = START,
		.limits = {.idle_hold_ms = HOLD,
			.lead_ms = 5 * MINUTE,
			.margin_ms = 2 * MINUTE,
			.may_submit = true},
	};
	fleet_state_init(&fix.state);
}

struct fleet_job *fleet_fixture_add(enum job_phase phase)
{
	struct fleet_job *job = &fix.jobs[fix.count++];

	ck_assert_uint_le(fix.count, LENGTH(fix.jobs));
	*job = (struct fleet_job){.phase = phase,
		.phase_since_ms = START - 60 * MINUTE,
		.idle_since_ms = START - 60 * MINUTE,
		.end_ms = INT64_MAX,
		.walltime_ms = 90 * MINUTE};
	return job;
}

struct fleet_job *fleet_fixture_add_ending(enum job_phase phase, int64_t minutes)
{
	struct fleet_job *job = fleet_fixture_add(phase);

	job->end_ms = START + minutes * MINUTE;
	return job;
}

void fleet_fixture_decide(int64_t after_ms)
{
	fix.now_ms += after_ms;
	fleet_decide(&fix.state, &fix.limits, fix.jobs, fix.count, fix.now_ms, &fix.decision);
	ck_assert_int_gt(fix.decision.wake_ms, fix.now_ms);
}

const char *fleet_fixture_actions(void)
{
	static char text[256];
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < fix.count; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s%s",
			i > 0 ? " " : "", fleet_action_name(fix.jobs[i].action),
			fix.jobs[i].forced ? "!" : "");
	return text;
}
