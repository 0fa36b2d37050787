/* check_handover.c: tests of daemon/policy/handover.c. */
#include "unit.h"

#include "daemon/policy/handover.h"

#define MINUTE 60000

START_TEST(lead_before_anything_is_known)
{
	struct handover_waits waits = {.count = 0};

	ck_assert_int_eq(handover_lead_ms(&waits, 0), 30000);
	ck_assert_int_eq(handover_lead_ms(&waits, 1000), 30000);
	ck_assert_int_eq(handover_lead_ms(&waits, 90000), 90000);
}
END_TEST

START_TEST(lead_of_the_longest)
{
	struct handover_waits waits = {.count = 0};

	handover_observe(&waits, 8000);
	ck_assert_int_eq(handover_lead_ms(&waits, 500000), 10000);
	handover_observe(&waits, 40000);
	handover_observe(&waits, 4000);
	ck_assert_int_eq(handover_lead_ms(&waits, 0), 50000);
	handover_observe(&waits, -5);
	ck_assert_int_eq(handover_lead_ms(&waits, 0), 50000);
}
END_TEST

START_TEST(shortest_wait)
{
	struct handover_waits waits = {.count = 0};

	ck_assert_int_eq(handover_shortest_ms(&waits), 0);
	handover_observe(&waits, 8000);
	ck_assert_int_eq(handover_shortest_ms(&waits), 8000);
	handover_observe(&waits, 3000);
	for (int i = 0; i < HANDOVER_WAITS - 1; i++) {
		handover_observe(&waits, 9000);
		ck_assert_int_eq(handover_shortest_ms(&waits), 3000);
	}
	handover_observe(&waits, 9000);
	ck_assert_int_eq(handover_shortest_ms(&waits), 9000);
}
END_TEST

START_TEST(usual_wait)
{
	struct handover_waits waits = {.count = 0};

	ck_assert_int_eq(handover_usual_ms(&waits), 0);
	handover_observe(&waits, 8000);
	handover_observe(&waits, 2000);
	ck_assert_int_eq(handover_usual_ms(&waits), 5000);
	for (int i = 0; i < HANDOVER_WAITS; i++)
		handover_observe(&waits, 1000);
	ck_assert_int_eq(handover_usual_ms(&waits), 1000);
}
END_TEST

START_TEST(lead_forgets)
{
	struct handover_waits waits = {.count = 0};

	handover_observe(&waits, 400000);
	for (int i = 0; i < HANDOVER_WAITS - 1; i++) {
		handover_observe(&waits, 4000);
		ck_assert_int_eq(handover_lead_ms(&waits, 0), 500000);
	}
	handover_observe(&waits, 4000);
	ck_assert_int_eq(handover_lead_ms(&waits, 0), 5000);
}
END_TEST

static struct handover_times times(
	int64_t walltime_min, int64_t lead_min, int64_t margin_min, int64_t longest_min)
{
	struct handover_times ret;

	handover_times(1000 * MINUTE, walltime_min * MINUTE, lead_min * MINUTE,
		margin_min * MINUTE, longest_min * MINUTE, &ret);
	return ret;
}

#define assert_before_end(times, request, drain, force)                        \
	do {                                                                   \
		ck_assert_int_eq(1000 * MINUTE - (times).request_ms, request); \
		ck_assert_int_eq(1000 * MINUTE - (times).drain_ms, drain);     \
		ck_assert_int_eq(1000 * MINUTE - (times).force_ms, force);     \
	} while (0)

START_TEST(times_of_a_job)
{
	struct handover_times t = times(90, 5, 2, 0);

	assert_before_end(t, 7 * MINUTE, 2 * MINUTE, MINUTE);
	/* A task that fits into the margin changes nothing. */
	t = times(90, 5, 8, 1);
	assert_before_end(t, 13 * MINUTE, 8 * MINUTE, 4 * MINUTE);
	/* A longer one that starts just before drain is done before force, and one behind it. */
	t = times(90, 5, 2, 8);
	assert_before_end(t, 24 * MINUTE, 19 * MINUTE, MINUTE);
}
END_TEST

START_TEST(nothing_before_the_middle)
{
	struct handover_times t = times(90, 600, 2, 0);

	assert_before_end(t, 45 * MINUTE, 2 * MINUTE, MINUTE);
	t = times(90, 5, 2, 36);
	assert_before_end(t, 45 * MINUTE, 45 * MINUTE, MINUTE);
	t = times(4, 5, 60, 0);
	assert_before_end(t, 2 * MINUTE, MINUTE, MINUTE / 2);
}
END_TEST

START_TEST(long_tasks_start_on_the_freshest_job)
{
	struct handover_times t = times(90, 5, 2, 40);

	assert_before_end(t, 51 * MINUTE, 51 * MINUTE, MINUTE);
	/* Which takes some, at least. */
	t = times(90, 5, 2, 68);
	assert_before_end(t, 75 * MINUTE, 75 * MINUTE, MINUTE);
}
END_TEST

START_TEST(a_task_that_fits_nowhere_is_not_waited_for)
{
	struct handover_times t = times(90, 5, 2, 71);

	assert_before_end(t, 7 * MINUTE, 2 * MINUTE, MINUTE);
}
END_TEST

START_TEST(always_in_order)
{
	for (int64_t walltime = 1; walltime < 3000; walltime = walltime * 2 + 1)
		for (int64_t lead = 0; lead < 3000; lead = lead * 3 + 1)
			for (int64_t margin = 0; margin < 3000; margin = margin * 3 + 1)
				for (int64_t longest = 0; longest < 300;
					longest = longest * 3 + 1) {
					struct handover_times t =
						times(walltime, lead, margin, longest);

					unit_require(t.request_ms <= t.drain_ms);
					unit_require(t.drain_ms <= t.force_ms);
					unit_require(t.force_ms <= 1000 * MINUTE);
					unit_require(t.request_ms >=
						1000 * MINUTE - walltime * MINUTE * 5 / 6);
					unit_require(longest > walltime * 2 / 5 ||
						t.request_ms >=
							1000 * MINUTE - walltime * MINUTE / 2);
				}
}
END_TEST

/* A job of an hour that waited at 1,000 s and ran at 1,060 s, and ends from 4,600 s to 4,660 s. */
static const struct {
	int64_t told_s, waited_s, end_s;
} ends[] = {
	{4620, 1000, 4620},					      /* the clocks agree */
	{4600, 1000, 4600}, {4660, 1000, 4660}, {4800, 1000, 4660},   /* this host's is slow */
	{8220, 1000, 4660}, {400000, 1000, 4660}, {4400, 1000, 4600}, /* it is fast */
	{1020, 1000, 4600}, {-400000, 1000, 4600}, {4400, 0, 4400},   /* nobody saw it wait */
	{8220, 0, 4660}, {4400, 1061, 4400}, /* it ran before, and was requeued */
};

START_TEST(end_by_two_clocks)
{
	int64_t end_ms = handover_end_ms(
		ends[_i].told_s * 1000, 3600000, ends[_i].waited_s * 1000, 1060000);

	ck_assert_int_eq(end_ms, ends[_i].end_s * 1000);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("handover");
	TCase *tcase = tcase_create("handover");

	tcase_add_test(tcase, lead_before_anything_is_known);
	tcase_add_test(tcase, lead_of_the_longest);
	tcase_add_test(tcase, shortest_wait);
	tcase_add_test(tcase, usual_wait);
	tcase_add_test(tcase, lead_forgets);
	tcase_add_test(tcase, times_of_a_job);
	tcase_add_test(tcase, nothing_before_the_middle);
	tcase_add_test(tcase, long_tasks_start_on_the_freshest_job);
	tcase_add_test(tcase, a_task_that_fits_nowhere_is_not_waited_for);
	tcase_add_test(tcase, always_in_order);
	tcase_add_loop_test(tcase, end_by_two_clocks, 0, LENGTH(ends));
	suite_add_tcase(suite, tcase);
	return suite;
}
