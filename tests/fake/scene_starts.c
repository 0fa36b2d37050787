/* fake_start.c: scenarios: a start and a stop. */
#include "world.h"

START_TEST(a_start_brings_one_job)
{
	start_running("");
	check(slurm.submissions == 1);
	check(jobs_submitted() == 1);
	check(workers() == 2);
	check(told("job 1: new -> submitted"));
	check(told("cluster fake: starting -> running"));
}
END_TEST

START_TEST(a_stop_gives_all_back)
{
	start_running("{'minimum': 8}");
	check(jobs_in(STATE_RUNNING) == 4);
	ask(me(), "stop", NULL);
	check(cluster_is("stopped"));
	check(jobs_in(STATE_COMPLETED) == 4);
	check(!dask_is_up());
}
END_TEST

Suite *unit_suite(void)
{
	return scenarios("start", a_start_brings_one_job, a_stop_gives_all_back);
}
