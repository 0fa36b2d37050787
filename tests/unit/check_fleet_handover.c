/* check_fleet_handover.c: tests of daemon/policy/fleet.c: jobs whose walltime ends. With the
 * fixture's lead and margin: request 7 minutes before the end, drain 2, force 1, over half a
 * minute. */
#include "fleet_fixture.h"

#define add    fleet_fixture_add_ending
#define decide fleet_fixture_decide

START_TEST(another_one_is_asked_for)
{
	fix.limits.target = 1;
	add(PHASE_READY, 8)->busy = 1;
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 0);
	ck_assert_int_eq(fix.decision.wake_ms, START + MINUTE);
	decide(MINUTE);
	ck_assert(fix.jobs[0].expiring);
	ck_assert_int_eq(fix.decision.submit, 1);
	ck_assert_int_eq(fix.decision.fresh, 0);
	ck_assert_int_eq(fix.decision.wake_ms, START + 6 * MINUTE);
	assert_actions("keep");
	add(PHASE_PENDING, 95);
	fix.jobs[1].end_ms = INT64_MAX;
	decide(MINUTE);
	ck_assert_int_eq(fix.decision.submit, 0);
	assert_actions("keep keep");
}
END_TEST

START_TEST(drained_when_the_other_is_there)
{
	fix.limits.target = 1;
	add(PHASE_READY, 6)->busy = 1;
	add(PHASE_STARTING, 95);
	decide(0);
	assert_actions("keep keep");
	fix.jobs[1].phase = PHASE_READY;
	decide(0);
	assert_actions("drain! keep");
	fix.jobs[0].phase = PHASE_DRAINING;
	fix.jobs[0].phase_since_ms = fix.now_ms;
	/* Not taken back for a long task. */
	decide(3 * MINUTE);
	assert_actions("keep keep");
	fix.jobs[0].busy = 0;
	decide(0);
	assert_actions("retire keep");
}
END_TEST

START_TEST(drained_at_the_last_moment)
{
	fix.limits.target = 1;
	add(PHASE_READY, 6)->busy = 1;
	add(PHASE_PENDING, 95);
	decide(0);
	decide(4 * MINUTE - 1);
	assert_actions("keep keep");
	decide(1);
	assert_actions("drain! keep");
	fix.jobs[0].phase = PHASE_DRAINING;
	decide(MINUTE - 1);
	assert_actions("keep keep");
	/* Nobody takes the data: its tasks may as well go on. */
	fix.jobs[0].bytes = 1;
	decide(1);
	assert_actions("keep keep");
	fix.jobs[1].phase = PHASE_READY;
	decide(0);
	assert_actions("retire! keep");
	fix.jobs[0].phase = PHASE_RETIRING;
	decide(30 * SECOND - 1);
	assert_actions("keep keep");
	decide(1);
	assert_actions("end keep");
}
END_TEST

START_TEST(ended_at_the_end_though_it_is_the_last)
{
	fix.limits.target = 1;
	add(PHASE_DRAINING, 1)->bytes = 1;
	decide(0);
	assert_actions("keep");
	ck_assert_int_eq(fix.decision.wake_ms, START + 30 * SECOND);
	decide(30 * SECOND);
	assert_actions("end");
}
END_TEST

START_TEST(each_goes_when_one_has_come)
{
	fix.limits.target = 3;
	add(PHASE_READY, 6);
	add(PHASE_READY, 5);
	add(PHASE_READY, 6);
	add(PHASE_READY, 95);
	add(PHASE_PENDING, 95);
	add(PHASE_PENDING, 95);
	decide(0);
	assert_actions("keep drain! keep keep keep keep");
	fix.jobs[1].phase = PHASE_DRAINING;
	decide(0);
	assert_actions("keep retire keep keep keep keep");
	fix.jobs[4].phase = fix.jobs[5].phase = PHASE_READY;
	decide(0);
	assert_actions("drain! retire drain! keep keep keep");
}
END_TEST

START_TEST(a_short_dip_lets_none_go)
{
	fix.limits.target = 3;
	for (int i = 0; i < 3; i++)
		add(PHASE_READY, 6)->busy = 1;
	decide(0);
	fix.limits.target = 1;
	decide(SECOND);
	assert_actions("keep keep keep");
	ck_assert_int_eq(fix.decision.submit, 1);
	decide(HOLD);
	decide(HOLD);
	assert_actions("drain! drain! keep");
}
END_TEST

START_TEST(no_other_where_none_is_needed)
{
	add(PHASE_READY, 6);
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 0);
	assert_actions("drain!");
	/* Not even for a pause. */
	fix.limits.paused = true;
	fix.limits.target = 1;
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 0);
	assert_actions("keep");
	decide(4 * MINUTE);
	assert_actions("drain!");
}
END_TEST

START_TEST(a_pause_gives_none_back_early)
{
	fix.limits.paused = true;
	add(PHASE_READY, 6);
	add(PHASE_READY, 95);
	decide(0);
	ck_assert(fix.jobs[0].expiring);
	assert_actions("keep keep");
	decide(4 * MINUTE - 1);
	assert_actions("keep keep");
	decide(1);
	assert_actions("drain! keep");
}
END_TEST

/* No fresh job will come for them. */
START_TEST(a_pause_drains_none_for_long_tasks)
{
	fix.limits.target = 1;
	fix.limits.longest_ms = 50 * MINUTE;
	add(PHASE_READY, 60);
	decide(0);
	assert_actions("drain!");
	fix.jobs[0].phase = PHASE_DRAINING;
	fix.jobs[0].phase_since_ms = fix.now_ms;
	fix.jobs[0].busy = 1;
	decide(MINUTE);
	assert_actions("keep");
	fix.limits.paused = true;
	decide(0);
	assert_actions("undrain");
	fix.jobs[0].phase = PHASE_READY;
	decide(56 * MINUTE - 1);
	assert_actions("keep");
	decide(MINUTE + 1);
	assert_actions("drain!");
}
END_TEST

START_TEST(the_old_one_back_when_the_new_one_failed)
{
	fix.limits.target = 1;
	add(PHASE_DRAINING, 4)->busy = 1;
	add(PHASE_READY, 95);
	decide(0);
	assert_actions("keep keep");
	fix.jobs[1].phase = PHASE_GONE;
	decide(0);
	assert_actions("undrain keep");
	ck_assert_int_eq(fix.decision.submit, 1);
	/* Not at once: the task that it was drained for may come again. */
	fix.jobs[0].phase_since_ms = fix.now_ms;
	decide(10 * SECOND - 1);
	assert_actions("keep keep");
	decide(1);
	assert_actions("undrain keep");
	/* Too late for a task of two minutes. */
	decide(2 * MINUTE);
	assert_actions("keep keep");
}
END_TEST

START_TEST(refused_to_go)
{
	fix.limits.target = 1;
	add(PHASE_READY, 6)->hold_ms = START + MINUTE;
	add(PHASE_READY, 95);
	fix.jobs[0].bytes = 1;
	fix.jobs[0].phase_since_ms = START;
	decide(0);
	assert_actions("keep keep");
	ck_assert_int_eq(fix.decision.wake_ms, START + SECOND);
	decide(SECOND);
	assert_actions("drain! keep");
	fix.jobs[0].phase = PHASE_DRAINING;
	decide(0);
	assert_actions("keep keep");
	decide(MINUTE - SECOND);
	assert_actions("retire keep");
	/* Before the end there is no time for that. */
	fix.jobs[0].hold_ms = START + 60 * MINUTE;
	decide(4 * MINUTE);
	assert_actions("retire keep");
}
END_TEST

START_TEST(the_last_one_gathers_the_data)
{
	/* Three end, and the others wait for their places. */
	fix.limits.target = 3;
	for (int i = 0; i < 3; i++)
		add(PHASE_DRAINING, 2)->bytes = 5;
	fix.jobs[1].end_ms += SECOND;
	for (int i = 0; i < 3; i++)
		add(PHASE_PENDING, 95)->end_ms = INT64_MAX;
	fix.jobs[0].busy = 1;
	fix.jobs[2].busy = 1;
	decide(0);
	assert_actions("keep keep keep keep keep keep");
	fix.jobs[2].busy = 0;
	decide(0);
	assert_actions("keep undrain keep keep keep keep");
	fix.jobs[1].phase = PHASE_READY;
	decide(0);
	assert_actions("keep keep retire keep keep keep");
	fix.jobs[2].phase = PHASE_RETIRING;
	decide(SECOND);
	assert_actions("keep keep keep keep keep keep");
	fix.jobs[2].phase = PHASE_ENDING;
	decide(SECOND);
	assert_actions("keep drain! keep keep keep keep");
	fix.jobs[1].phase = PHASE_DRAINING;
	fix.jobs[3].phase = PHASE_READY;
	decide(0);
	assert_actions("keep retire keep keep keep keep");
}
END_TEST

START_TEST(not_gathered_too_late)
{
	fix.limits.target = 2;
	add(PHASE_DRAINING, 1)->bytes = 5;
	add(PHASE_DRAINING, 1)->bytes = 5;
	decide(0);
	assert_actions("keep keep");
	/* Nor is the last one kept then. */
	fix.jobs[1].phase = PHASE_READY;
	decide(0);
	assert_actions("keep drain!");
}
END_TEST

START_TEST(long_tasks)
{
	fix.limits.target = 1;
	fix.limits.longest_ms = 8 * MINUTE;
	add(PHASE_READY, 25)->busy = 1;
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 0);
	ck_assert_int_eq(fix.decision.wake_ms, START + MINUTE);
	decide(MINUTE);
	ck_assert_int_eq(fix.decision.submit, 1);
	decide(5 * MINUTE - 1);
	assert_actions("keep");
	decide(1);
	assert_actions("drain!");
}
END_TEST

START_TEST(longer_than_half_a_walltime)
{
	fix.limits.target = 1;
	fix.limits.longest_ms = 48 * MINUTE;
	add(PHASE_READY, 61)->busy = 1;
	/* No new tasks; another one not before the middle. */
	decide(0);
	assert_actions("drain!");
	ck_assert_int_eq(fix.decision.submit, 0);
	fix.jobs[0].phase = PHASE_DRAINING;
	decide(16 * MINUTE - 1);
	assert_actions("keep");
	ck_assert_int_eq(fix.decision.submit, 0);
	ck_assert_int_eq(fix.decision.wake_ms, fix.now_ms + 1);
	decide(1);
	assert_actions("keep");
	ck_assert_int_eq(fix.decision.submit, 1);
}
END_TEST

START_TEST(done_before_the_middle)
{
	fix.limits.target = 1;
	fix.limits.longest_ms = 48 * MINUTE;
	add(PHASE_DRAINING, 61);
	decide(0);
	assert_actions("retire");
	ck_assert_int_eq(fix.decision.submit, 0);
	fix.jobs[0].phase = PHASE_RETIRING;
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 1);
}
END_TEST

START_TEST(not_asked_for_twice)
{
	/* The long task that made the job expire is done: the other one is as welcome as before. */
	fix.limits.target = 1;
	fix.limits.longest_ms = 8 * MINUTE;
	add(PHASE_READY, 20)->busy = 1;
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 1);
	add(PHASE_PENDING, 95);
	fix.jobs[1].end_ms = INT64_MAX;
	fix.limits.longest_ms = SECOND;
	decide(SECOND);
	ck_assert(fix.jobs[0].expiring);
	decide(2 * HOLD);
	assert_actions("keep keep");
	ck_assert_int_eq(fix.decision.submit, 0);
	fix.jobs[1].phase = PHASE_READY;
	fix.jobs[1].end_ms = START + 110 * MINUTE;
	decide(0);
	assert_actions("drain! keep");
}
END_TEST

START_TEST(without_a_hold)
{
	fix.limits.idle_hold_ms = 0;
	fix.limits.target = 1;
	add(PHASE_READY, 6);
	decide(0);
	assert_actions("keep");
	fix.limits.target = 0;
	decide(SECOND);
	assert_actions("drain!");
}
END_TEST

START_TEST(not_a_victim_nor_counted_twice)
{
	fix.limits.target = 1;
	add(PHASE_READY, 6);
	add(PHASE_PENDING, 95);
	decide(0);
	decide(HOLD);
	decide(HOLD);
	assert_actions("keep keep");
	ck_assert_int_eq(fix.decision.submit, 0);
}
END_TEST

/* A job that lacks workers: as one whose time ends soon, but others do not go with it. */
START_TEST(one_that_lacks_workers)
{
	fix.limits.target = 2;
	add(PHASE_READY, 80)->worn = true;
	add(PHASE_READY, 60);
	fix.jobs[0].busy = 1;
	decide(0);
	ck_assert(fix.jobs[0].expiring && !fix.jobs[1].expiring);
	ck_assert_int_eq(fix.decision.submit, 1);
	assert_actions("keep keep");
	add(PHASE_READY, 90);
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 0);
	assert_actions("drain! keep keep");
	fix.jobs[0].end_ms = INT64_MAX;
	fix.jobs[0].phase = PHASE_DRAINING;
	fix.jobs[0].phase_since_ms = fix.now_ms;
	decide(30 * MINUTE); /* its task goes on */
	assert_actions("keep keep keep");
	fix.jobs[0].busy = 0;
	decide(0);
	assert_actions("retire keep keep");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("fleet_handover");
	TCase *tcase = tcase_create("fleet_handover");

	tcase_add_checked_fixture(tcase, fleet_fixture_setup, NULL);
	tcase_add_test(tcase, another_one_is_asked_for);
	tcase_add_test(tcase, drained_when_the_other_is_there);
	tcase_add_test(tcase, drained_at_the_last_moment);
	tcase_add_test(tcase, ended_at_the_end_though_it_is_the_last);
	tcase_add_test(tcase, each_goes_when_one_has_come);
	tcase_add_test(tcase, a_short_dip_lets_none_go);
	tcase_add_test(tcase, no_other_where_none_is_needed);
	tcase_add_test(tcase, a_pause_gives_none_back_early);
	tcase_add_test(tcase, a_pause_drains_none_for_long_tasks);
	tcase_add_test(tcase, the_old_one_back_when_the_new_one_failed);
	tcase_add_test(tcase, refused_to_go);
	tcase_add_test(tcase, the_last_one_gathers_the_data);
	tcase_add_test(tcase, not_gathered_too_late);
	tcase_add_test(tcase, long_tasks);
	tcase_add_test(tcase, longer_than_half_a_walltime);
	tcase_add_test(tcase, done_before_the_middle);
	tcase_add_test(tcase, not_asked_for_twice);
	tcase_add_test(tcase, without_a_hold);
	tcase_add_test(tcase, not_a_victim_nor_counted_twice);
	tcase_add_test(tcase, one_that_lacks_workers);
	suite_add_tcase(suite, tcase);
	return suite;
}
