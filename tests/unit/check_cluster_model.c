/* check_cluster_model.c: tests of daemon/cluster/model.c: when it reconciles. */
#include "unit.h"

#include "cluster_fixture.h"
#include "daemon/io/loop.h"

#define HOUR_MS 3600000

static void on_reconcile(void *arg)
{
	(void)arg;
	loop_exit(cluster.loop);
}

static void setup(void)
{
	cluster_setup();
	loop_timer_destroy(cluster.reconcile);
	cluster.reconcile = loop_timer_create(cluster.loop, on_reconcile, NULL);
}

START_TEST(the_earlier_time_counts)
{
	cluster_wake(&cluster, 0);
	cluster_wake(&cluster, HOUR_MS);
	loop_run(cluster.loop);
	cluster_wake(&cluster, HOUR_MS);
	cluster_wake(&cluster, 0);
	loop_run(cluster.loop);
}
END_TEST

/* The clock has gone on meanwhile, and the timer has not. */
START_TEST(after_the_host_was_suspended)
{
	cluster_wake(&cluster, HOUR_MS);
	cluster.wake_ms -= 2 * HOUR_MS;
	cluster_wake(&cluster, _i ? HOUR_MS : 0);
	loop_run(cluster.loop);
}
END_TEST

START_TEST(a_reconcile_is_late)
{
	ck_assert(!cluster_is_late(&cluster));
	cluster_wake(&cluster, 0);
	ck_assert(!cluster_is_late(&cluster));
	cluster.wake_ms -= HOUR_MS;
	ck_assert(cluster_is_late(&cluster));
	loop_run(cluster.loop);
	ck_assert(!cluster_is_late(&cluster));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("cluster");
	TCase *tests = tcase_create("cluster");

	tcase_add_checked_fixture(tests, setup, cluster_teardown);
	tcase_add_test(tests, the_earlier_time_counts);
	tcase_add_test(tests, a_reconcile_is_late);
	tcase_add_loop_test(tests, after_the_host_was_suspended, 0, 2);
	suite_add_tcase(suite, tests);
	return suite;
}
