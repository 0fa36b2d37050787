/* scene_nodes.c: scenarios: several failures in a row: the back-off, giving up, excluded nodes, and
 * a user who cancels the jobs. */
#include "world.h"

#include <string.h>
#include <time.h>

/* Another job runs all the time, on n2 or a later node, so that the cluster continues. */
#define TWO_JOBS "'minimum': 4, 'poll_interval': 1, 'worker_start': 'spawn'"

/* Two jobs. The other one proved long ago that jobs can work. */
static void start_two(const char *settings)
{
	start_running(settings);
	pass(100);
}

static void doom_n1(void)
{
	slurm.doomed_node = "n1";
	slurm_doom(STATE_FAILED, 1, 3);
}

START_TEST(the_waits_double)
{
	static const int waits_s[] = {5, 10, 20, 40, 80, 160, 300, 300};

	start_two("{" TWO_JOBS ", 'failure_limit': 20}");
	slurm_doom(STATE_FAILED, 1, 3);
	job_end(job(0), STATE_CANCELLED, 0);
	for (size_t i = 0; i < LENGTH(waits_s); i++) {
		char text[64];
		int before;

		snprintf(text, sizeof(text), "submission waits %d s (failure %d in a row)",
			waits_s[i], (int)i + 1);
		await(told(text));
		before = jobs_submitted();
		await_from_to(waits_s[i] - 0.5, waits_s[i] + 1, jobs_submitted() == before + 1);
	}
}
END_TEST

START_TEST(a_job_that_lives_ends_the_row)
{
	start_running("{'minimum': 2, 'poll_interval': 1, 'worker_start': 'spawn'}");
	job_end(job(0), STATE_FAILED, 1);
	await(told("(failure 1 in a row)"));
	await(jobs_submitted() == 2);
	await(strcmp(phase_of(job(1)), "ready") == 0);
	pass(30);
	job_end(job(1), STATE_FAILED, 1);
	await(told("(failure 2 in a row)"));
	await(jobs_submitted() == 3);
	await(strcmp(phase_of(job(2)), "ready") == 0);
	pass(70);
	job_end(job(2), STATE_FAILED, 1);
	await(jobs_submitted() == 4);
	await(strcmp(phase_of(job(3)), "ready") == 0);
	forget();
	job_end(job(3), STATE_FAILED, 1);
	await(told("(failure 1 in a row)"));
}
END_TEST

START_TEST(jobs_that_fail_together_are_one_failure)
{
	start_running("{'minimum': 8, 'poll_interval': 1, 'worker_start': 'spawn'}");
	for (int i = 0; i < 3; i++)
		job_end(job(i), STATE_FAILED, 1);
	await(told("(failure 1 in a row)"));
	await(times_told("as others did just now") == 2);
	await_from_to(4, 6, jobs_submitted() == 7);
	check(!told("(failure 2 in a row)"));
}
END_TEST

/* If jobs work, a run of failures only ends the requests for more. */
START_TEST(jobs_that_work_are_kept)
{
	start_two("{" TWO_JOBS ", 'failure_limit': 2}");
	slurm_doom(STATE_FAILED, 1, 3);
	job_end(job(0), STATE_CANCELLED, 0);
	await(has_notice("2 failures in a row (failure_limit)"));
	check(has_notice(
		"draco requests no more jobs until \"dracoctl --name " NAME " resume\""));
	check(jobs_submitted() == 2 + 2);
	check(cluster_is("running"));
	holds_for(1200, jobs_submitted() == 4 && strcmp(phase_of(job(1)), "ready") == 0);
	/* The user resumes. */
	slurm.doomed = false;
	ask(me(), "resume", NULL);
	await_from_to(0, 1, jobs_submitted() == 5);
	await(jobs_of_phase("ready") == 2);
	check(!has_notice("draco requests no more jobs"));
}
END_TEST

/* The next dracod knows what the notice is about. */
START_TEST(resumed_after_dracod_was_killed)
{
	start_two("{" TWO_JOBS ", 'failure_limit': 2}");
	slurm_doom(STATE_FAILED, 1, 3);
	job_end(job(0), STATE_CANCELLED, 0);
	await(has_notice("draco requests no more jobs"));
	world_kill();
	world_come_back();
	await(has_notice("draco requests no more jobs"));
	slurm.doomed = false;
	ask(me(), "resume", NULL);
	check(!has_notice("draco requests no more jobs"));
	await(jobs_of_phase("ready") == 2);
}
END_TEST

START_TEST(when_the_last_one_goes_the_cluster_has_failed)
{
	start_two("{" TWO_JOBS ", 'failure_limit': 2}");
	slurm_doom(STATE_FAILED, 1, 3);
	job_end(job(0), STATE_CANCELLED, 0);
	await(has_notice("draco requests no more jobs"));
	job_end(job(1), STATE_CANCELLED, 0);
	await_from_to(0, 60, cluster_is("failed"));
	check(strstr(status_text("cluster.failure.message"), "2 failures in a row"));
}
END_TEST

START_TEST(nothing_works_any_more)
{
	start_running("{'minimum': 2, 'failure_limit': 3, 'poll_interval': 1}");
	slurm_doom(STATE_FAILED, 91, 3);
	slurm.doom_text = "it is broken";
	job_end(job(0), STATE_CANCELLED, 0);
	await(cluster_is("failed"));
	check(jobs_submitted() == 1 + 3);
	check(told("the next submission waits 5 s (failure 1 in a row)"));
	check(told("the next submission waits 10 s (failure 2 in a row)"));
	check(strstr(status_text("cluster.failure.message"),
		"its prologue failed; 3 failures in a row (failure_limit)"));
	check(strstr(status_text("cluster.failure.tail"), "it is broken"));
	check(jobs_in(STATE_RUNNING) == 0 && !dask_is_up());
}
END_TEST

/* A start fails at once when it has no job left, whether it had one job or several side by side. */
START_TEST(a_start_fails_at_once)
{
	slurm_doom(STATE_FAILED, 91, 1);
	slurm.doom_text = "no such module";
	start(_i ? "{'minimum': 6}" : "{'minimum': 2}");
	await_from_to(1, 10, strstr(start_error(), ": its prologue failed"));
	check(jobs_submitted() == (_i ? 3 : 1));
	check(told("no such module"));
	check(cluster_is("failed"));
	check(jobs_in(STATE_PENDING) == 0 && jobs_in(STATE_RUNNING) == 0 && !dask_is_up());
}
END_TEST

/* A user who resumes after a pause does not wait for the rest of a back-off. */
START_TEST(a_resume_forgets_the_failures)
{
	start_two("{" TWO_JOBS "}");
	slurm_doom(STATE_FAILED, 1, 3);
	job_end(job(0), STATE_CANCELLED, 0);
	await(told("submission waits 40 s (failure 4 in a row)"));
	pass(5);
	slurm.submissions = 0;
	ask(me(), "pause", NULL);
	ask(me(), "resume", NULL);
	await_from_to(0, 1, slurm.submissions == 1);
	await(told("submission waits 5 s (failure 1 in a row)"));
}
END_TEST

/* One job of a start fails while another may still bring workers. */
START_TEST(a_start_goes_on_with_the_others)
{
	doom_n1();
	slurm.doom_after_s = 1;
	start("{" TWO_JOBS "}");
	await(told("(failure 1 in a row)"));
	slurm.doomed = false;
	check(start_succeeded());
	check(jobs_submitted() == 3);
}
END_TEST

START_TEST(a_node_that_fails_jobs_is_left_out)
{
	json_int_t until;

	start_two("{" TWO_JOBS ", 'maximum': 4}");
	doom_n1();
	job_end(job(0), STATE_CANCELLED, 0);
	await(is_excluded("n1"));
	check(jobs_in(STATE_FAILED) == 3);
	check(has_notice("node n1 is excluded until"));
	check(has_notice("jobs have failed there 3 times within an hour"));
	until = json_integer_value(json_object_get(
		json_array_get(
			json_object_get(json_object_get(status(), "cluster"), "excluded_nodes"),
			0),
		"until"));
	ck_assert_int_le(until - time(NULL), 3600);
	ck_assert_int_ge(until - time(NULL), 3590);
	await(jobs_of_phase("ready") == 2);
	check(strcmp(slurm.last_exclude, "n1") == 0);
	/* The node is excluded for an hour. */
	holds_for(3500, is_excluded("n1") && has_notice("node n1 is excluded until"));
	await_from_to(0, 110, !is_excluded("n1") && !has_notice("node n1 is excluded until"));
}
END_TEST

START_TEST(the_next_start_and_the_next_dracod_know_it)
{
	start_running("{" TWO_JOBS "}");
	doom_n1();
	job_end(job(0), STATE_FAILED, 1);
	await(is_excluded("n1"));
	ask(me(), "stop", NULL);
	start_running("{" TWO_JOBS "}");
	check(strcmp(slurm.last_exclude, "n1") == 0);
	ask(me(), "stop", NULL);
	world_restart();
	check(is_excluded("n1"));
	start_running("");
	check(strcmp(slurm.last_exclude, "n1") == 0);
	check(strcmp(job(0)->said.nodes, "n2") == 0);
}
END_TEST

/* A node that destroys pending jobs one after the other does not get all of them. */
START_TEST(pending_jobs_avoid_it_too)
{
	slurm.nodes = 2;
	start_two("{" TWO_JOBS ", 'maximum': 20}");
	doom_n1();
	tasks_come(100);
	await(jobs_submitted() == 10);
	job_end(job(0), STATE_CANCELLED, 0);
	await(is_excluded("n1"));
	await_from_to(0, 1, job(9)->exclude && strcmp(job(9)->exclude, "n1") == 0);
	check(jobs_in(STATE_FAILED) < 6);
	holds_for(600, job(9)->said.state == STATE_PENDING);
}
END_TEST

START_TEST(failures_far_apart_are_none_of_the_node)
{
	slurm.nodes = 2;
	start_running("{" TWO_JOBS ", 'walltime': '3-00:00:00', 'maximum': 4}");
	for (int i = 0; i < 4; i++) {
		struct fake_job *last;

		await(jobs_of_phase("ready") == 2);
		last = job(i ? i + 1 : 0);
		check(strcmp(last->said.nodes, "n1") == 0);
		job_end(last, STATE_NODE_FAIL, 0);
		await(jobs_submitted() == i + 3);
		pass(1900); /* the third failure is more than an hour after the first */
		check(!is_excluded("n1"));
	}
}
END_TEST

START_TEST(nodes_that_a_user_names_are_used)
{
	slurm.nodes = 2;
	start_running("{" TWO_JOBS ", 'directives': {'nodelist': 'n1,n2'}}");
	doom_n1();
	job_end(job(0), STATE_FAILED, 1);
	await(jobs_in(STATE_FAILED) == 4);
	check(!is_excluded("n1"));
}
END_TEST

START_TEST(where_there_is_no_other_node_it_is_tried_again)
{
	slurm.nodes = 1;
	start_running("{'minimum': 2, 'failure_limit': 4, 'poll_interval': 1, "
		      "'worker_start': 'spawn'}");
	slurm_doom(STATE_FAILED, 1, 3);
	job_end(job(0), STATE_CANCELLED, 0);
	await(told("there is no place without the excluded nodes: n1 may be used again"));
	await(cluster_is("failed"));
	check(strstr(status_text("cluster.failure.message"), "4 failures in a row"));
}
END_TEST

START_TEST(jobs_fail_wherever_they_run)
{
	start_running("{'minimum': 2, 'poll_interval': 1, 'worker_start': 'spawn'}");
	slurm_doom(STATE_FAILED, 1, 3);
	job_end(job(0), STATE_CANCELLED, 0);
	await(cluster_is("failed"));
	check(told("jobs fail wherever they run: n1 may be used again"));
	check(!is_excluded("n1"));
}
END_TEST

START_TEST(one_that_is_cancelled_is_replaced)
{
	start_running("{" TWO_JOBS "}");
	job_end(job(0), STATE_CANCELLED, 0);
	await_from_to(0, 2, jobs_submitted() == 3);
	await(jobs_of_phase("ready") == 2);
	check(!told("in a row"));
}
END_TEST

/* draco does not fight against a user who cancels its jobs. */
START_TEST(somebody_cancels_all)
{
	start_running("{'minimum': 6, 'maximum': 6, 'poll_interval': 1}");
	for (int i = 0; i < 3; i++)
		job_end(job(i), STATE_CANCELLED, 0);
	await(has_notice("jobs are being cancelled by someone: draco requests no more jobs "
			 "until \"dracoctl --name " NAME " resume\""));
	check(json_array_size(
		      json_object_get(json_object_get(status(), "cluster"), "notices")) == 1);
	holds_for(3600, jobs_submitted() == 3 && cluster_is("running"));
	ask(me(), "resume", NULL);
	await_from_to(0, 1, jobs_submitted() == 6);
}
END_TEST

START_TEST(somebody_cancels_the_jobs_of_a_start)
{
	slurm.partition[0].busy = slurm.partition[1].busy = true;
	start("{'minimum': 6, 'maximum': 6, 'poll_interval': 1}");
	await(jobs_submitted() == 3);
	for (int i = 0; i < 3; i++)
		job_end(job(i), STATE_CANCELLED, 0);
	check(strstr(start_error(), "jobs are being cancelled by someone: 3 within a minute"));
	check(cluster_is("failed"));
	check(jobs_in(STATE_PENDING) == 0);
}
END_TEST

START_TEST(now_and_then_one_is_cancelled)
{
	start_running("{'minimum': 2, 'poll_interval': 1}");
	for (int i = 0; i < 5; i++) {
		await(jobs_of_phase("ready") == 1);
		pass(35);
		job_end(job(i), STATE_CANCELLED, 0);
		await_from_to(0, 2, jobs_submitted() == i + 2);
	}
}
END_TEST

/* Nodes that boot, and jobs that are suspended. */

static const char *reason_of_job(size_t at)
{
	const json_t *jobs = json_object_get(status(), "jobs");

	return json_string_value(json_object_get(json_array_get(jobs, at), "reason"));
}

/* A job whose node boots for longer than wait_timeout and worker_timeout keeps its place. */
START_TEST(a_node_that_boots_is_waited_for)
{
	slurm.boots_s = 200;
	start("{'wait_timeout': 20, 'worker_timeout': 60}");
	await_from_to(0, 60, jobs_submitted() == 1 && job(0)->said.state == STATE_CONFIGURING);
	holds_for(180, cluster_is("starting") && jobs_submitted() == 1);
	check(!job(0)->updated);
	check(strncmp(reason_of_job(0), "booting n1 for 2 min", 20) == 0);
	await_from_to(0, 60, cluster_is("running"));
	check(jobs_submitted() == 1);
}
END_TEST

/* A suspended job counts as missing: its workers get no tasks, and another job is requested. */
START_TEST(a_suspended_job_is_missing)
{
	int drains, undrains;

	start_running("{'minimum': 2, 'worker_timeout': 60}");
	drains = dask.drains;
	undrains = dask.undrains;
	job_suspend(job(0));
	await_from_to(0, 60, jobs_submitted() == 2);
	check(dask.drains == drains + 1);
	check(strncmp(reason_of_job(0), "suspended for ", 14) == 0);
	holds_for(200, !slurm_state_is_end(job(0)->said.state));
	job_resume(job(0));
	await_from_to(0, 60, dask.undrains > undrains);
	check(reason_of_job(0) == NULL);
	await(jobs_in(STATE_RUNNING) == 1); /* the surplus job is given back */
	await(jobs_of_phase("ready") == 1);
}
END_TEST

/* A suspended job counts towards the maximum: no more jobs have nodes than the user wants. */
START_TEST(a_suspended_job_counts_towards_the_maximum)
{
	int undrains;

	start_running("{'minimum': 2, 'maximum': 2, 'processes': 2}");
	check(jobs_submitted() == 1);
	undrains = dask.undrains;
	job_suspend(job(0));
	await_from_to(0, 60, reason_of_job(0) != NULL);
	holds_for(200, jobs_submitted() == 1);
	check(!slurm_state_is_end(job(0)->said.state));
	job_resume(job(0));
	await_from_to(0, 60, dask.undrains > undrains && reason_of_job(0) == NULL);
	holds_for(60, jobs_submitted() == 1 && jobs_of_phase("ready") == 1);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = scenarios("nodes", the_waits_double, a_job_that_lives_ends_the_row,
		jobs_that_fail_together_are_one_failure, jobs_that_work_are_kept,
		resumed_after_dracod_was_killed, when_the_last_one_goes_the_cluster_has_failed,
		nothing_works_any_more, a_resume_forgets_the_failures,
		a_start_goes_on_with_the_others, a_node_that_fails_jobs_is_left_out,
		the_next_start_and_the_next_dracod_know_it, pending_jobs_avoid_it_too,
		failures_far_apart_are_none_of_the_node, nodes_that_a_user_names_are_used,
		where_there_is_no_other_node_it_is_tried_again, jobs_fail_wherever_they_run,
		one_that_is_cancelled_is_replaced, somebody_cancels_all,
		somebody_cancels_the_jobs_of_a_start, now_and_then_one_is_cancelled,
		a_node_that_boots_is_waited_for, a_suspended_job_is_missing,
		a_suspended_job_counts_towards_the_maximum);

	scenario_of_table(suite, a_start_fails_at_once, 2);
	return suite;
}
