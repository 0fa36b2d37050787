/* check_cluster_full.c: tests of daemon/cluster/full.c. */
#include "unit.h"

#include "cluster_fixture.h"
#include "daemon/cluster/full.h"

static void look(void)
{
	cluster_check_full(&cluster);
}

/* As if it had lasted for long. */
static void wait_long(void)
{
	look();
	ck_assert_int_gt(cluster.size.full_since_ms, 0);
	cluster.size.full_since_ms -= 10000;
	look();
}

static void load(int64_t paused, int64_t ready, int64_t percent)
{
	cluster.size.demand = (struct demand){
		.known = true, .paused = paused, .ready = ready, .pause_percent = percent};
}

START_TEST(all_are_paused)
{
	job_in(PHASE_READY); /* of two workers */
	load(2, 5, 80);
	ck_assert_int_ne(planned_by(cluster_check_full), INT64_MAX);
	ck_assert_uint_eq(cluster.notices.count, 0);
	wait_long();
	ck_assert_uint_eq(cluster.notices.count, 1);
	ck_assert_ptr_nonnull(strstr(
		cluster.notices.item[0].text, "2 of 2 workers are paused: memory above 80 %"));
	ck_assert_int_eq(cluster.size.limits.full_workers, 2);
	look();
	ck_assert_uint_eq(cluster.notices.count, 1);
	load(1, 5, 80);
	look();
	ck_assert_uint_eq(cluster.notices.count, 0);
	ck_assert_int_eq(cluster.size.limits.full_workers, 0);
}
END_TEST

START_TEST(nobody_waits)
{
	job_in(PHASE_READY);
	load(2, 0, 80);
	look();
	ck_assert_int_eq(cluster.size.full_since_ms, 0);
}
END_TEST

START_TEST(the_share_is_not_known)
{
	job_in(PHASE_READY);
	load(2, 1, 0);
	wait_long();
	ck_assert_ptr_nonnull(strstr(
		cluster.notices.item[0].text, "2 of 2 workers are paused: memory is full;"));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("cluster_full");
	TCase *tcase = tcase_create("cluster_full");

	tcase_add_checked_fixture(tcase, cluster_setup, cluster_teardown);
	tcase_add_test(tcase, all_are_paused);
	tcase_add_test(tcase, nobody_waits);
	tcase_add_test(tcase, the_share_is_not_known);
	suite_add_tcase(suite, tcase);
	return suite;
}
