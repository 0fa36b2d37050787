/* check_fleet.c: tests of daemon/policy/fleet.c: growing and giving back. */
#include "fleet_fixture.h"

#define add    fleet_fixture_add
#define decide fleet_fixture_decide

START_TEST(asks_for_all_at_once)
{
	fix.limits.target = 5;
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 5);
	ck_assert_int_eq(fix.decision.wake_ms, INT64_MAX);
	add(PHASE_READY);
	add(PHASE_STARTING);
	add(PHASE_PENDING);
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 2);
	ck_assert_int_eq(fix.decision.fresh, 3);
	assert_actions("keep keep keep");
	add(PHASE_NEW);
	add(PHASE_SUBMITTED);
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 0);
	/* What leaves does not count. */
	fix.jobs[0].phase = PHASE_ENDING;
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 1);
}
END_TEST

START_TEST(asks_for_nothing)
{
	fix.limits.target = 5;
	fix.limits.may_submit = false;
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 0);
	fix.limits.may_submit = true;
	fix.limits.paused = true;
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 0);
	fix.limits.paused = false;
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 5);
}
END_TEST

START_TEST(backlog)
{
	fix.limits.target = 5;
	fix.limits.backlog = 2;
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 2);
	add(PHASE_NEW);
	add(PHASE_PENDING);
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 0);
	fix.jobs[0].phase = PHASE_STARTING;
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 1);
	add(PHASE_PENDING);
	add(PHASE_PENDING);
	decide(0);
	ck_assert_int_eq(fix.decision.submit, 0);
}
END_TEST

START_TEST(holds_what_waits)
{
	fix.limits.target = 1;
	add(PHASE_READY);
	add(PHASE_PENDING);
	add(PHASE_SUBMITTED);
	decide(0);
	assert_actions("keep keep keep");
	ck_assert_int_eq(fix.decision.wake_ms, START + HOLD);
	decide(HOLD - 1);
	assert_actions("keep keep keep");
	decide(1);
	assert_actions("keep cancel cancel");
}
END_TEST

START_TEST(cancels_the_youngest_first)
{
	fix.limits.target = 2;
	add(PHASE_PENDING);
	add(PHASE_PENDING);
	add(PHASE_PENDING);
	decide(0);
	decide(HOLD);
	assert_actions("keep keep cancel");
}
END_TEST

START_TEST(a_need_in_between_starts_the_hold_again)
{
	fix.limits.target = 1;
	add(PHASE_PENDING);
	add(PHASE_PENDING);
	decide(0);
	fix.limits.target = 2;
	decide(HOLD / 2);
	fix.limits.target = 1;
	decide(1);
	decide(HOLD / 2);
	assert_actions("keep keep");
	decide(HOLD / 2);
	assert_actions("keep cancel");
}
END_TEST

START_TEST(gives_back_down_to_the_most_that_was_needed)
{
	fix.limits.target = 1;
	for (int i = 0; i < 4; i++)
		add(PHASE_READY);
	decide(0);
	fix.limits.target = 3;
	decide(HOLD / 2);
	fix.limits.target = 1;
	decide(HOLD / 2);
	assert_actions("drain keep keep keep");
	ck_assert_int_eq(fix.decision.wake_ms, START + 2 * HOLD);
	fix.jobs[0].phase = PHASE_DRAINING;
	fix.jobs[0].phase_since_ms = fix.now_ms;
	decide(HOLD - 1);
	assert_actions("retire keep keep keep");
	fix.jobs[0].phase = PHASE_GONE;
	decide(1);
	assert_actions("keep drain drain keep");
}
END_TEST

START_TEST(never_a_busy_one)
{
	add(PHASE_READY)->busy = 1;
	add(PHASE_READY)->busy = 1;
	decide(0);
	decide(10 * HOLD);
	assert_actions("keep keep");
	fix.jobs[1].busy = 0;
	fix.jobs[1].idle_since_ms = fix.now_ms;
	decide(0);
	assert_actions("keep keep");
	ck_assert_int_eq(fix.decision.wake_ms, fix.now_ms + HOLD);
	decide(HOLD);
	assert_actions("keep drain");
}
END_TEST

START_TEST(idle_since_its_last_task_while_it_starts)
{
	/* Some of its workers are there already, and had tasks. */
	add(PHASE_STARTING)->idle_since_ms = START + HOLD - 1;
	decide(0);
	decide(HOLD);
	assert_actions("keep");
	ck_assert_int_eq(fix.decision.wake_ms, START + 2 * HOLD - 1);
	decide(HOLD);
	assert_actions("drain");
}
END_TEST

/* A job that starts has cost most of what a start costs: its workers are waited for. */
START_TEST(kept_until_its_workers_are_overdue)
{
	fix.limits.idle_hold_ms = 2 * SECOND;
	fix.limits.boot_ms = 8 * SECOND;
	add(PHASE_STARTING)->phase_since_ms = START;
	fix.jobs[0].idle_since_ms = START;
	decide(0);
	decide(9 * SECOND);
	assert_actions("keep");
	ck_assert_int_eq(fix.decision.wake_ms, START + 10 * SECOND);
	decide(SECOND);
	assert_actions("drain");
	/* Nobody knows yet how long it takes. */
	fix.limits.boot_ms = 0;
	fix.jobs[0].phase_since_ms = fix.now_ms;
	decide(9 * SECOND);
	assert_actions("keep");
	decide(SECOND);
	assert_actions("drain");
	/* A user does not wait for it. */
	fix.jobs[0].phase_since_ms = fix.now_ms;
	fix.limits.by_hand = true;
	decide(0);
	assert_actions("drain!");
}
END_TEST

START_TEST(the_best_to_give_back)
{
	fix.limits.target = 1;
	add(PHASE_READY)->bytes = 5;
	add(PHASE_READY)->bytes = 4;
	decide(0);
	decide(HOLD);
	assert_actions("keep drain");
	/* Much longer idle counts more, a little longer does not. */
	fix.jobs[0].idle_since_ms -= 10 * SECOND;
	decide(0);
	assert_actions("drain keep");
	fix.jobs[0].idle_since_ms = fix.jobs[1].idle_since_ms - 1;
	fix.now_ms = fix.jobs[1].idle_since_ms + 2 * HOLD + 2;
	fix.now_ms += 60 * MINUTE;
	decide(0);
	assert_actions("keep drain");
	/* Else what ends sooner. */
	fix.jobs[1].bytes = 5;
	fix.jobs[0].end_ms = fix.now_ms + 80 * MINUTE;
	decide(0);
	assert_actions("drain keep");
}
END_TEST

START_TEST(what_could_not_be_given_back)
{
	add(PHASE_READY)->hold_ms = START + 5 * MINUTE;
	decide(0);
	decide(HOLD);
	assert_actions("keep");
	ck_assert_int_eq(fix.decision.wake_ms, START + 5 * MINUTE);
	decide(4 * MINUTE);
	assert_actions("drain");
}
END_TEST

START_TEST(paused_gives_nothing_back)
{
	add(PHASE_READY);
	add(PHASE_PENDING);
	add(PHASE_DRAINING);
	add(PHASE_DRAINING)->by_hand = true;
	fix.limits.paused = true;
	decide(0);
	decide(2 * HOLD);
	assert_actions("keep keep undrain retire");
	fix.jobs[2].phase = fix.jobs[3].phase = PHASE_READY;
	decide(0);
	/* The hold begins when the pause is over. */
	fix.limits.paused = false;
	decide(0);
	assert_actions("keep keep keep drain!");
	decide(HOLD);
	assert_actions("drain cancel drain drain!");
}
END_TEST

START_TEST(draining_goes_on)
{
	struct fleet_job *job;

	fix.limits.target = 1;
	add(PHASE_READY);
	job = add(PHASE_DRAINING);
	job->phase_since_ms = START;
	job->busy = 1;
	decide(0);
	assert_actions("keep keep");
	ck_assert_int_eq(fix.decision.wake_ms, START + 60 * SECOND);
	decide(60 * SECOND);
	assert_actions("keep undrain");
	job->busy = 0;
	decide(0);
	assert_actions("keep retire");
	job->hold_ms = fix.now_ms + 1;
	job->phase_since_ms = fix.now_ms;
	decide(0);
	assert_actions("keep keep");
	decide(1);
	assert_actions("keep retire");
	job->phase = PHASE_RETIRING;
	job->phase_since_ms = fix.now_ms;
	decide(120 * SECOND - 1);
	assert_actions("keep keep");
	decide(1);
	assert_actions("keep undrain");
}
END_TEST

START_TEST(data_needs_somebody_who_takes_it)
{
	struct fleet_job *job = add(PHASE_DRAINING);

	job->phase_since_ms = START;
	job->bytes = 1;
	decide(0);
	assert_actions("keep");
	add(PHASE_DRAINING);
	add(PHASE_STARTING)->idle_since_ms = START;
	decide(0);
	assert_actions("keep retire keep");
	fix.jobs[2].phase = PHASE_READY;
	fix.jobs[2].idle_since_ms = START;
	decide(0);
	assert_actions("retire retire keep");
	fix.count = 1;
	decide(60 * SECOND);
	assert_actions("undrain");
	job->bytes = 0;
	decide(0);
	assert_actions("retire");
}
END_TEST

START_TEST(back_when_work_comes)
{
	fix.limits.target = 2;
	add(PHASE_READY);
	add(PHASE_RETIRING)->phase_since_ms = START;
	add(PHASE_DRAINING);
	add(PHASE_ENDING);
	decide(0);
	assert_actions("keep keep undrain keep");
	ck_assert_int_eq(fix.decision.submit, 0);
	fix.limits.target = 4;
	decide(0);
	assert_actions("keep undrain undrain keep");
	ck_assert_int_eq(fix.decision.submit, 1);
	fix.limits.may_submit = false;
	decide(0);
	assert_actions("keep undrain undrain keep");
	/* Not one that a user sends away. */
	fix.jobs[1].by_hand = fix.jobs[2].by_hand = true;
	decide(0);
	assert_actions("keep keep retire keep");
	fix.limits.target = 1;
	fix.jobs[2].by_hand = false;
	decide(0);
	assert_actions("keep keep retire keep");
}
END_TEST

START_TEST(names)
{
	for (int i = FLEET_KEEP; i <= FLEET_END; i++)
		ck_assert_uint_gt(strlen(fleet_action_name((enum fleet_action)i)), 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("fleet");
	TCase *tcase = tcase_create("fleet");

	tcase_add_checked_fixture(tcase, fleet_fixture_setup, NULL);
	tcase_add_test(tcase, asks_for_all_at_once);
	tcase_add_test(tcase, asks_for_nothing);
	tcase_add_test(tcase, backlog);
	tcase_add_test(tcase, holds_what_waits);
	tcase_add_test(tcase, cancels_the_youngest_first);
	tcase_add_test(tcase, a_need_in_between_starts_the_hold_again);
	tcase_add_test(tcase, gives_back_down_to_the_most_that_was_needed);
	tcase_add_test(tcase, never_a_busy_one);
	tcase_add_test(tcase, idle_since_its_last_task_while_it_starts);
	tcase_add_test(tcase, kept_until_its_workers_are_overdue);
	tcase_add_test(tcase, the_best_to_give_back);
	tcase_add_test(tcase, what_could_not_be_given_back);
	tcase_add_test(tcase, paused_gives_nothing_back);
	tcase_add_test(tcase, draining_goes_on);
	tcase_add_test(tcase, data_needs_somebody_who_takes_it);
	tcase_add_test(tcase, back_when_work_comes);
	tcase_add_test(tcase, names);
	suite_add_tcase(suite, tcase);
	return suite;
}
