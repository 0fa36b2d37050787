/* check_fleet_by_hand.c: tests of daemon/policy/fleet.c: a size and a maximum that somebody has
 * chosen. */
#include "fleet_fixture.h"

#define add    fleet_fixture_add
#define decide fleet_fixture_decide

START_TEST(size_by_hand)
{
	fix.limits.by_hand = true;
	fix.limits.target = 2;
	add(PHASE_READY)->busy = 2;
	add(PHASE_READY)->busy = 1;
	add(PHASE_READY);
	add(PHASE_PENDING);
	decide(0);
	assert_actions("keep keep drain! cancel");
	fix.limits.target = 1;
	fix.jobs[0].bytes = 7;
	decide(0);
	assert_actions("keep drain! drain! cancel");
	/* A long task is waited for. */
	fix.jobs[1].phase = PHASE_DRAINING;
	decide(60 * MINUTE);
	assert_actions("keep keep drain! cancel");
	fix.limits.target = 2;
	fix.jobs[2].phase = PHASE_ENDING;
	decide(0);
	assert_actions("keep keep keep keep");
}
END_TEST

/* Somebody lowers the maximum while there is work. */
START_TEST(more_than_the_maximum)
{
	fix.limits.target = 3;
	add(PHASE_READY)->busy = 2;
	add(PHASE_READY)->busy = 1;
	add(PHASE_READY)->busy = 1;
	add(PHASE_PENDING);
	fix.limits.maximum = 4;
	decide(0);
	assert_actions("keep keep keep keep");
	fix.limits.target = fix.limits.maximum = 2;
	fix.jobs[2].end_ms = fix.now_ms + 60 * MINUTE;
	decide(0);
	assert_actions("keep keep drain! cancel");
	/* Its tasks may take long: it is not taken back, as the others are as many as there may
	 * be. */
	fix.jobs[2].phase = PHASE_DRAINING;
	fix.jobs[2].phase_since_ms = fix.now_ms;
	fix.jobs[3].phase = PHASE_ENDING;
	fix.jobs[2].end_ms = INT64_MAX;
	decide(60 * MINUTE);
	assert_actions("keep keep keep keep");
	fix.limits.target = fix.limits.maximum = 3;
	decide(0);
	assert_actions("keep keep undrain keep");
	/* In a pause none is given back. */
	fix.jobs[2].phase = PHASE_READY;
	fix.limits.target = fix.limits.maximum = 2;
	fix.limits.paused = true;
	decide(0);
	assert_actions("keep keep keep keep");
}
END_TEST

START_TEST(none_by_hand_and_data)
{
	fix.limits.by_hand = true;
	for (int i = 0; i < 3; i++)
		add(PHASE_READY)->bytes = 5;
	fix.jobs[1].bytes = 7;
	decide(0);
	assert_actions("drain! keep drain!");
	ck_assert(fix.jobs[1].holds);
	fix.jobs[0].phase = fix.jobs[2].phase = PHASE_DRAINING;
	decide(0);
	assert_actions("retire keep retire");
	fix.jobs[0].phase = fix.jobs[2].phase = PHASE_ENDING;
	decide(60 * MINUTE);
	assert_actions("keep keep keep");
	ck_assert(fix.jobs[1].holds);
	/* Nothing to hold any more: it goes, unless there is something again. */
	fix.jobs[1].bytes = 0;
	decide(29 * SECOND);
	assert_actions("keep keep keep");
	ck_assert(!fix.jobs[1].holds);
	decide(SECOND);
	assert_actions("keep drain! keep");
}
END_TEST

START_TEST(none_by_hand_and_data_that_came_late)
{
	fix.limits.by_hand = true;
	for (int i = 0; i < 3; i++)
		add(PHASE_DRAINING)->busy = 1;
	decide(0);
	assert_actions("keep keep keep");
	for (int i = 0; i < 2; i++) {
		fix.jobs[i].busy = 0;
		fix.jobs[i].bytes = 5;
	}
	decide(0);
	assert_actions("undrain keep keep");
	ck_assert(fix.jobs[0].holds);
	fix.jobs[0].phase = PHASE_READY;
	decide(0);
	assert_actions("keep retire keep");
	fix.count = 1;
	fix.jobs[0].phase = PHASE_DRAINING;
	decide(0);
	assert_actions("undrain");
	/* Where another one is wanted, it waits for that. */
	fix.limits.target = 1;
	add(PHASE_PENDING);
	decide(0);
	assert_actions("keep keep");
}
END_TEST

START_TEST(size_by_hand_and_new_jobs)
{
	fix.limits.by_hand = true;
	fix.limits.target = 2;
	add(PHASE_READY)->busy = 1;
	add(PHASE_READY)->busy = 1;
	add(PHASE_NEW);
	add(PHASE_NEW);
	decide(0);
	/* These go as soon as Slurm has told their ids; nobody else has to. */
	assert_actions("keep keep keep keep");
	fix.limits.target = 1;
	decide(0);
	assert_actions("drain! keep keep keep");
	fix.jobs[2].phase = fix.jobs[3].phase = PHASE_SUBMITTED;
	fix.limits.target = 2;
	decide(0);
	assert_actions("keep keep cancel cancel");
}
END_TEST

START_TEST(a_job_by_hand)
{
	fix.limits.target = 3;
	add(PHASE_READY)->by_hand = true;
	fix.jobs[0].busy = 3;
	add(PHASE_PENDING)->by_hand = true;
	add(PHASE_NEW)->by_hand = true;
	add(PHASE_READY);
	decide(0);
	assert_actions("drain! cancel keep keep");
	/* Others take their place. */
	ck_assert_int_eq(fix.decision.submit, 2);
	fix.jobs[0].phase = PHASE_DRAINING;
	fix.jobs[1].phase = PHASE_ENDING;
	decide(60 * MINUTE);
	assert_actions("keep keep keep keep");
	fix.jobs[0].busy = 0;
	decide(0);
	assert_actions("retire keep keep keep");
	/* It could not go: again, later. */
	fix.jobs[0].phase = PHASE_READY;
	fix.jobs[0].hold_ms = fix.now_ms + 5;
	decide(0);
	assert_actions("keep keep keep keep");
	ck_assert_int_eq(fix.decision.wake_ms, fix.now_ms + 5);
	decide(5);
	assert_actions("drain! keep keep keep");
}
END_TEST

START_TEST(a_pending_job_by_hand_is_no_other_ones_place)
{
	add(PHASE_PENDING)->by_hand = true;
	add(PHASE_PENDING);
	add(PHASE_PENDING);
	fix.limits.target = 1;
	fix.limits.idle_hold_ms = 0;
	decide(0);
	assert_actions("cancel keep cancel");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("fleet: by hand");
	TCase *tcase = tcase_create("by hand");

	tcase_add_checked_fixture(tcase, fleet_fixture_setup, NULL);
	tcase_add_test(tcase, size_by_hand);
	tcase_add_test(tcase, more_than_the_maximum);
	tcase_add_test(tcase, none_by_hand_and_data);
	tcase_add_test(tcase, none_by_hand_and_data_that_came_late);
	tcase_add_test(tcase, size_by_hand_and_new_jobs);
	tcase_add_test(tcase, a_job_by_hand);
	tcase_add_test(tcase, a_pending_job_by_hand_is_no_other_ones_place);
	suite_add_tcase(suite, tcase);
	return suite;
}
