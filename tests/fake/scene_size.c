/* scene_size.c: scenarios: the cluster's size follows the load.
 *
 * A job has two workers of one thread. The maximum is four jobs, the minimum one. */
#include "world.h"

#include <string.h>

#include "common/json.h"

#define MIB (INT64_C(1) << 20)

static int running(void)
{
	return jobs_in(STATE_RUNNING);
}

/* As large as the work */

START_TEST(all_missing_jobs_are_asked_for_at_once)
{
	start_running("");
	tasks_come(100);
	await_from_to(0, 0.3, jobs_submitted() == 4);
	check(slurm.submissions == 2);
	check(told("ready tasks 100, target 50 jobs, limit 4"));
	await(workers() == 8);
	holds_for(600, jobs_submitted() == 4);
}
END_TEST

START_TEST(a_few_tasks_need_a_few_workers)
{
	start_running("");
	tasks_come(3);
	await(jobs_submitted() == 2);
	holds_for(600, jobs_submitted() == 2);
}
END_TEST

/* Work that the present jobs finish within target_duration (5 s) needs no further job. */
START_TEST(known_work_is_measured_in_time)
{
	start_running("");
	tasks_known(500, 0.01);
	holds_for(60, jobs_submitted() == 1);
	tasks_done();
	tasks_known(500, 0.06); /* 30 s of work: 6 threads */
	await_from_to(0, 0.3, jobs_submitted() == 3);
	holds_for(60, jobs_submitted() == 3);
}
END_TEST

/* Whole nodes: the first worker tells how many threads a worker has. */
START_TEST(a_node_tells_its_cores)
{
	dask.threads = 8;
	start_running("{'cores': 'node', 'exclusive': true, 'minimum': 0}");
	tasks_come(17);
	await(jobs_submitted() == 1);
	await(workers() == 2);
	await(jobs_submitted() == 2);
	await(workers() == 4);
	holds_for(600, jobs_submitted() == 2);
	check(status_number("size.per_job.cores") == 0);
	check(json_get_integer(
		      json_array_get(json_object_get(status(), "jobs"), 0), "cores", 0) == 16);
}
END_TEST

/* The user's number of threads tells nothing of the cores, and is known before. */
START_TEST(the_users_threads_are_known)
{
	dask.threads = 8;
	start_running("{'cores': 'node', 'exclusive': true, 'minimum': 0, 'threads': 1}");
	tasks_come(3);
	await_from_to(0, 0.3, jobs_submitted() == 2);
	await(workers() == 4);
	holds_for(600, jobs_submitted() == 2);
	check(json_get_integer(
		      json_array_get(json_object_get(status(), "jobs"), 0), "cores", 9) == 0);
}
END_TEST

START_TEST(results_need_memory)
{
	start_running("");
	/* Results may take 60 % of a worker's 512 MiB. */
	results_on(job(0), 1000 * MIB);
	await(jobs_submitted() == 2);
	check(told("results of 1000 MiB in memory, target 2 jobs"));
	holds_for(600, running() <= 2 && jobs_submitted() == 2);
}
END_TEST

/* They hold what they cannot let go of, so that only other workers can go on. */
START_TEST(all_workers_are_paused)
{
	start_running("");
	tasks_come(20);
	await(workers() == 8);
	dask.paused = 7;
	tasks_come(1);
	holds_for(60, !has_notice("paused"));
	dask.paused = 8;
	tasks_come(1);
	await_from_to(4, 7, has_notice("8 of 8 workers are paused: memory above 80 %"));
	check(told("8 of 8 workers are paused: memory above 80 %"));
	dask.paused = 0;
	tasks_come(1);
	await(!has_notice("paused"));
}
END_TEST

START_TEST(a_backlog_bounds_what_waits)
{
	start_running("{'backlog': 1}");
	slurm.partition[0].busy = slurm.partition[1].busy = true;
	tasks_come(100);
	await(jobs_in(STATE_PENDING) == 1);
	holds_for(60, jobs_in(STATE_PENDING) == 1);
	slurm.partition[0].busy = false;
	await(running() == 4);
}
END_TEST

START_TEST(jobs_that_are_not_needed_are_kept_for_a_while)
{
	start_running("{'idle_hold': 60}");
	tasks_come(100);
	await(workers() == 8);
	pass(30);
	tasks_done();
	holds_for(58, running() == 4);
	await_from_to(1, 8, running() == 1);
	check(jobs_in(STATE_COMPLETED) == 3);
	check(told("not needed any more"));
	holds_for(600, running() == 1);
}
END_TEST

START_TEST(needed_again_in_time)
{
	start_running("{'idle_hold': 60}");
	for (int i = 0; i < 5; i++) {
		tasks_come(100);
		await(workers() == 8);
		pass(30);
		tasks_done();
		pass(40);
	}
	check(jobs_submitted() == 4 && running() == 4);
	check(!told("-> draining") && !told("-> ending"));
}
END_TEST

/* A job with a running task is never given back. */
START_TEST(busy_jobs_stay)
{
	start_running("{'idle_hold': 5}");
	tasks_come(8);
	await(workers() == 8);
	pass(10);
	tasks_done_on(job(0));
	tasks_done_on(job(1));
	await(running() == 2);
	check(tasks_on(job(2)) == 2 && tasks_on(job(3)) == 2);
	holds_for(1000,
		job(2)->said.state == STATE_RUNNING && job(3)->said.state == STATE_RUNNING);
}
END_TEST

START_TEST(what_waits_in_the_queue_goes_first)
{
	start_running("{'idle_hold': 10}");
	slurm.partition[0].busy = slurm.partition[1].busy = true;
	tasks_come(100);
	await(jobs_in(STATE_PENDING) == 3);
	pass(60);
	tasks_done();
	holds_for(9, jobs_in(STATE_PENDING) == 3);
	await_from_to(0, 5, jobs_in(STATE_CANCELLED) == 3);
	check(running() == 1);
}
END_TEST

/* A pending job that the minimum needs is never cancelled, however long it waits. */
START_TEST(a_pending_job_is_left_in_the_queue)
{
	slurm.partition[0].busy = slurm.partition[1].busy = true;
	start("{'wait_timeout': 100000, 'idle_hold': 2, 'idle_timeout': 10}");
	await(jobs_submitted() == 1);
	holds_for(20000, job(0)->said.state == STATE_PENDING && jobs_submitted() == 1);
	slurm.partition[0].busy = false;
	check(start_succeeded());
	check(jobs_submitted() == 1);
}
END_TEST

/* A hold that was in vain shortens the next ones, also in the next cluster. */
START_TEST(a_hold_in_vain_shortens_the_next)
{
	start_running("{'idle_hold': 60}");
	check(status_number("size.hold_ms") == 60000);
	check(strstr(status_text("size.hold_why"), "idle_hold"));
	for (int i = 0; i < 4; i++) {
		tasks_come(100);
		await(workers() == 8);
		pass(60);
		tasks_done();
		await(running() == 1);
		pass(600);
	}
	check(status_number("size.hold_ms") < 60000);
	check(strstr(status_text("size.hold_why"), "after "));
	tasks_come(100);
	await(workers() == 8);
	pass(30);
	tasks_done();
	await_from_to(1, 55, running() == 1);
	ask(me(), "stop", NULL);
	world_restart();
	start_running("{'idle_hold': 60}");
	tasks_come(100);
	await(workers() == 8);
	await_from_to(0, 60, status_number("size.hold_ms") < 60000);
}
END_TEST

/* To zero and back */

START_TEST(with_nothing_to_do_the_last_job_goes)
{
	start_running("{'idle_timeout': 900, 'idle_hold': 60}");
	holds_for(890, running() == 1);
	await_from_to(0, 90, running() == 0);
	check(job(0)->said.state == STATE_COMPLETED);
	check(cluster_is("running") && dask_is_up());
	check(strstr(status_text("size.why"), "nothing to do for 15 min, no job"));
	holds_for(3600, jobs_submitted() == 1);
	tasks_come(1);
	await_from_to(0, 5, workers() == 2);
	check(process_count("dask_scheduler") == 1);
}
END_TEST

START_TEST(the_minimum_again_when_somebody_comes)
{
	struct program *notebook;

	start_running("{'idle_timeout': 60, 'idle_hold': 1, 'minimum': 4}");
	await(running() == 0);
	/* A program attaches itself, and does nothing. */
	notebook = program_come();
	ask(notebook, "attach", json_pack("{s:{}}", "label"));
	await_from_to(0, 5, workers() == 4);
	await_from_to(55, 80, running() == 0);
	ask(notebook, "attach", json_pack("{s:{}}", "label"));
	holds_for(30, running() == 0);
	/* The cell with the start is run again. */
	ask(me(), "start", start_params("{'minimum': 4}"));
	await_from_to(0, 5, workers() == 4);
	await(running() == 0);
	/* A plain client connects. */
	clients_come(1);
	await_from_to(0, 5, workers() == 4);
	await(running() == 0);
	/* Somebody waits for workers. */
	wait_for_workers(1);
	await_from_to(0, 5, workers() == 4);
	holds_for(600, running() == 2);
	wait_for_workers(0);
	await_from_to(55, 80, running() == 0);
	wait_for_workers(5);
	await_from_to(0, 5, workers() == 6);
	check(strstr(status_text("size.why"), "somebody waits for 5 workers, target 3 jobs"));
}
END_TEST

START_TEST(results_keep_it)
{
	start_running("{'idle_timeout': 900, 'idle_hold': 10}");
	results_on(job(0), 1);
	holds_for(5000, running() >= 1);
	tasks_come(1);
	pass(100);
	tasks_done();
	results_on(job(jobs_submitted() - 1), 0);
	await_from_to(890, 1000, running() == 0);
}
END_TEST

START_TEST(never_where_idle_timeout_is_0)
{
	start_running("{'idle_timeout': 0, 'walltime': '3-00:00:00'}");
	holds_for(100000, running() == 1);
}
END_TEST

START_TEST(a_start_may_take_longer_than_idle_timeout)
{
	dask.worker_ms = 60000;
	start_running("{'idle_hold': 1, 'idle_timeout': 10, 'worker_timeout': 300}");
	check(jobs_submitted() == 1);
	await_from_to(5, 15, running() == 0);
}
END_TEST

Suite *unit_suite(void)
{
	return scenarios("size", all_missing_jobs_are_asked_for_at_once,
		a_few_tasks_need_a_few_workers, known_work_is_measured_in_time,
		a_node_tells_its_cores, the_users_threads_are_known, results_need_memory,
		all_workers_are_paused, a_backlog_bounds_what_waits,
		jobs_that_are_not_needed_are_kept_for_a_while, needed_again_in_time,
		busy_jobs_stay, what_waits_in_the_queue_goes_first,
		a_pending_job_is_left_in_the_queue, a_hold_in_vain_shortens_the_next,
		with_nothing_to_do_the_last_job_goes, the_minimum_again_when_somebody_comes,
		results_keep_it, never_where_idle_timeout_is_0,
		a_start_may_take_longer_than_idle_timeout);
}
