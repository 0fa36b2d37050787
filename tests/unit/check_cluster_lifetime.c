/* check_cluster_lifetime.c: tests of daemon/cluster/lifetime.c: when jobs end. */
#include "unit.h"

#include <stdlib.h>
#include <time.h>

#include "daemon/cluster/jobs.h"
#include "daemon/cluster/lifetime.h"
#include "daemon/io/loop.h"
#include "jobs_fixture.h"

#define HOUR_S 3600

/* A job that Slurm says runs, by a clock that is ahead of ours by so many seconds. */
static struct job *job_begun(int64_t age_s, int64_t ahead_s)
{
	struct job *job = job_in(PHASE_PENDING);
	struct slurm_job said = report(job->job_id, STATE_RUNNING);

	job->waited_ms = 0; /* nobody saw it wait */
	said.start_time = time(NULL) + ahead_s - age_s;
	said.end_time = said.start_time + HOUR_S;
	jobs_apply(jobs, job, &said);
	return job;
}

static int64_t left_s(const struct job *job)
{
	return (cluster_job_end_ms(job) - loop_now_ms() + 500) / 1000;
}

static void assert_near(int64_t seconds, int64_t expected)
{
	ck_assert_int_ge(seconds, expected - 2);
	ck_assert_int_le(seconds, expected);
}

START_TEST(ends_when_slurm_says)
{
	ck_assert(cluster_job_end_ms(job_in(PHASE_PENDING)) == INT64_MAX);
	next_id++;
	assert_near(left_s(job_begun(0, 0)), HOUR_S);
	next_id++;
	assert_near(left_s(job_begun(600, 0)), HOUR_S - 600); /* seen late */
}
END_TEST

START_TEST(the_clock_of_slurm_is_ahead)
{
	struct job *job = job_begun(0, 240);
	struct slurm_job said = report(job->job_id, STATE_RUNNING);

	assert_near(left_s(job), HOUR_S);
	/* An administrator gives it less time. */
	said.start_time = job->start_time;
	said.end_time = job->start_time + HOUR_S / 2;
	jobs_apply(jobs, job, &said);
	assert_near(left_s(job), HOUR_S / 2);
}
END_TEST

/* This host's clock is fast, or Slurm's is slow: the job lives its walltime nevertheless. */
START_TEST(the_clock_of_slurm_is_behind)
{
	static const int64_t behind_s[] = {240, HOUR_S, 72 * HOUR_S};
	struct job *job = job_in(PHASE_PENDING);
	struct slurm_job said = report(job->job_id, STATE_PENDING);

	job->seen_ms = loop_now_ms() - 10000;
	jobs_apply(jobs, job, &said);
	said = report(job->job_id, STATE_RUNNING);
	said.start_time = time(NULL) - behind_s[_i];
	said.end_time = said.start_time + HOUR_S;
	job->seen_ms = loop_now_ms();
	jobs_apply(jobs, job, &said);
	assert_near(left_s(job), HOUR_S - 10);
	ck_assert_int_le(cluster_job_time(job), said.start_time + 11);
	ck_assert_int_ge(cluster_job_time(job), said.start_time + 9);
}
END_TEST

START_TEST(the_time_of_slurm)
{
	struct job *job = job_begun(100, 240);

	ck_assert_int_le(labs(cluster_job_time(job) - job->start_time), 2);
	next_id++;
	job = job_in(PHASE_PENDING);
	ck_assert_int_le(labs(cluster_job_time(job) - time(NULL)), 1);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("cluster_lifetime");
	TCase *tests = tcase_create("cluster_lifetime");

	tcase_add_checked_fixture(tests, jobs_setup, jobs_teardown);
	tcase_add_test(tests, ends_when_slurm_says);
	tcase_add_test(tests, the_clock_of_slurm_is_ahead);
	tcase_add_loop_test(tests, the_clock_of_slurm_is_behind, 0, 3);
	tcase_add_test(tests, the_time_of_slurm);
	suite_add_tcase(suite, tests);
	return suite;
}
