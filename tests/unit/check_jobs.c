/* check_jobs.c: tests of daemon/cluster/jobs.c: phases by what Slurm reports. */
#include "unit.h"

#include <signal.h>

#include "common/alloc.h"
#include "daemon/io/loop.h"
#include "jobs_fixture.h"

START_TEST(new_job)
{
	struct job *job;

	settings.memory_mib = 2048;
	settings.walltime_s = 3600;
	job = jobs_add(jobs, "tag", 7, &settings);
	ck_assert_int_eq(changes, 1);
	ck_assert_int_eq(job->phase, PHASE_NEW);
	ck_assert_str_eq(job->tag, "tag");
	ck_assert_int_eq(job->index, 7);
	ck_assert_uint_eq(job->job_id, 0);
	ck_assert_int_eq(job->task, SLURM_NO_TASK);
	ck_assert_str_eq(job->id, "");
	ck_assert_int_eq(job->processes, 2);
	ck_assert_int_eq(job->cores, 4);
	ck_assert_int_eq(job->memory_mib, 2048);
	ck_assert_int_eq(job->walltime_s, 3600);
	ck_assert_ptr_null(job->end_text);
	ck_assert_ptr_eq(TAILQ_FIRST(jobs_list(jobs)), job);
	ck_assert_ptr_null(
		jobs_find(jobs, 0, SLURM_NO_TASK, "tag")); /* it has no id to be found by */
	ck_assert_ptr_null(jobs_find_id(jobs, ""));
}
END_TEST

START_TEST(job_with_id)
{
	int64_t before = loop_now_ms();
	struct job *job = job_in(PHASE_SUBMITTED);

	ck_assert_int_eq(job->phase, PHASE_SUBMITTED);
	ck_assert_uint_eq(job->job_id, 42);
	ck_assert_str_eq(job->id, "42");
	ck_assert_int_ge(job->known_ms, before);
	ck_assert_int_ge(job->phase_since_ms, before);
	ck_assert_int_le(job->phase_since_ms, loop_now_ms());
}
END_TEST

START_TEST(find)
{
	struct job *alone = jobs_add(jobs, "a", 0, &settings);
	struct job *first = jobs_add(jobs, "b", 0, &settings);
	struct job *second = jobs_add(jobs, "b", 1, &settings);
	struct job *longer = jobs_add(jobs, "c", 0, &settings);

	jobs_set_id(jobs, alone, 4, SLURM_NO_TASK);
	jobs_set_id(jobs, first, 5, 0);
	jobs_set_id(jobs, second, 5, 1);
	jobs_set_id(jobs, longer, 42, SLURM_NO_TASK);
	ck_assert_ptr_eq(jobs_find(jobs, 4, SLURM_NO_TASK, "a"), alone);
	ck_assert_ptr_null(jobs_find(jobs, 4, 0, "a"));
	ck_assert_ptr_eq(jobs_find(jobs, 5, 0, "b"), first);
	ck_assert_ptr_eq(jobs_find(jobs, 5, 1, "b"), second);
	ck_assert_ptr_null(jobs_find(jobs, 5, SLURM_NO_TASK, "b"));
	ck_assert_ptr_null(jobs_find(jobs, 6, 0, "b"));
	ck_assert_str_eq(second->id, "5_1");
	ck_assert_ptr_eq(jobs_find_id(jobs, "4"), alone);
	ck_assert_ptr_eq(jobs_find_id(jobs, "4-0"), alone);
	ck_assert_ptr_eq(jobs_find_id(jobs, "42-0"), longer);
	ck_assert_ptr_eq(jobs_find_id(jobs, "5_1-17"), second);
	ck_assert_ptr_null(jobs_find_id(jobs, "4_0"));
	ck_assert_ptr_null(jobs_find_id(jobs, "5"));
	ck_assert_ptr_null(jobs_find_id(jobs, "5-1"));
	ck_assert_ptr_null(jobs_find_id(jobs, "5_10-1"));
	ck_assert_ptr_null(jobs_find_id(jobs, "421"));
	ck_assert_ptr_null(jobs_find_id(jobs, ""));
	ck_assert_ptr_null(jobs_find_id(jobs, "-0"));
	/* A job that is gone has no workers, but Slurm may still report it. */
	apply(alone, STATE_COMPLETED);
	ck_assert_ptr_null(jobs_find_id(jobs, "4"));
	ck_assert_ptr_eq(jobs_find(jobs, 4, SLURM_NO_TASK, "a"), alone);
}
END_TEST

/* After a crash slurmctld may give the same id to another job: the tag tells them apart. */
START_TEST(same_id_with_another_tag)
{
	struct job *job = jobs_add(jobs, "ours", 0, &settings);
	struct job *later;

	jobs_set_id(jobs, job, 42, SLURM_NO_TASK);
	ck_assert_ptr_eq(jobs_find(jobs, 42, SLURM_NO_TASK, "ours"), job);
	ck_assert_ptr_null(jobs_find(jobs, 42, SLURM_NO_TASK, "other"));
	ck_assert_ptr_null(jobs_find(jobs, 42, SLURM_NO_TASK, "our"));
	ck_assert_ptr_null(jobs_find(jobs, 42, SLURM_NO_TASK, ""));
	later = jobs_add(jobs, "other", 0, &settings);
	jobs_set_id(jobs, later, 42, SLURM_NO_TASK);
	ck_assert_ptr_eq(jobs_find(jobs, 42, SLURM_NO_TASK, "ours"), job);
	ck_assert_ptr_eq(jobs_find(jobs, 42, SLURM_NO_TASK, "other"), later);
}
END_TEST

/* What a report of PENDING (or CONFIGURING), RUNNING (or SUSPENDED) or an end makes of a job in
 * each phase. */
static const struct {
	enum job_phase before, pending, running, ended;
} reports[] = {
	{PHASE_SUBMITTED, PHASE_PENDING, PHASE_STARTING, PHASE_GONE},
	{PHASE_PENDING, PHASE_PENDING, PHASE_STARTING, PHASE_GONE},
	{PHASE_STARTING, PHASE_PENDING, PHASE_STARTING, PHASE_GONE},
	{PHASE_READY, PHASE_PENDING, PHASE_READY, PHASE_GONE},
	{PHASE_DRAINING, PHASE_DRAINING, PHASE_DRAINING, PHASE_GONE},
	{PHASE_RETIRING, PHASE_RETIRING, PHASE_RETIRING, PHASE_GONE},
	{PHASE_ENDING, PHASE_ENDING, PHASE_ENDING, PHASE_GONE},
	{PHASE_GONE, PHASE_GONE, PHASE_GONE, PHASE_GONE},
};

START_TEST(phase_by_report)
{
	for (int state = 0; state < STATE_COUNT; state++) {
		struct job *job = job_in(reports[_i].before);
		bool waits = state == STATE_PENDING || state == STATE_CONFIGURING;
		bool runs = state == STATE_RUNNING || state == STATE_SUSPENDED;
		enum job_phase expected = waits ? reports[_i].pending
			: runs			? reports[_i].running
						: reports[_i].ended;

		ck_assert_int_eq(job->phase, reports[_i].before);
		apply(job, (enum slurm_state)state);
		ck_assert_int_eq(job->phase, expected);
		ck_assert_str_eq(job->partition, "short");
		ck_assert_str_eq(job->nodes, state == STATE_PENDING ? "" : "n1");
		ck_assert_pstr_eq(job->reason, state == STATE_PENDING ? "Resources" : NULL);
		ck_assert_int_eq(job->submit_time, 100);
		ck_assert_int_eq(job->start_time, 200);
		ck_assert_int_eq(job->end_time, 300);
		if (expected == PHASE_GONE && reports[_i].before != PHASE_GONE)
			ck_assert_int_eq(job->end_state, (enum slurm_state)state);
		/* The same once more changes nothing. */
		changes = 0;
		apply(job, (enum slurm_state)state);
		ck_assert_int_eq(job->phase, expected);
		ck_assert_int_eq(changes, 0);
		jobs_clear(jobs);
	}
}
END_TEST

/* What is worth telling: the reason, the place and the predicted start, not the rest. */
START_TEST(news)
{
	struct job *job = job_in(PHASE_PENDING);
	struct slurm_job said = report(42, STATE_PENDING);

	for (int i = 0; i < 4; i++) {
		changes = 0;
		if (i == 0)
			said.reason = UNCONST("Priority");
		else if (i == 1)
			said.partition = NULL;
		else if (i == 2)
			said.nodes = UNCONST("n2");
		else
			said.start_time = 201;
		jobs_apply(jobs, job, &said);
		ck_assert_int_eq(changes, 1);
		jobs_apply(jobs, job, &said);
		ck_assert_int_eq(changes, 1);
	}
	ck_assert_str_eq(job->reason, "Priority");
	ck_assert_ptr_null(job->partition);
}
END_TEST

static const struct {
	enum slurm_state state;
	int exit_status, exit_signal;
	const char *nodes, *reason;
	const char *text;
} ends[] = {
	{STATE_COMPLETED, 0, 0, "n1", "None", "completed on n1"},
	{STATE_CANCELLED, 0, 15, "", "None", "was cancelled"},
	{STATE_CANCELLED, 0, 0, NULL, "", "was cancelled"},
	{STATE_CANCELLED, 0, 0, NULL, "Resources", "was cancelled"}, /* it was pending for */
	{STATE_CANCELLED, 0, 0, "n1", "JobHeldAdmin", "was cancelled on n1 (JobHeldAdmin)"},
	{STATE_FAILED, 1, 0, "n3", "NonZeroExitCode",
		"failed with exit status 1 on n3 (NonZeroExitCode)"},
	{STATE_FAILED, 0, 9, "n3", "None", "failed by signal 9 on n3"},
	{STATE_TIMEOUT, 0, 0, "n[1-2]", "TimeLimit",
		"reached its time limit on n[1-2] (TimeLimit)"},
	{STATE_NODE_FAIL, 0, 0, "n1", "None", "lost its node on n1"},
	{STATE_PREEMPTED, 0, 0, "n1", "None", "was preempted on n1"},
	{STATE_OUT_OF_MEMORY, 0, 125, "n1", "OutOfMemory",
		"ran out of memory on n1 (OutOfMemory)"},
	{STATE_DEADLINE, 0, 0, NULL, "DeadLine", "missed its deadline (DeadLine)"},
};

/* Each kind of end is told apart, in words. */
START_TEST(end)
{
	struct job *job = job_in(PHASE_READY);
	struct slurm_job said = report(42, ends[_i].state);

	said.exit_status = ends[_i].exit_status;
	said.exit_signal = ends[_i].exit_signal;
	said.nodes = UNCONST(ends[_i].nodes);
	said.reason = UNCONST(ends[_i].reason);
	jobs_apply(jobs, job, &said);
	ck_assert_int_eq(job->phase, PHASE_GONE);
	ck_assert_int_eq(job->end_state, ends[_i].state);
	ck_assert_str_eq(job->end_text, ends[_i].text);
	ck_assert_int_eq(job->connected, 0);
}
END_TEST

/* What draco ended itself is not told as a failure. */
START_TEST(end_by_draco)
{
	static const struct {
		enum slurm_state state;
		const char *nodes, *text;
	} rows[] = {
		{STATE_CANCELLED, NULL, "was cancelled by draco"},
		{STATE_CANCELLED, "n1", "was cancelled by draco"},
		{STATE_FAILED, "n1", "was ended by draco on n1"},
		{STATE_COMPLETED, "n1", "completed on n1"},
	};
	struct job *job = job_in(PHASE_ENDING);
	struct slurm_job said = report(42, rows[_i].state);

	said.exit_status = rows[_i].state == STATE_FAILED;
	said.nodes = UNCONST(rows[_i].nodes);
	said.reason = UNCONST("None");
	if (!said.nodes)
		said.reason = UNCONST("Resources");
	jobs_apply(jobs, job, &said);
	ck_assert_int_eq(job->phase, PHASE_GONE);
	ck_assert_str_eq(job->end_text, rows[_i].text);
}
END_TEST

START_TEST(gone_before_it_was_submitted)
{
	struct job *job = job_in(PHASE_NEW);

	jobs_set_gone(jobs, job, STATE_CANCELLED, "not submitted");
	ck_assert_int_eq(job->phase, PHASE_GONE);
	ck_assert_str_eq(job->end_text, "not submitted");
}
END_TEST

START_TEST(ending)
{
	int64_t before = loop_now_ms();
	struct job *job = job_in(PHASE_ENDING);

	ck_assert_int_eq(job->phase, PHASE_ENDING);
	ck_assert_int_ge(job->ending_since_ms, before);
	apply(job, STATE_COMPLETED);
	ck_assert_int_eq(job->phase, PHASE_GONE);
}
END_TEST

/* Of jobs that are gone only the last 32 are kept, of the others all, in their order. */
START_TEST(old_jobs_are_forgotten)
{
	struct job *first = jobs_add(jobs, "first", -1, &settings), *job;
	int64_t expected = 100 - 32;
	int gone = 0;

	for (int64_t i = 0; i < 100; i++) {
		job = jobs_add(jobs, "gone", i, &settings);
		jobs_set_gone(jobs, job, STATE_CANCELLED, "for a test");
	}
	jobs_add(jobs, "last", -2, &settings);
	ck_assert_ptr_eq(TAILQ_FIRST(jobs_list(jobs)), first);
	ck_assert_str_eq(TAILQ_LAST(jobs_list(jobs), job_list)->tag, "last");
	TAILQ_FOREACH (job, jobs_list(jobs), link)
		if (job->phase == PHASE_GONE) {
			ck_assert_int_eq(job->index, expected++);
			gone++;
		}
	ck_assert_int_eq(gone, 32);
}
END_TEST

START_TEST(a_ready_job_is_settled_while_it_has_workers)
{
	job_in(PHASE_READY);
	ck_assert_int_eq(jobs_count(jobs).unsettled, 0);
	while (!TAILQ_EMPTY(jobs_workers(jobs)))
		jobs_worker_removed(jobs, TAILQ_FIRST(jobs_workers(jobs))->address, false);
	ck_assert_int_eq(jobs_count(jobs).unsettled, 1);
}
END_TEST

START_TEST(counts)
{
	static const struct {
		enum job_phase phase;
		int wanted, alive, in_slurm, unsettled, running;
	} rows[] = {
		{PHASE_NEW, 1, 1, 0, 1, 0},
		{PHASE_SUBMITTED, 1, 1, 1, 1, 0},
		{PHASE_PENDING, 1, 1, 1, 1, 0},
		{PHASE_STARTING, 1, 1, 1, 1, 1},
		{PHASE_READY, 1, 1, 1, 1, 1}, /* without workers */
		{PHASE_DRAINING, 0, 1, 1, 1, 0},
		{PHASE_RETIRING, 0, 1, 1, 1, 0},
		{PHASE_ENDING, 0, 1, 1, 1, 0},
		{PHASE_GONE, 0, 0, 0, 0, 0},
	};
	struct jobs_count sum = {0}, count = jobs_count(jobs);

	ck_assert_int_eq(memcmp(&count, &sum, sizeof(sum)), 0);
	for (size_t i = 0; i < LENGTH(rows); i++) {
		settings.processes = (int64_t)i + 2;
		next_id = 42 + (uint32_t)i;
		job_in(rows[i].phase);
		while (!TAILQ_EMPTY(jobs_workers(jobs)))
			jobs_worker_removed(
				jobs, TAILQ_FIRST(jobs_workers(jobs))->address, false);
		sum.wanted += rows[i].wanted;
		sum.wanted_workers += rows[i].wanted * ((int64_t)i + 2);
		sum.alive += rows[i].alive;
		sum.in_slurm += rows[i].in_slurm;
		sum.unsettled += rows[i].unsettled;
		sum.running += rows[i].running;
		count = jobs_count(jobs);
		ck_assert_int_eq(count.wanted, sum.wanted);
		ck_assert_int_eq(count.wanted_workers, sum.wanted_workers);
		ck_assert_int_eq(count.alive, sum.alive);
		ck_assert_int_eq(count.in_slurm, sum.in_slurm);
		ck_assert_int_eq(count.unsettled, sum.unsettled);
		ck_assert_int_eq(count.running, sum.running);
		ck_assert_int_eq(count.connected, 0);
	}
}
END_TEST

/* A job that waits only to take the place of another one is none of those that are wanted. */
START_TEST(count_of_standby)
{
	struct job *job = job_in(PHASE_READY);

	ck_assert_int_eq(jobs_count(jobs).wanted, 1);
	job->role = ROLE_STANDBY;
	ck_assert_int_eq(jobs_count(jobs).wanted, 0);
	ck_assert_int_eq(jobs_count(jobs).wanted_workers, 0);
	ck_assert_int_eq(jobs_count(jobs).alive, 1);
	ck_assert_int_eq(jobs_count(jobs).in_slurm, 1);
}
END_TEST

START_TEST(clear)
{
	job_in(PHASE_READY);
	job_in(PHASE_NEW);
	jobs_clear(jobs);
	ck_assert(TAILQ_EMPTY(jobs_list(jobs)));
	ck_assert(TAILQ_EMPTY(jobs_workers(jobs)));
	jobs_clear(jobs);
	ck_assert_int_eq(job_in(PHASE_READY)->phase, PHASE_READY);
}
END_TEST

START_TEST(phase_that_may_not_follow)
{
	jobs_set_phase(jobs, job_in(PHASE_NEW), PHASE_READY, NULL);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("jobs");
	TCase *tcase = tcase_create("jobs");

	tcase_add_checked_fixture(tcase, jobs_setup, jobs_teardown);
	tcase_add_test(tcase, new_job);
	tcase_add_test(tcase, job_with_id);
	tcase_add_test(tcase, find);
	tcase_add_test(tcase, same_id_with_another_tag);
	tcase_add_loop_test(tcase, phase_by_report, 0, LENGTH(reports));
	tcase_add_test(tcase, news);
	tcase_add_loop_test(tcase, end, 0, LENGTH(ends));
	tcase_add_loop_test(tcase, end_by_draco, 0, 4);
	tcase_add_test(tcase, gone_before_it_was_submitted);
	tcase_add_test(tcase, ending);
	tcase_add_test(tcase, old_jobs_are_forgotten);
	tcase_add_test(tcase, a_ready_job_is_settled_while_it_has_workers);
	tcase_add_test(tcase, counts);
	tcase_add_test(tcase, count_of_standby);
	tcase_add_test(tcase, clear);
	if (unit_is_forking())
		tcase_add_test_raise_signal(tcase, phase_that_may_not_follow, SIGABRT);
	else
		printf("phase_that_may_not_follow ends the process: left out with CK_FORK=no\n");
	suite_add_tcase(suite, tcase);
	return suite;
}
