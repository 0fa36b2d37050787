/* check_hold.c: tests of daemon/policy/hold.c. */
#include "unit.h"

#include "daemon/policy/hold.h"

#define MOST 60000
#define WAIT 40000

static struct hold_state hold;
static int64_t now_ms;

static void setup(void)
{
	hold_init(&hold);
	now_ms = 1000000;
	hold_observe(&hold, 1, true, now_ms);
}

/* A burst on so many jobs, after a pause. */
static void burst(int64_t pause_ms, int64_t jobs)
{
	now_ms += pause_ms;
	hold_observe(&hold, jobs, true, now_ms);
	now_ms += 10000;
	hold_observe(&hold, 1, true, now_ms);
}

static int64_t choose(int64_t wait_ms)
{
	hold_choose(&hold, MOST, wait_ms);
	return hold.ms;
}

START_TEST(the_setting_until_a_hold_was_in_vain)
{
	int64_t wake_ms;

	ck_assert_int_eq(choose(WAIT), MOST);
	burst(500000, 5);
	ck_assert_int_eq(hold.pauses, 0);
	ck_assert_int_eq(choose(WAIT), MOST);
	/* 20 s after the first burst its jobs are needed yet. */
	now_ms += 20000;
	ck_assert_int_eq(hold_peak(&hold, choose(WAIT), now_ms, &wake_ms), 5);
	ck_assert_int_eq(wake_ms, now_ms + 40000);
	burst(80000, 5);
	ck_assert_int_eq(choose(0), MOST);
	ck_assert_int_eq(choose(WAIT), HOLD_MIN_MS);
}
END_TEST

START_TEST(long_pauses_are_not_held_through)
{
	burst(0, 5);
	for (int i = 0; i < 20; i++) {
		burst(300000, 5);
		ck_assert_int_eq(choose(WAIT), HOLD_MIN_MS);
	}
}
END_TEST

START_TEST(short_pauses_are)
{
	burst(0, 5);
	for (int i = 0; i < 8; i++) {
		burst(8000, 5);
		ck_assert_int_eq(choose(WAIT), MOST);
	}
	/* One hold in vain: what would have been enough for the others is enough. */
	burst(MOST + 1, 5);
	ck_assert_int_eq(choose(WAIT), 10000);
	/* Longer ones, too, where a job takes long to come. */
	burst(30000, 5);
	ck_assert_int_eq(choose(WAIT), 10000);
	ck_assert_int_eq(choose(600000), 37500);
	burst(50000, 5);
	ck_assert_int_eq(choose(600000), MOST);
}
END_TEST

START_TEST(what_is_missed_again_brings_the_hold_back)
{
	burst(0, 5);
	burst(300000, 5);
	ck_assert_int_eq(choose(WAIT), HOLD_MIN_MS);
	for (int i = 0; i < HOLD_PAUSES - 1; i++)
		burst(6000, 5);
	ck_assert_int_eq(choose(WAIT), 7500);
	burst(6000, 5);
	ck_assert_int_eq(choose(WAIT), MOST);
}
END_TEST

START_TEST(many_jobs_weigh_more)
{
	burst(0, 10);
	burst(300000, 10);
	now_ms += 10000;
	burst(0, 2);
	burst(8000, 2);
	/* One job was missed three times, nine once. */
	ck_assert_int_eq(choose(WAIT), HOLD_MIN_MS);
}
END_TEST

START_TEST(each_job_has_its_own_pause)
{
	burst(0, 5);
	burst(30000, 3);
	ck_assert_int_eq(hold.pauses, 1);
	ck_assert_int_eq(hold.pause[0].jobs, 2);
	ck_assert_int_eq(hold.pause[0].ms, 30000);
	burst(20000, 8);
	ck_assert_int_eq(hold.pauses, 3);
	ck_assert_int_eq(hold.pause[1].jobs, 2);
	ck_assert_int_eq(hold.pause[1].ms, 20000);
	/* The fourth and fifth were not needed for longer; the others never were. */
	ck_assert_int_eq(hold.pause[2].jobs, 2);
	ck_assert_int_eq(hold.pause[2].ms, 60000);
}
END_TEST

START_TEST(orders_and_waverings_teach_nothing)
{
	burst(0, 5);
	burst(HOLD_MIN_MS - 1, 5);
	ck_assert_int_eq(hold.pauses, 0);
	hold_observe(&hold, 5, false, now_ms + 30000);
	ck_assert_int_eq(hold.pauses, 0);
}
END_TEST

START_TEST(peaks)
{
	int64_t wake_ms;

	burst(0, 5);
	hold_observe(&hold, 3, true, now_ms + 1000);
	hold_observe(&hold, 2, true, now_ms + 4000);
	ck_assert_int_eq(hold_peak(&hold, 10000, now_ms + 5000, &wake_ms), 5);
	ck_assert_int_eq(wake_ms, now_ms + 10000);
	ck_assert_int_eq(hold_peak(&hold, 10000, now_ms + 10000, &wake_ms), 3);
	ck_assert_int_eq(wake_ms, now_ms + 14000);
	ck_assert_int_eq(hold_peak(&hold, 10000, now_ms + 14000, &wake_ms), 2);
	ck_assert_int_eq(wake_ms, INT64_MAX);
}
END_TEST

START_TEST(more_levels_than_fit)
{
	int64_t wake_ms;

	hold_observe(&hold, 100, true, now_ms);
	for (int i = 99; i > 50; i--)
		hold_observe(&hold, i, true, now_ms += 10);
	/* Too many rather than too few. */
	ck_assert_int_ge(hold_peak(&hold, 100, now_ms, &wake_ms), 60);
	ck_assert_int_eq(hold_peak(&hold, 100, now_ms + 101, &wake_ms), 51);
	hold_observe(&hold, 100, true, now_ms + 5000);
	ck_assert_int_eq(hold.levels, 0);
}
END_TEST

START_TEST(never_beyond_the_setting)
{
	burst(0, 5);
	burst(50000, 5);
	hold_choose(&hold, 1000, WAIT);
	ck_assert_int_eq(hold.ms, 1000);
	hold_choose(&hold, 0, WAIT);
	ck_assert_int_eq(hold.ms, 0);
}
END_TEST

START_TEST(a_restart_keeps_what_is_known)
{
	burst(0, 5);
	burst(300000, 5);
	hold_restart(&hold);
	ck_assert_int_eq(hold.pauses, 1);
	ck_assert_int_eq(hold.levels, 0);
	hold_observe(&hold, 5, true, now_ms + 50000);
	ck_assert_int_eq(hold.pauses, 1);
	ck_assert_int_eq(choose(WAIT), HOLD_MIN_MS);
}
END_TEST

START_TEST(for_a_person)
{
	char *text;

	choose(WAIT);
	text = hold_explain(&hold, MOST, WAIT);
	ck_assert_str_eq(text, "idle jobs are kept for 1 min, the limit of idle_hold");
	free(text);
	burst(0, 5);
	burst(300000, 5);
	choose(WAIT);
	text = hold_explain(&hold, MOST, WAIT);
	ck_assert_str_eq(text,
		"idle jobs are kept for 2.0 s, after 1 pause; a new job takes 40 s to start");
	free(text);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("hold");
	TCase *tcase = tcase_create("hold");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, the_setting_until_a_hold_was_in_vain);
	tcase_add_test(tcase, long_pauses_are_not_held_through);
	tcase_add_test(tcase, short_pauses_are);
	tcase_add_test(tcase, what_is_missed_again_brings_the_hold_back);
	tcase_add_test(tcase, many_jobs_weigh_more);
	tcase_add_test(tcase, each_job_has_its_own_pause);
	tcase_add_test(tcase, orders_and_waverings_teach_nothing);
	tcase_add_test(tcase, peaks);
	tcase_add_test(tcase, more_levels_than_fit);
	tcase_add_test(tcase, never_beyond_the_setting);
	tcase_add_test(tcase, a_restart_keeps_what_is_known);
	tcase_add_test(tcase, for_a_person);
	suite_add_tcase(suite, tcase);
	return suite;
}
