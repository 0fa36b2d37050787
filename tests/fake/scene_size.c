/* scene_size.c: scenarios: the cluster's size follows the load, or the user's word.
 *
 * A job has two workers of one thread. The maximum is four jobs, the minimum one. */
#include "world.h"

#include <string.h>

#define MIB (INT64_C(1) << 20)

static int running(void)
{
	return jobs_in(STATE_RUNNING);
}

static void scale_to(int jobs)
{
	ask(me(), "scale", json_pack("{s:i}", "jobs", jobs));
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

/* By hand */

START_TEST(scale_by_hand)
{
	start_running("");
	scale_to(3);
	await_from_to(0, 5, workers() == 6);
	check(slurm.submissions == 2);
	check(strcmp(status_text("size.mode"), "fixed") == 0);
	check(strstr(status_text("size.why"), "set by hand to 3 jobs"));
	tasks_come(100);
	holds_for(600, jobs_submitted() == 3);
	tasks_done();
	holds_for(600, running() == 3);
	/* The size shrinks at once. */
	scale_to(1);
	await_from_to(0, 3, running() == 1);
	check(jobs_in(STATE_COMPLETED) == 2);
	scale_to(0);
	await_from_to(0, 3, running() == 0);
	check(cluster_is("running"));
	tasks_come(10);
	holds_for(600, jobs_submitted() == 3);
	ask(me(), "adapt", json_object());
	await_from_to(0, 1, jobs_submitted() > 3);
}
END_TEST

START_TEST(scale_down_lets_tasks_finish)
{
	start_running("{'minimum': 4}");
	tasks_come(4);
	await(tasks_on(job(0)) == 2 && tasks_on(job(1)) == 2);
	pass(5);
	scale_to(1);
	await(jobs_of_phase("draining") == 1);
	holds_for(600, running() == 2 && jobs_of_phase("draining") == 1);
	tasks_done_on(job(0));
	tasks_done_on(job(1));
	await_from_to(0, 3, running() == 1);
	check(jobs_in(STATE_COMPLETED) == 1);
}
END_TEST

START_TEST(scale_to_nothing_keeps_results)
{
	start_running("{'minimum': 4}");
	results_on(job(0), MIB);
	results_on(job(1), MIB);
	pass(5);
	scale_to(0);
	await(running() == 1);
	check(jobs_in(STATE_COMPLETED) == 1);
	await(jobs_of_phase("ready") == 1);
	holds_for(600, running() == 1);
	check(has_notice("stays although no job is wanted: it holds results"));
	/* The job stays until its results are no longer needed. */
	results_on(job(0)->said.state == STATE_RUNNING ? job(0) : job(1), 0);
	await_from_to(0, 30, running() == 0);
}
END_TEST

START_TEST(more_than_the_maximum_is_refused)
{
	start_running("");
	check(strstr(ask_in_vain(me(), "scale", json_pack("{s:i}", "workers", 100)),
		"scale: 100 workers are 50 jobs, more than the maximum of 4 jobs"));
	check(strstr(ask_in_vain(me(), "scale", json_pack("{s:i}", "jobs", 9)),
		"(dracoctl adapt --maximum 18)"));
	holds_for(60, jobs_submitted() == 1);
}
END_TEST

START_TEST(other_bounds)
{
	start_running("{'idle_hold': 1}");
	tasks_come(100);
	await(workers() == 8);
	ask(me(), "adapt", json_pack("{s:i}", "maximum", 12));
	await_from_to(0, 5, workers() == 12);
	ask(me(), "adapt", json_pack("{s:i, s:i}", "minimum", 4, "maximum", 6));
	tasks_done();
	await_from_to(0, 20, running() == 2);
	tasks_come(100);
	await_from_to(0, 5, workers() == 6);
	holds_for(60, running() == 3);
}
END_TEST

/* A pause */

START_TEST(in_a_pause_nothing_is_asked_for_or_given_back)
{
	start_running("{'idle_hold': 1, 'minimum': 4}");
	ask(me(), "pause", NULL);
	tasks_come(100);
	holds_for(600, jobs_submitted() == 2);
	tasks_done();
	scale_to(0);
	holds_for(600, running() == 2);
	scale_to(3);
	holds_for(60, jobs_submitted() == 2);
	ask(me(), "resume", NULL);
	await_from_to(0, 5, workers() == 6);
}
END_TEST

START_TEST(a_pause_does_not_keep_jobs_from_ending)
{
	start_running("{'poll_interval': 1}");
	ask(me(), "pause", NULL);
	job_end(job(0), STATE_NODE_FAIL, 0);
	await(jobs_alive() == 0);
	tasks_come(5);
	await(told("5 tasks wait, and the pause leaves no job for them (by hand): \"dracoctl "
		   "resume\" requests one"));
	holds_for(600, jobs_submitted() == 1 && cluster_is("running"));
	check(strstr(
		status_text("size.paused_why"), "tasks wait, and no job is left for them"));
	ask(me(), "resume", NULL);
	await_from_to(0, 5, workers() > 0);
}
END_TEST

/* One job by hand */

static void retire(const struct fake_job *job, bool force)
{
	ask(me(), "retire", json_pack("{s:s, s:b}", "job", job->id, "force", force));
}

START_TEST(retire_an_idle_job)
{
	start_running("{'minimum': 4}");
	retire(job(0), false);
	await_from_to(0, 3, job(0)->said.state == STATE_COMPLETED);
	check(told("retired by hand"));
	/* The minimum requests another one. */
	await_from_to(0, 5, workers() == 4);
	check(jobs_submitted() == 3);
	check(strstr(ask_in_vain(me(), "retire", json_pack("{s:s}", "job", job(0)->id)),
		"is gone already; others: "));
	check(strstr(ask_in_vain(me(), "retire", json_pack("{s:s}", "job", "99")),
		"there is no job \"99\"; the jobs are: "));
}
END_TEST

START_TEST(retire_a_busy_job)
{
	start_running("{'minimum': 4}");
	tasks_come(4);
	await(tasks_on(job(0)) == 2);
	pass(5);
	retire(job(0), false);
	await(is_drained(job(0)));
	holds_for(600, tasks_on(job(0)) == 2 && job(0)->said.state == STATE_RUNNING);
	tasks_done_on(job(0));
	check(tasks_on(job(0)) == 0);
	await_from_to(0, 3, job(0)->said.state == STATE_COMPLETED);
}
END_TEST

START_TEST(retire_by_force)
{
	start_running("{'minimum': 4}");
	tasks_come(4);
	await(tasks_on(job(0)) == 2);
	retire(job(0), true);
	await_from_to(0, 2, job(0)->said.state == STATE_COMPLETED);
	check(dask.retires == 0);
}
END_TEST

START_TEST(retire_a_pending_job)
{
	start_running("");
	slurm.partition[0].busy = slurm.partition[1].busy = true;
	tasks_come(4);
	await(jobs_in(STATE_PENDING) == 1);
	await(strcmp(phase_of(job(1)), "pending") == 0);
	retire(job(1), false);
	await_from_to(0, 1, job(1)->said.state == STATE_CANCELLED);
}
END_TEST

/* Results are never thrown away without being asked to, and the job never stays without a
 * message. */
START_TEST(retire_the_last_one_with_results)
{
	const json_t *answer;

	start_running("{'maximum': 2}");
	results_on(job(0), MIB);
	pass(5);
	ask(me(), "pause", NULL);
	answer = ask(me(), "retire", json_pack("{s:s}", "job", job(0)->id));
	answer = json_object_get(answer, "waits");
	check(json_is_true(answer));
	await(told(
		"has nothing to do any more, but its results have nowhere to go: it stays until "
		"they are not needed, or another job takes them; \"dracoctl retire --force 1\" "
		"ends it without them"));
	holds_for(600, running() == 1 && strcmp(phase_of(job(0)), "draining") == 0);
	retire(job(0), true);
	await_from_to(0, 2, job(0)->said.state == STATE_COMPLETED);
}
END_TEST

Suite *unit_suite(void)
{
	return scenarios("size", all_missing_jobs_are_asked_for_at_once,
		a_few_tasks_need_a_few_workers, known_work_is_measured_in_time,
		results_need_memory, all_workers_are_paused, a_backlog_bounds_what_waits,
		jobs_that_are_not_needed_are_kept_for_a_while, needed_again_in_time,
		busy_jobs_stay, what_waits_in_the_queue_goes_first,
		a_pending_job_is_left_in_the_queue, a_hold_in_vain_shortens_the_next,
		with_nothing_to_do_the_last_job_goes, results_keep_it,
		never_where_idle_timeout_is_0, a_start_may_take_longer_than_idle_timeout,
		scale_by_hand, scale_down_lets_tasks_finish, scale_to_nothing_keeps_results,
		more_than_the_maximum_is_refused, other_bounds,
		in_a_pause_nothing_is_asked_for_or_given_back,
		a_pause_does_not_keep_jobs_from_ending, retire_an_idle_job, retire_a_busy_job,
		retire_by_force, retire_a_pending_job, retire_the_last_one_with_results);
}
