/* scene_by_hand.c: scenarios: size, pause and the end of one job, by the user's word. */
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

START_TEST(a_lower_maximum_lets_tasks_finish)
{
	start_running("");
	tasks_come(100);
	await(tasks_on(job(0)) == 2 && workers() == 8);
	pass(5);
	ask(me(), "adapt", json_pack("{s:i}", "maximum", 4));
	await(jobs_of_phase("draining") == 2);
	check(told("there are more jobs than the maximum"));
	holds_for(600, running() == 4 && jobs_of_phase("draining") == 2);
	for (int i = 0; i < 4; i++)
		if (is_drained(job(i)))
			tasks_done_on(job(i));
	await_from_to(0, 3, running() == 2);
	check(jobs_in(STATE_COMPLETED) == 2);
	holds_for(600, running() == 2 && jobs_of_phase("ready") == 2);
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
	await_from_to(0, 5, !has_notice("stays although no job is wanted"));
}
END_TEST

START_TEST(more_than_the_maximum_is_refused)
{
	start_running("");
	check(strstr(ask_in_vain(me(), "scale", json_pack("{s:i}", "workers", 100)),
		"scale: 100 workers are 50 jobs, more than the maximum of 4 jobs"));
	check(strstr(ask_in_vain(me(), "scale", json_pack("{s:i}", "jobs", 9)),
		"(dracoctl --name " NAME " adapt --maximum 18)"));
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
		   "--name " NAME " resume\" requests one"));
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
		"they are not needed, or another job takes them; \"dracoctl --name " NAME
		" retire --force 1\" ends it without them"));
	holds_for(600, running() == 1 && strcmp(phase_of(job(0)), "draining") == 0);
	retire(job(0), true);
	await_from_to(0, 2, job(0)->said.state == STATE_COMPLETED);
}
END_TEST

Suite *unit_suite(void)
{
	return scenarios("by hand", scale_by_hand, scale_down_lets_tasks_finish,
		a_lower_maximum_lets_tasks_finish, scale_to_nothing_keeps_results,
		more_than_the_maximum_is_refused, other_bounds,
		in_a_pause_nothing_is_asked_for_or_given_back,
		a_pause_does_not_keep_jobs_from_ending, retire_an_idle_job, retire_a_busy_job,
		retire_by_force, retire_a_pending_job, retire_the_last_one_with_results);
}
