/* scene_limits.c: scenarios: the site limits the jobs of a user.
 *
 * A job has two workers of one thread. The maximum is four jobs, the minimum one. */
#include "world.h"

#include <string.h>

static int running(void)
{
	return jobs_in(STATE_RUNNING);
}

static const char *shortage(void)
{
	const char *text = status_text("size.shortage");

	return text ? text : "";
}

START_TEST(as_many_as_the_site_lets_one_have)
{
	slurm.jobs_max = 3;
	start_running("{'maximum': 20}");
	tasks_come(100);
	await_from_to(0, 10, running() == 3);
	await(strstr(shortage(),
		"the site lets you have 3 jobs: Job violates "
		"accounting/QOS policy"));
	await(workers() == 6);
	check(told("3 jobs: Job violates"));
	holds_for(50, running() == 3 && jobs_submitted() == 3);
}
END_TEST

/* dracod does not try once a second. */
START_TEST(slurm_is_not_asked_all_the_time)
{
	int before;

	slurm.jobs_max = 2;
	start_running("{'maximum': 20}");
	tasks_come(100);
	await(strstr(shortage(), "2 jobs"));
	await(running() == 2);
	before = slurm.predictions;
	holds_for(1800, running() == 2);
	check(slurm.predictions - before <= 6);
}
END_TEST

START_TEST(a_job_that_ends_is_replaced)
{
	slurm.jobs_max = 3;
	start_running("{'maximum': 20}");
	tasks_come(100);
	await(strstr(shortage(), "3 jobs"));
	job_end(job(1), STATE_NODE_FAIL, 0);
	await_from_to(0, 20, jobs_submitted() == 4 && running() == 3);
	holds_for(50, running() == 3 && jobs_submitted() == 4);
}
END_TEST

START_TEST(a_limit_that_is_lifted)
{
	slurm.jobs_max = 2;
	start_running("{'maximum': 20}");
	tasks_come(100);
	await(strstr(shortage(), "2 jobs"));
	slurm.jobs_max = 0;
	await_from_to(0, 120, jobs_submitted() == 10);
	check(!*shortage());
}
END_TEST

/* A start whose minimum exceeds the limit gets as many jobs as there are. */
START_TEST(a_start_with_fewer)
{
	slurm.jobs_max = 3;
	start_running("{'minimum': 16, 'maximum': 16}");
	check(running() == 3);
	check(strstr(shortage(), "3 jobs"));
}
END_TEST

START_TEST(a_site_that_lets_one_have_none)
{
	slurm.jobs_max = 1;
	slurm_add_job("somebody");
	start("{'minimum': 8}");
	check(strstr(start_error(), "Job violates accounting/QOS policy"));
	check(jobs_submitted() == 1);
}
END_TEST

START_TEST(a_site_without_arrays)
{
	slurm.arrays_refused = true;
	start_running("{'minimum': 8}");
	check(running() == 4);
	check(!*shortage());
}
END_TEST

Suite *unit_suite(void)
{
	return scenarios("limits", as_many_as_the_site_lets_one_have,
		slurm_is_not_asked_all_the_time, a_job_that_ends_is_replaced,
		a_limit_that_is_lifted, a_start_with_fewer, a_site_that_lets_one_have_none,
		a_site_without_arrays);
}
