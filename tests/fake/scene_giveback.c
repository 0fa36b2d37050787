/* scene_giveback.c: scenarios: a job is given back without losing a task or a result. It is
 * drained, retired and ended. */
#include "world.h"

#include <string.h>

#define MIB (INT64_C(1) << 20)

/* Two jobs, one of which is no longer wanted. */
static void start_two_and_want_one(const char *settings)
{
	start_running(settings);
	check(workers() == 4);
	pass(5);
	dask.drains = dask.retires = dask.undrains = 0;
	ask(me(), "scale", json_pack("{s:i}", "jobs", 1));
}

/* The job that is given back. The other one stays ready. */
static struct fake_job *leaving(void)
{
	return strcmp(phase_of(job(0)), "ready") == 0 ? job(1) : job(0);
}

START_TEST(in_order)
{
	start_two_and_want_one("{'minimum': 4}");
	await(jobs_in(STATE_RUNNING) == 1);
	check(dask.drains == 1 && dask.retires == 1);
	await(told("ready -> draining") && told("draining -> retiring") &&
		told("retiring -> ending") && told("ending -> gone"));
	check(told(": its tasks are done"));
	check(told(": its data has moved"));
	check(jobs_in(STATE_COMPLETED) == 1); /* ended by SIGTERM, not cancelled */
}
END_TEST

START_TEST(its_results_go_to_the_other_one)
{
	start_running("{'minimum': 4}");
	results_on(job(0), 10 * MIB);
	results_on(job(1), 20 * MIB);
	pass(5);
	ask(me(), "scale", json_pack("{s:i}", "jobs", 1));
	await(jobs_in(STATE_RUNNING) == 1);
	await(status_number("scheduler.load.memory") == 30 * MIB);
}
END_TEST

START_TEST(the_one_with_less_data_goes)
{
	start_running("{'minimum': 4, 'idle_hold': 5}");
	results_on(job(0), 20 * MIB);
	results_on(job(1), 10 * MIB);
	pass(5);
	ask(me(), "adapt", json_pack("{s:i}", "minimum", 2));
	await(jobs_in(STATE_RUNNING) == 1);
	check(job(0)->said.state == STATE_RUNNING);
}
END_TEST

/* The preload refuses to drain. The job stays, and dracod tries again a moment later. */
START_TEST(a_task_has_come_in_between)
{
	start_running("{'minimum': 2, 'idle_hold': 5}");
	tasks_come(3);
	await(workers() == 4);
	pass(5);
	dask.surprises = 3;
	tasks_done();
	await(times_told("draining -> ready") == 1);
	check(told("a task arrived"));
	await_from_to(1, 6, jobs_in(STATE_RUNNING) == 1);
	check(dask.drains == 4);
	check(jobs_in(STATE_COMPLETED) == 1);
}
END_TEST

START_TEST(a_task_has_come_before_it_is_retired)
{
	start_running("{'minimum': 2, 'idle_hold': 5}");
	tasks_come(3);
	await(workers() == 4);
	pass(5);
	tasks_done();
	await(dask.drains == 1);
	dask.surprises = 1;
	await_from_to(0, 10, jobs_in(STATE_RUNNING) == 1);
	check(jobs_in(STATE_COMPLETED) == 1);
}
END_TEST

START_TEST(its_data_has_nowhere_to_go)
{
	start_running("{'minimum': 4, 'idle_hold': 5}");
	results_on(job(0), MIB);
	results_on(job(1), MIB);
	pass(5);
	dask.full = true;
	ask(me(), "adapt", json_pack("{s:i}", "minimum", 2));
	await(told("retiring -> ready after 0.0 s: its data has nowhere to go"));
	holds_for(100, jobs_in(STATE_RUNNING) == 2);
	check(dask.undrains >= 1);
	/* dracod tries each of the two every ten seconds, not all the time. */
	ck_assert_int_ge(dask.retires, 10);
	ck_assert_int_le(dask.retires, 22);
	dask.full = false;
	await_from_to(0, 15, jobs_in(STATE_RUNNING) == 1);
}
END_TEST

START_TEST(the_preload_does_not_answer)
{
	start_running("{'minimum': 4, 'idle_hold': 5}");
	pass(5);
	dask.mute = true;
	ask(me(), "adapt", json_pack("{s:i}", "minimum", 2));
	await(told("drain: no answer from the scheduler in time"));
	check(told("draining -> ready after 10 s"));
	holds_for(60, jobs_in(STATE_RUNNING) == 2);
	dask.mute = false;
	await_from_to(0, 20, jobs_in(STATE_RUNNING) == 1);
	check(jobs_in(STATE_COMPLETED) == 1);
}
END_TEST

START_TEST(the_connection_is_lost_meanwhile)
{
	start_running("{'minimum': 4, 'idle_hold': 5}");
	pass(5);
	dask.mute = true;
	ask(me(), "adapt", json_pack("{s:i}", "minimum", 2));
	await(jobs_of_phase("draining") == 1);
	dask_disconnect(500);
	dask.mute = false;
	await(told("lost draco's plugin in the scheduler"));
	await_from_to(0, 20, jobs_in(STATE_RUNNING) == 1);
	check(jobs_in(STATE_COMPLETED) == 1);
}
END_TEST

START_TEST(it_is_needed_again)
{
	start_running("{'minimum': 4}");
	tasks_come(4);
	await(tasks_on(job(0)) == 2 && tasks_on(job(1)) == 2);
	pass(5);
	ask(me(), "scale", json_pack("{s:i}", "jobs", 1));
	await(jobs_of_phase("draining") == 1);
	pass(5);
	ask(me(), "scale", json_pack("{s:i}", "jobs", 2));
	await_from_to(0, 1, jobs_of_phase("ready") == 2);
	check(told("draining -> ready after 5.0 s: it is needed again"));
	await(dask.undrains > 0);
	check(!is_drained(job(0)) && !is_drained(job(1)));
	check(jobs_submitted() == 2);
}
END_TEST

/* A nanny has started a worker again. */
START_TEST(a_worker_comes_to_a_job_that_leaves)
{
	start_running("{'minimum': 4}");
	tasks_come(4);
	await(tasks_on(job(0)) == 2 && tasks_on(job(1)) == 2);
	pass(5);
	ask(me(), "scale", json_pack("{s:i}", "jobs", 1));
	await(jobs_of_phase("draining") == 1);
	workers_die(leaving(), 1);
	workers_return(leaving());
	await(workers_of(leaving()) == 2);
	await_from_to(0, 1, is_drained(leaving()));
}
END_TEST

/* Jobs that do not end by themselves get SIGTERM, then scancel, then SIGKILL. */

/* It ends while it starts, and its workers connect before it is gone. They would take tasks, and
 * die with them. */
START_TEST(workers_come_while_it_ends)
{
	start_running("");
	dask.worker_ms = 5000; /* later than dracod looks at the queue */
	tasks_come(2);
	ask(me(), "scale", json_pack("{s:i}", "jobs", 2));
	await(jobs_of_phase("starting") == 1);
	job(1)->deaf = true;
	ask(me(), "scale", json_pack("{s:i}", "jobs", 1));
	tasks_come(8);
	await(told("job 2: starting -> ending"));
	await(workers_of(job(1)) == 2);
	check(tasks_on(job(1)) == 0);
	await(jobs_in(STATE_RUNNING) == 1);
	check(tasks_on(job(0)) == 2);
	await(json_array_size(dask.leaving) == 0);
}
END_TEST

START_TEST(it_does_not_hear_sigterm)
{
	start_running("{'minimum': 4}");
	pass(5);
	job(0)->deaf = job(1)->deaf = true;
	ask(me(), "scale", json_pack("{s:i}", "jobs", 1));
	await(jobs_of_phase("ending") == 1);
	await_from_to(2.5, 5, jobs_in(STATE_CANCELLED) == 1);
	check(told("does not end: cancelling it"));
}
END_TEST

START_TEST(it_is_not_ended_by_scancel_either)
{
	start_running("{'minimum': 4}");
	pass(5);
	job(0)->deaf = job(1)->deaf = true;
	job(0)->clinging = job(1)->clinging = true;
	ask(me(), "scale", json_pack("{s:i}", "jobs", 1));
	await(jobs_of_phase("ending") == 1);
	await_from_to(5.5, 9, jobs_in(STATE_CANCELLED) == 1);
	check(told("does not end: killing it"));
}
END_TEST

START_TEST(an_epilogue_has_half_a_minute)
{
	start_running("{'minimum': 4, 'epilogue': 'cp results somewhere'}");
	pass(5);
	job(0)->deaf = job(1)->deaf = true;
	ask(me(), "scale", json_pack("{s:i}", "jobs", 1));
	await(jobs_of_phase("ending") == 1);
	await_from_to(29, 33, jobs_in(STATE_CANCELLED) == 1);
}
END_TEST

START_TEST(slurm_cannot_be_asked_to_end_it)
{
	start_running("{'minimum': 4}");
	pass(5);
	slurm_fault("cancel", 2, FAULT_UNREACHABLE);
	ask(me(), "scale", json_pack("{s:i}", "jobs", 1));
	await(jobs_of_phase("ending") == 1);
	await_from_to(1, 5, jobs_in(STATE_RUNNING) == 1);
	check(jobs_in(STATE_COMPLETED) == 1);
}
END_TEST

START_TEST(several_go_at_once)
{
	start_running("{'idle_hold': 10}");
	tasks_come(100);
	await(workers() == 8);
	pass(60);
	for (int i = 0; i < 4; i++)
		results_on(job(i), MIB);
	tasks_done();
	await_from_to(10, 30, jobs_in(STATE_RUNNING) == 1);
	check(jobs_in(STATE_COMPLETED) == 3);
	await(status_number("scheduler.load.memory") == 4 * MIB);
}
END_TEST

Suite *unit_suite(void)
{
	return scenarios("giveback", in_order, its_results_go_to_the_other_one,
		the_one_with_less_data_goes, a_task_has_come_in_between,
		a_task_has_come_before_it_is_retired, its_data_has_nowhere_to_go,
		the_preload_does_not_answer, the_connection_is_lost_meanwhile,
		it_is_needed_again, a_worker_comes_to_a_job_that_leaves,
		workers_come_while_it_ends, it_does_not_hear_sigterm,
		it_is_not_ended_by_scancel_either, an_epilogue_has_half_a_minute,
		slurm_cannot_be_asked_to_end_it, several_go_at_once);
}
