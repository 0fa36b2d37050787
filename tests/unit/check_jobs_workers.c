/* check_jobs_workers.c: tests of daemon/cluster/jobs.c: workers, and the jobs that they belong
 * to by name. */
#include "unit.h"

#include "jobs_fixture.h"

START_TEST(ready_when_all_workers_are_there)
{
	struct job *job = job_in(PHASE_STARTING);

	jobs_worker_added(jobs, "draco-42-0", "tcp://n1:1", 1);
	ck_assert_int_eq(job->phase, PHASE_STARTING);
	ck_assert_int_eq(job->connected, 1);
	ck_assert(job->was_connected);
	jobs_worker_added(jobs, "draco-42-1", "tcp://n1:2", 1);
	ck_assert_int_eq(job->phase, PHASE_READY);
	ck_assert_int_eq(job->connected, 2);
	/* A worker that dies is started again by its nanny: the job stays READY. */
	jobs_worker_removed(jobs, "tcp://n1:1", false);
	ck_assert_int_eq(job->phase, PHASE_READY);
	ck_assert_int_eq(job->connected, 1);
	ck_assert_int_gt(job->short_since_ms, 0);
	jobs_worker_added(jobs, "draco-42-0", "tcp://n1:3", 1);
	ck_assert_int_eq(job->connected, 2);
	ck_assert_int_eq(job->short_since_ms, 0);
}
END_TEST

/* Restarts that a client asks for are none of the deaths that speak against forkserver. */
START_TEST(early_deaths)
{
	struct job *job = job_in(PHASE_READY);

	jobs_worker_removed(jobs, "tcp://n1:1", true);
	ck_assert_int_eq(job->connected, 1);
	ck_assert_int_eq(job->early_deaths, 0);
	jobs_worker_removed(jobs, "tcp://n1:2", false);
	ck_assert_int_eq(job->early_deaths, 1);
}
END_TEST

/* Dask can see a job run before Slurm was asked again. */
START_TEST(workers_before_the_report)
{
	struct job *job = job_in(_i ? PHASE_PENDING : PHASE_SUBMITTED);

	jobs_worker_added(jobs, "draco-42-1", "tcp://n1:2", 1);
	ck_assert_int_eq(job->phase, PHASE_STARTING);
	jobs_worker_added(jobs, "draco-42-0", "tcp://n1:1", 1);
	ck_assert_int_eq(job->phase, PHASE_READY);
	apply(job, STATE_RUNNING);
	ck_assert_int_eq(job->phase, PHASE_READY);
}
END_TEST

/* An answer that was asked for before the workers came says nothing of a requeue. */
START_TEST(workers_while_slurm_is_asked)
{
	struct job *job = job_in(PHASE_PENDING);
	struct slurm_job said = report(job->job_id, STATE_PENDING);

	jobs_worker_added(jobs, "draco-42-0", "tcp://n1:1", 1);
	job->seen_ms = job->running_since_ms - 1;
	jobs_apply(jobs, job, &said);
	ck_assert_int_eq(job->phase, PHASE_STARTING);
	apply(job, STATE_PENDING);
	ck_assert_int_eq(job->phase, PHASE_PENDING);
}
END_TEST

/* Slurm's answer to the submission can come after the workers that it led to, or be lost at
 * first. */
START_TEST(workers_before_the_id)
{
	struct job *first = jobs_add(jobs, "tag", 0, &settings);
	struct job *second = jobs_add(jobs, "tag", 1, &settings);
	const struct worker *worker;

	jobs_worker_added(jobs, "draco-42_1-0", "tcp://n1:1", 1);
	jobs_worker_added(jobs, "draco-42_0-0", "tcp://n1:2", 1);
	jobs_worker_added(jobs, "draco-42_0-1", "tcp://n1:3", 1);
	jobs_worker_added(jobs, "draco-43_0-1", "tcp://n1:4", 1);
	ck_assert_int_eq(first->phase, PHASE_NEW);
	jobs_set_id(jobs, first, 42, 0);
	ck_assert_int_eq(first->connected, 2);
	ck_assert(first->was_connected);
	ck_assert_int_eq(first->phase, PHASE_READY);
	jobs_set_id(jobs, second, 42, 1);
	ck_assert_int_eq(second->connected, 1);
	ck_assert_int_eq(second->phase, PHASE_STARTING);
	worker = TAILQ_FIRST(jobs_workers(jobs));
	ck_assert_ptr_eq(worker->job, second);
	ck_assert_ptr_null(TAILQ_LAST(jobs_workers(jobs), worker_list)->job);
	jobs_worker_removed(jobs, "tcp://n1:1", false);
	ck_assert_int_eq(second->connected, 0);
}
END_TEST

static const char *const strangers[] = {"", "tcp://n1:7", "0", "worker-42-0", "draco-43-0",
	"draco-4-0", "draco-421-0", "draco-42_0-0", "draco-42x-0", "draco--42-0", "draco-",
	"draco", "Draco-42-0", "draco-42-", "draco-42-x", "draco-42-0-1", "draco-42-0 "};

/* A worker with any other name is counted, but is none of the job's. */
START_TEST(stranger)
{
	struct job *job = job_in(PHASE_PENDING);
	const struct worker *worker;

	jobs_worker_added(jobs, strangers[_i], "tcp://n9:9", 1);
	worker = TAILQ_FIRST(jobs_workers(jobs));
	ck_assert_ptr_nonnull(worker);
	ck_assert_str_eq(worker->name, strangers[_i]);
	ck_assert_str_eq(worker->address, "tcp://n9:9");
	ck_assert_ptr_null(worker->job);
	ck_assert_int_eq(job->phase, PHASE_PENDING);
	ck_assert_int_eq(job->connected, 0);
	ck_assert_int_eq(jobs_count(jobs).connected, 1);
	jobs_worker_removed(jobs, "tcp://n9:9", false);
	ck_assert_int_eq(jobs_count(jobs).connected, 0);
}
END_TEST

/* With one worker in a job its name has no number. */
START_TEST(single_worker)
{
	struct job *job;

	settings.processes = 1;
	job = job_in(PHASE_STARTING);
	jobs_worker_added(jobs, "draco-42", "tcp://n1:1", 1);
	ck_assert_int_eq(job->phase, PHASE_READY);
}
END_TEST

START_TEST(same_address_again)
{
	struct job *job = job_in(PHASE_READY);

	jobs_worker_added(jobs, "draco-42-0", "tcp://n1:1", 1);
	ck_assert_int_eq(job->connected, 2);
	ck_assert_int_eq(jobs_count(jobs).connected, 2);
	jobs_worker_added(jobs, "other", "tcp://n1:1", 1);
	ck_assert_int_eq(job->connected, 1);
	ck_assert_int_eq(jobs_count(jobs).connected, 2);
	changes = 0;
	jobs_worker_removed(jobs, "tcp://n1:99", false);
	ck_assert_int_eq(changes, 0);
	ck_assert_int_eq(jobs_count(jobs).connected, 2);
}
END_TEST

START_TEST(workers_of_a_job_that_is_gone)
{
	struct job *job = job_in(PHASE_READY);
	struct worker *worker;

	apply(job, STATE_NODE_FAIL);
	ck_assert_int_eq(job->connected, 0);
	TAILQ_FOREACH (worker, jobs_workers(jobs), link)
		ck_assert_ptr_null(worker->job);
	jobs_worker_removed(jobs, "tcp://n1:1", false);
	ck_assert_int_eq(job->connected, 0);
	jobs_worker_added(jobs, "draco-42-0", "tcp://n1:5", 1);
	ck_assert_int_eq(job->connected, 0);
	ck_assert_int_eq(job->phase, PHASE_GONE);
}
END_TEST

START_TEST(scheduler_gone)
{
	struct job *job = job_in(PHASE_READY);

	jobs_workers_clear(jobs, true);
	ck_assert(TAILQ_EMPTY(jobs_workers(jobs)));
	ck_assert_int_eq(job->connected, 0);
	ck_assert_int_eq(job->phase, PHASE_READY);
	ck_assert(job->was_connected);
	/* Its workers leave by themselves, so it is watched. */
	ck_assert(job->abandoned);
	ck_assert_int_eq(jobs_count(jobs).unsettled, 1);
	jobs_workers_clear(jobs, true);
	ck_assert(job->abandoned);
	jobs_worker_added(jobs, "draco-42-0", "tcp://n1:1", 1);
	ck_assert_int_eq(job->connected, 1);
	ck_assert(!job->abandoned);
	ck_assert_int_eq(jobs_count(jobs).unsettled, 0);
}
END_TEST

/* A job without workers yet waits for its scheduler, until that is gone. */
START_TEST(scheduler_of_a_job_that_starts)
{
	struct job *job = job_in(PHASE_STARTING);

	job->connected = 0;
	jobs_workers_clear(jobs, false);
	ck_assert(!job->abandoned);
	jobs_workers_clear(jobs, true);
	ck_assert(job->abandoned);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("jobs: workers");
	TCase *tcase = tcase_create("workers");

	tcase_add_checked_fixture(tcase, jobs_setup, jobs_teardown);
	tcase_add_test(tcase, ready_when_all_workers_are_there);
	tcase_add_loop_test(tcase, workers_before_the_report, 0, 2);
	tcase_add_test(tcase, early_deaths);
	tcase_add_test(tcase, workers_while_slurm_is_asked);
	tcase_add_test(tcase, workers_before_the_id);
	tcase_add_loop_test(tcase, stranger, 0, LENGTH(strangers));
	tcase_add_test(tcase, single_worker);
	tcase_add_test(tcase, same_address_again);
	tcase_add_test(tcase, workers_of_a_job_that_is_gone);
	tcase_add_test(tcase, scheduler_gone);
	tcase_add_test(tcase, scheduler_of_a_job_that_starts);
	suite_add_tcase(suite, tcase);
	return suite;
}
