/* check_cluster_failure.c: tests of daemon/cluster/failure.c: a cluster of which only that and
 * its jobs are there. */
#include "unit.h"

#include "cluster_fixture.h"
#include "common/alloc.h"
#include "common/strv.h"
#include "daemon/cluster/failure.h"
#include "daemon/cluster/hand.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/overdue.h"
#include "daemon/io/loop.h"

static void job_fails(struct job *job)
{
	bool young = cluster_job_is_young(job);

	apply(job, STATE_FAILED);
	cluster_job_lost(&cluster, job, young, false);
}

/* So many jobs have failed on n1, some seconds apart, the last at at_ms. */
static void blame(int times, int64_t at_ms)
{
	for (int i = 1; i <= times; i++) {
		int64_t when_ms = at_ms - (times - i) * 1000;

		bad_nodes_blame(&cluster.nodes, "n1", when_ms, when_ms);
	}
}

static bool is_excluded(void)
{
	return bad_nodes_excluded_until_ms(&cluster.nodes, "n1", loop_now_ms()) > 0;
}

START_TEST(a_node_is_excluded)
{
	blame(BAD_NODE_FAILURES - 1, loop_now_ms() - 10000);
	job_fails(job_in(PHASE_STARTING));
	ck_assert(is_excluded());
	ck_assert_uint_eq(cluster.notices.count, 1);
	ck_assert_int_eq(cluster.failures.jobs.in_a_row, 1);
}
END_TEST

START_TEST(not_the_one_that_jobs_must_use)
{
	strv_add(&cluster.request.settings.directives, "nodelist=n1");
	blame(BAD_NODE_FAILURES - 1, loop_now_ms() - 10000);
	job_fails(job_in(PHASE_STARTING));
	ck_assert(!is_excluded());
	ck_assert_uint_eq(cluster.notices.count, 0);
	ck_assert_int_eq(cluster.failures.jobs.in_a_row, 1);
}
END_TEST

START_TEST(submitted_before_the_exclusion)
{
	struct job *job = job_in(PHASE_STARTING);

	job->known_ms -= 20000;
	blame(BAD_NODE_FAILURES, loop_now_ms() - 10000);
	job_fails(job);
	ck_assert_int_eq(cluster.failures.jobs.in_a_row, 0);
	ck_assert_int_eq(cluster.hold_until_ms, 0);
}
END_TEST

/* The exclusion does not help: each one would be replaced at once, for ever. */
START_TEST(submitted_in_spite_of_the_exclusion)
{
	blame(BAD_NODE_FAILURES, loop_now_ms() - 10000);
	job_fails(job_in(PHASE_STARTING));
	ck_assert_int_eq(cluster.failures.jobs.in_a_row, 1);
	ck_assert_int_gt(cluster.hold_until_ms, loop_now_ms());
}
END_TEST

static void stop_asking(void)
{
	err_set(&cluster.failures.reason, -EIO, "too many failures");
	cluster_pause(&cluster, "too many failures");
}

START_TEST(fails_when_no_job_is_left)
{
	struct job *job = job_in(PHASE_READY);

	stop_asking();
	cluster_check_workers_come(&cluster);
	ck_assert_int_eq(cluster.state, CLUSTER_RUNNING);
	apply(job, STATE_COMPLETED);
	cluster_check_workers_come(&cluster);
	ck_assert_int_eq(cluster.state, CLUSTER_STOPPING);
	unit_assert_err(&cluster.failure, -EIO, "too many failures");
}
END_TEST

static const enum job_phase leaving[] = {PHASE_DRAINING, PHASE_RETIRING};

START_TEST(one_that_leaves_may_finish)
{
	struct job *job = job_in(leaving[_i]);

	stop_asking();
	cluster_check_workers_come(&cluster);
	ck_assert_int_eq(cluster.state, CLUSTER_RUNNING);
	apply(job, STATE_COMPLETED);
	cluster_check_workers_come(&cluster);
	ck_assert_int_eq(cluster.state, CLUSTER_STOPPING);
}
END_TEST

START_TEST(one_that_leaves_may_finish_at_the_last_failure)
{
	job_in(leaving[_i]);
	next_id++;
	cluster.request.settings.failure_limit = 1;
	job_fails(job_in(PHASE_STARTING));
	ck_assert_int_eq(cluster.state, CLUSTER_RUNNING);
	ck_assert_ptr_nonnull(cluster.size.paused);
	cluster_resume(&cluster);
	ck_assert_int_eq(cluster.failures.jobs.in_a_row, 0);
	ck_assert_int_eq(cluster.failures.reason.code, 0);
}
END_TEST

/* A job that was READY, and of which only so many workers are left, for longer than
 * worker_timeout. */
static struct job *job_with(int64_t workers)
{
	struct job *job = job_in(PHASE_READY);

	if (workers < 2)
		jobs_worker_removed(jobs, "tcp://n1:1", false);
	if (workers < 1)
		jobs_worker_removed(jobs, "tcp://n1:2", false);
	ck_assert_int_eq(job->connected, workers);
	cluster_check_workers_come(&cluster);
	ck_assert_int_eq(job->phase, PHASE_READY);
	cluster.request.settings.worker_timeout_ms = 0;
	return job;
}

START_TEST(all_workers_have_gone)
{
	struct job *job = job_with(0);

	if (_i)
		job->ready_since_ms -= 2 * JOB_YOUNG_MS;
	cluster_check_workers_come(&cluster);
	ck_assert_int_eq(job->phase, PHASE_ENDING);
	ck_assert_int_eq(cluster.failures.jobs.in_a_row, _i ? 0 : 1);
	ck_assert_uint_eq(cluster.nodes.count, 1);
}
END_TEST

START_TEST(all_workers_have_gone_with_their_scheduler)
{
	struct job *job = job_in(PHASE_READY);

	jobs_workers_clear(jobs, true);
	cluster.request.settings.worker_timeout_ms = 0;
	cluster_check_workers_come(&cluster);
	ck_assert_int_eq(job->phase, PHASE_ENDING);
	ck_assert_int_eq(cluster.failures.jobs.in_a_row, 0);
	ck_assert_uint_eq(cluster.nodes.count, 0);
}
END_TEST

START_TEST(some_workers_have_gone)
{
	struct job *job = job_with(1);

	ck_assert(!job->short_told);
	cluster_check_workers_come(&cluster);
	ck_assert(job->short_told);
	ck_assert_int_eq(job->phase, PHASE_READY);
	jobs_worker_added(jobs, "draco-42-0", "tcp://n1:5", 1);
	ck_assert(!job->short_told);
}
END_TEST

START_TEST(some_workers_never_come)
{
	struct job *job = job_in(PHASE_SUBMITTED);

	job->processes = 2;
	apply(job, STATE_RUNNING);
	jobs_worker_added(jobs, "draco-42-0", "tcp://n1:1", 1);
	ck_assert_int_le(planned_by(cluster_check_workers_come),
		job->came_ms + cluster.request.settings.worker_timeout_ms);
	ck_assert_int_eq(job->phase, PHASE_STARTING);
	ck_assert_int_eq(jobs_count(jobs).given_up, 0);
	cluster.request.settings.worker_timeout_ms = 0;
	cluster_check_workers_come(&cluster);
	ck_assert_int_eq(job->phase, PHASE_READY);
	ck_assert(job->short_told);
	ck_assert_int_eq(jobs_count(jobs).given_up, 1);
	jobs_worker_removed(jobs, "tcp://n1:1", false);
	ck_assert_int_eq(jobs_count(jobs).given_up, 0);
	/* Requeued, it begins anew. */
	apply(job, STATE_PENDING);
	ck_assert(!job->short_told);
	ck_assert_int_eq(jobs_count(jobs).given_up, 0);
}
END_TEST

START_TEST(a_held_job_is_told_and_ended)
{
	struct slurm_job said = report(next_id, STATE_PENDING);
	struct job *job = job_in(PHASE_PENDING);

	said.reason = UNCONST("JobHeldAdmin");
	jobs_apply(jobs, job, &said);
	ck_assert_int_gt(planned_by(cluster_check_held), loop_now_ms());
	ck_assert(job->held_told);
	ck_assert_int_eq(job->phase, PHASE_PENDING);
	cluster.request.settings.wait_timeout_ms = 0;
	/* Somebody releases it. */
	if (_i == 1)
		apply(job, STATE_PENDING);
	if (_i == 2)
		cluster_pause(&cluster, "for a test");
	ck_assert_int_eq(planned_by(cluster_check_held), INT64_MAX);
	ck_assert_int_eq(job->phase, _i ? PHASE_PENDING : PHASE_ENDING);
	ck_assert_int_eq(cluster.failures.jobs.in_a_row, _i ? 0 : 1);
	ck_assert_int_eq(job->held_told, _i != 1);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("cluster_failure");
	TCase *tests = tcase_create("cluster_failure");

	tcase_add_checked_fixture(tests, cluster_setup, cluster_teardown);
	tcase_add_test(tests, a_node_is_excluded);
	tcase_add_test(tests, not_the_one_that_jobs_must_use);
	tcase_add_test(tests, submitted_before_the_exclusion);
	tcase_add_test(tests, submitted_in_spite_of_the_exclusion);
	tcase_add_test(tests, fails_when_no_job_is_left);
	tcase_add_loop_test(tests, one_that_leaves_may_finish, 0, LENGTH(leaving));
	tcase_add_loop_test(
		tests, one_that_leaves_may_finish_at_the_last_failure, 0, LENGTH(leaving));
	tcase_add_loop_test(tests, all_workers_have_gone, 0, 2);
	tcase_add_test(tests, all_workers_have_gone_with_their_scheduler);
	tcase_add_test(tests, some_workers_have_gone);
	tcase_add_test(tests, some_workers_never_come);
	tcase_add_loop_test(tests, a_held_job_is_told_and_ended, 0, 3);
	suite_add_tcase(suite, tests);
	return suite;
}
