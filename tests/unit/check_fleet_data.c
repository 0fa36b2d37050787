/* check_fleet_data.c: tests of daemon/policy/fleet_data.c: jobs whose results another one has
 * to take. */
#include "fleet_fixture.h"

#define add    fleet_fixture_add
#define decide fleet_fixture_decide

START_TEST(a_job_by_hand_whose_data_nobody_takes)
{
	add(PHASE_DRAINING)->by_hand = true;
	fix.jobs[0].bytes = 5;
	fix.jobs[0].busy = 1;
	decide(0);
	ck_assert(!fix.jobs[0].stuck);
	fix.jobs[0].busy = 0;
	decide(0);
	assert_actions("keep");
	ck_assert(fix.jobs[0].stuck);
	/* Another one will come, but for a pause. */
	fix.limits.target = 1;
	fix.limits.may_submit = false;
	decide(0);
	ck_assert(!fix.jobs[0].stuck);
	fix.limits.paused = true;
	decide(0);
	ck_assert(fix.jobs[0].stuck);
	add(PHASE_STARTING);
	decide(0);
	ck_assert(!fix.jobs[0].stuck);
	fix.jobs[1].phase = PHASE_READY;
	decide(0);
	assert_actions("retire keep");
	ck_assert(!fix.jobs[0].stuck);
	/* Its results are not needed any more. */
	fix.count = 1;
	fix.jobs[0].bytes = 0;
	decide(0);
	assert_actions("retire");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("fleet_data");
	TCase *tcase = tcase_create("fleet_data");

	tcase_add_checked_fixture(tcase, fleet_fixture_setup, NULL);
	tcase_add_test(tcase, a_job_by_hand_whose_data_nobody_takes);
	suite_add_tcase(suite, tcase);
	return suite;
}
