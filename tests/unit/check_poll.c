/* check_poll.c: tests of daemon/slurm/poll.c: when the queue is read again. */
#include "unit.h"

#include "daemon/slurm/poll.h"

static const struct {
	struct poll_facts facts; /* unsettled, calm_ms, failures, interval_ms, pace */
	int64_t delay_ms;
} rows[] = {
	/* soon after a change often, then less and less, at last as often as the setting says */
	{{true, 0, 0, 5000, POLL_USUAL}, 500},
	{{true, 1999, 0, 5000, POLL_USUAL}, 500},
	{{true, 2000, 0, 5000, POLL_USUAL}, 500},
	{{true, 4000, 0, 5000, POLL_USUAL}, 1000},
	{{true, 10000, 0, 5000, POLL_USUAL}, 2500},
	{{true, 19996, 0, 5000, POLL_USUAL}, 4999},
	{{true, 20000, 0, 5000, POLL_USUAL}, 5000},
	{{true, 20004, 0, 5000, POLL_USUAL}, 5000},
	{{true, 75000, 0, 5000, POLL_USUAL}, 5000},
	/* after minutes without a change less often, at last as if nothing were expected */
	{{true, 300000, 0, 5000, POLL_USUAL}, 20000},
	{{true, 450000, 0, 5000, POLL_USUAL}, 30000},
	{{true, INT64_MAX, 0, 5000, POLL_USUAL}, 30000},
	/* never more often than the setting says */
	{{true, 0, 0, 500, POLL_USUAL}, 500},
	{{true, 7500, 0, 500, POLL_USUAL}, 500},
	{{true, 0, 0, 60000, POLL_USUAL}, 500},
	/* nobody waits for new jobs of a cluster that runs, and their workers report themselves */
	{{true, 0, 0, 5000, POLL_GROWING}, 4000},
	{{true, 10000, 0, 5000, POLL_GROWING}, 4000},
	{{true, 20000, 0, 5000, POLL_GROWING}, 5000},
	{{true, 0, 0, 500, POLL_GROWING}, 500},
	{{true, 300000, 0, 5000, POLL_GROWING}, 20000},
	{{false, 0, 0, 5000, POLL_GROWING}, 30000},
	/* somebody waits for the end of all jobs */
	{{true, 0, 0, 5000, POLL_STOPPING}, 200},
	{{true, 1000, 0, 5000, POLL_STOPPING}, 250},
	{{true, 10000, 0, 5000, POLL_STOPPING}, 2500},
	{{true, 20000, 0, 5000, POLL_STOPPING}, 5000},
	/* nothing is expected to change */
	{{false, 0, 0, 5000, POLL_USUAL}, 30000},
	{{false, 1000000, 0, 5000, POLL_USUAL}, 30000},
	{{false, 0, 0, 500, POLL_USUAL}, 3000},
	{{false, 0, 0, INT64_C(31622400000), POLL_USUAL}, INT64_C(189734400000)},
	/* Slurm does not answer: longer waits, whatever else, up to a minute */
	{{true, 0, 1, 5000, POLL_USUAL}, 1000},
	{{false, 0, 1, 5000, POLL_USUAL}, 1000},
	{{true, 0, 2, 5000, POLL_USUAL}, 2000},
	{{true, 0, 3, 5000, POLL_USUAL}, 4000},
	{{true, 0, 6, 5000, POLL_USUAL}, 32000},
	{{true, 0, 7, 5000, POLL_USUAL}, 60000},
	{{true, 0, 8, 5000, POLL_USUAL}, 60000},
	{{true, 0, 1000000, 5000, POLL_USUAL}, 60000},
	{{true, 0, INT32_MAX, 500, POLL_USUAL}, 60000},
};

START_TEST(delay)
{
	ck_assert_int_eq(poll_delay_ms(&rows[_i].facts), rows[_i].delay_ms);
}
END_TEST

/* Over all of them: it never grows less with calm or failures, and a job that is on its way is
 * never asked for less often than one that is not. */
START_TEST(grows)
{
	static const int64_t intervals[] = {500, 501, 5000, 60000, 3600000};

	for (size_t i = 0; i < LENGTH(intervals); i++) {
		struct poll_facts facts = {.unsettled = true, .interval_ms = intervals[i]};
		int64_t last = 0, settled;

		facts.unsettled = false;
		settled = poll_delay_ms(&facts);
		facts.unsettled = true;
		for (; facts.calm_ms < 100000000; facts.calm_ms += 1 + facts.calm_ms / 3) {
			int64_t now = poll_delay_ms(&facts);

			ck_assert_int_ge(now, last);
			ck_assert_int_ge(now, 500);
			ck_assert_int_le(now, settled);
			last = now;
		}
		last = 0;
		for (facts.failures = 1; facts.failures < 100; facts.failures++) {
			int64_t now = poll_delay_ms(&facts);

			ck_assert_int_ge(now, last);
			ck_assert_int_le(now, 60000);
			last = now;
		}
	}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("poll");
	TCase *tcase = tcase_create("poll");

	tcase_add_loop_test(tcase, delay, 0, LENGTH(rows));
	tcase_add_test(tcase, grows);
	suite_add_tcase(suite, tcase);
	return suite;
}
