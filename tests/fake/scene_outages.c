/* scene_outages.c: scenarios: draco-slurm, slurmctld or the Dask scheduler dies, hangs or is
 * unreachable. */
#include "world.h"

#include <signal.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"

static bool slurm_answers(void)
{
	return json_get_boolean(json_object_get(status(), "slurm"), "answering", 0);
}

static int notices(void)
{
	return (int)json_array_size(
		json_object_get(json_object_get(status(), "cluster"), "notices"));
}

/* draco-slurm */

START_TEST(draco_slurm_does_not_start)
{
	slurm.helper_fails = "error: resolve_ctls_from_dns_srv: res_nsearch error\n"
			     "fatal: Could not establish a configuration source\n";
	start("");
	check(strstr(start_error(),
		"Slurm cannot be used: draco-slurm exited with status 1: "
		"fatal: Could not establish a configuration source (does sinfo work on this "
		"host?)"));
	check(cluster_is("failed"));
}
END_TEST

START_TEST(draco_slurm_dies_now_and_then)
{
	start_running("{'minimum': 4, 'poll_interval': 1}");
	for (int i = 0; i < 10; i++) {
		slurm_fault("query", 1, FAULT_DIE_BEFORE);
		await(times_told("does not answer") == i + 1);
		await_from_to(0, 60, times_told("answers again") == i + 1);
	}
	check(jobs_submitted() == 2);
	check(jobs_of_phase("ready") == 2);
}
END_TEST

START_TEST(draco_slurm_hangs)
{
	start_running("{'poll_interval': 1}");
	slurm_fault("query", 1, FAULT_HANG_BEFORE);
	pass(5);
	check(!slurm_answers());
	check(strstr(status_text("slurm.error"), "the current request is still unanswered"));
	await(told("ending draco-slurm"));
	check(strstr(status_text("slurm.error"), "no answer from slurmctld within"));
	await_from_to(0, 60, slurm_answers());
	check(told("slurm: answers again"));
	check(strcmp(phase_of(job(0)), "ready") == 0);
}
END_TEST

/* draco-slurm ends when there is nothing to ask, and starts again when there is. */
START_TEST(draco_slurm_rests)
{
	start_running("");
	ask(me(), "stop", NULL);
	pass(60);
	check(status_number("slurm.helper_pid") == 0);
	start_running("");
	check(status_number("slurm.helper_pid") != 0);
}
END_TEST

/* slurmctld */

START_TEST(slurmctld_is_away_for_an_hour)
{
	json_int_t since;

	start_running("{'minimum': 4}");
	pass(100);
	slurm.away = true;
	await_from_to(0, 60, !slurm_answers());
	check(strstr(status_text("slurm.error"), "Unable to contact slurm controller"));
	since = status_number("slurm.since");
	holds_for(3600, cluster_is("running") && jobs_of_phase("ready") == 2);
	ck_assert_int_le(status_number("slurm.since") - since, 5);
	check(times_told("slurm: does not answer") == 1);
	/* dracod notices the ends of jobs after the outage. */
	job_end(job(0), STATE_NODE_FAIL, 0);
	holds_for(100, jobs_submitted() == 2);
	slurm.away = false;
	await_from_to(0, 70, told("slurm: answers again"));
	await_from_to(0, 10, jobs_submitted() == 3);
	await(jobs_of_phase("ready") == 2);
}
END_TEST

START_TEST(it_is_away_when_a_cluster_starts)
{
	slurm.away = true;
	start("");
	await_from_to(14, 22, cluster_is("failed"));
	check(strstr(start_error(), "Slurm does not answer: cannot reach slurmctld"));
}
END_TEST

/* slurmctld listens and is too busy to answer. A start waits for it as long as for a place. */
START_TEST(it_is_silent_when_a_cluster_starts)
{
	slurm_fault("site", 4, FAULT_HANG_BEFORE);
	start("");
	pass(60);
	check(strstr(progress_of(me()), "Slurm does not answer: "));
	check(start_succeeded());
}
END_TEST

START_TEST(it_is_silent_for_too_long)
{
	slurm_fault("site", 100, FAULT_HANG_BEFORE);
	start("{'wait_timeout': 120}");
	await_from_to(120, 150, cluster_is("failed"));
	check(strstr(start_error(), "Slurm does not answer: "));
}
END_TEST

START_TEST(it_comes_in_time_for_a_start)
{
	slurm.away = true;
	start("");
	pass(10);
	check(strstr(progress_of(me()), "Slurm does not answer: "));
	slurm.away = false;
	check(start_succeeded());
}
END_TEST

/* After Slurm's first answer a start waits as long as for a place. */
START_TEST(it_goes_away_during_a_start)
{
	start("{'wait_timeout': 120}");
	await(slurm.surveys == 1);
	slurm.away = true;
	await_from_to(115, 125, cluster_is("failed"));
	check(strstr(start_error(), "Slurm has not taken a job within 2 min (wait_timeout)"));
	check(jobs_submitted() == 0);
}
END_TEST

/* A stop does not claim ends that it cannot know. The jobs are ended when Slurm answers again. */
START_TEST(it_is_away_when_a_cluster_stops)
{
	int number;

	start_running("{'minimum': 4}");
	slurm.away = true;
	number = begin(me(), "stop", NULL);
	await_from_to(20, 30, is_answered(me(), number));
	check(json_get_integer(result_of(me(), number), "unconfirmed", 0) == 2);
	check(told("2 jobs are not confirmed to be gone (1_0, 1_1): what is left is ended as "
		   "soon as Slurm answers"));
	check(cluster_is("stopped"));
	pass(3600);
	check(jobs_in(STATE_RUNNING) == 2 || jobs_in(STATE_COMPLETED) == 2);
	slurm.away = false;
	await_from_to(0, 121, jobs_in(STATE_RUNNING) == 0);
	await_from_to(0, 600, json_array_size(json_object_get(status(), "jobs")) < 3);
}
END_TEST

/* A crashed dracod has left jobs. Its state file lists their ids. */
START_TEST(jobs_of_a_dracod_that_crashed)
{
	_cleanup_free_ char *path = state_path("state.json");
	struct fake_job *left, *other;
	FILE *file;

	file = fopen(path, "we");
	ck_assert_msg(file != NULL, "%s", path);
	fputs("{\"version\": 1, \"clusters\": [\"0000beef\"]}", file);
	fclose(file);
	world_restart();
	left = slurm_add_job("draco-fake-0000beef.1");
	other = slurm_add_job("draco-fake-0000cafe.1");
	await(told("job 1: ending it, it is of an earlier cluster"));
	check(left->said.state == STATE_CANCELLED);
	pass(600);
	check(other->said.state == STATE_RUNNING);
	/* dracod sends no further queries. */
	slurm.queries = 0;
	pass(3600);
	check(slurm.queries == 0);
}
END_TEST

/* A settled cluster sends few queries, however many jobs it has: docs/administrators.md has the
 * number. */
START_TEST(slurm_is_not_asked_too_often)
{
	start_running(_i ? "{'walltime': '10:00:00', 'minimum': 16, 'maximum': 16}"
			 : "{'walltime': '10:00:00'}");
	pass(600);
	slurm.queries = 0;
	pass(3600);
	ck_assert_int_ge(slurm.queries, 30);
	ck_assert_int_le(slurm.queries, 130);
	check(slurm.surveys == 1 && slurm.predictions == 1);
}
END_TEST

START_TEST(while_a_job_waits_it_is_asked_more_often_but_less_and_less)
{
	slurm.partition[0].busy = slurm.partition[1].busy = true;
	start("{'wait_timeout': 100000}");
	await(jobs_submitted() == 1);
	slurm.queries = 0;
	pass(10);
	ck_assert_int_ge(slurm.queries, 10);
	pass(600);
	slurm.queries = 0;
	pass(600);
	ck_assert_int_le(slurm.queries, 130);
}
END_TEST

/* The scheduler */

START_TEST(the_scheduler_dies)
{
	_cleanup_free_ char *address = NULL;

	start_running("{'minimum': 4}");
	pass(100);
	address = xstrdup(status_text("scheduler.address"));
	dask_die(SIGKILL);
	await(told("scheduler: was ended by signal 9 (Killed), failure 1 in a row"));
	await_from_to(0.4, 2, dask_is_up());
	ck_assert_str_eq(status_text("scheduler.address"), address);
	await(workers() == 4);
	check(cluster_is("running"));
	check(jobs_submitted() == 4);
}
END_TEST

START_TEST(the_scheduler_dies_during_a_start)
{
	dask.worker_ms = 20000;
	start("");
	await(jobs_in(STATE_RUNNING) == 1 && dask_is_up());
	dask_die(SIGSEGV);
	check(start_succeeded());
	check(jobs_submitted() == 1); /* its workers had not connected yet */
}
END_TEST

/* Nor have they when the job ends with the scheduler, for which it is not to blame. */
START_TEST(a_job_that_was_starting_ends_with_it)
{
	dask.worker_ms = 20000;
	start("");
	await(jobs_of_phase("starting") == 1 && dask_is_up());
	pass(5);
	dask_die(SIGSEGV);
	if (_i) { /* dracod, too */
		await(dask_is_up());
		world_kill();
		world_come_back();
	}
	pass(1);
	job_end(job(0), STATE_FAILED, 1);
	await(cluster_is("running"));
	check(jobs_submitted() == 2);
	check(told("its scheduler had gone"));
	check(!told("forkserver") && !told("(failure 1 in a row)"));
	check(notices() == 0);
}
END_TEST

/* If its workers do not come to the next scheduler, it is replaced, and then the reason is told. */
START_TEST(a_job_that_was_starting_has_no_workers)
{
	dask.no_workers = true;
	start("{'worker_timeout': 120}");
	await(jobs_of_phase("starting") == 1 && dask_is_up());
	pass(5);
	dask_die(SIGSEGV);
	await_from_to(110, 130, jobs_submitted() == 2);
	check(told("its scheduler had gone"));
	await_from_to(50, 130, jobs_submitted() == 3 || cluster_is("failed"));
}
END_TEST

START_TEST(the_scheduler_dies_again_and_again)
{
	start_running("");
	for (int i = 0; i < 3; i++) {
		await(dask_is_up());
		pass(5);
		dask_die(SIGKILL);
	}
	await(cluster_is("failed"));
	check(strstr(status_text("cluster.failure.message"),
		"the Dask scheduler was ended by signal 9 (Killed), 3 times in a row"));
	check(jobs_in(STATE_RUNNING) == 0);
	start_running(""); /* the cluster can be started again */
}
END_TEST

START_TEST(the_scheduler_dies_once_an_hour)
{
	start_running("");
	for (int i = 0; i < 6; i++) {
		await(dask_is_up() && workers() == 2);
		pass(3600);
		dask_die(SIGKILL);
	}
	await(dask_is_up() && workers() == 2);
	check(cluster_is("running"));
	check(!told("failure 2 in a row"));
}
END_TEST

START_TEST(the_scheduler_does_not_start)
{
	dask.boots_failing = 3;
	start("");
	check(strstr(
		start_error(), "the Dask scheduler exited with status 1, 3 times in a row"));
	check(told("ImportError: no module named anything"));
}
END_TEST

START_TEST(the_preload_never_connects)
{
	dask.silent = true;
	start("{'scheduler_timeout': 60}");
	await_from_to(60, 65, cluster_is("failed"));
	check(strstr(start_error(),
		"the Dask scheduler runs, but draco's plugin in it did not connect within "
		"1 min (scheduler_timeout)"));
	check(jobs_in(STATE_RUNNING) == 0);
}
END_TEST

/* It runs, and its event loop does not turn. */
START_TEST(the_scheduler_does_not_answer)
{
	start_running("{'minimum': 4, 'scheduler_silence': 300}");
	pass(100);
	dask.mute = true;
	await_from_to(
		30, 61, told("the Dask scheduler (process 4000004) has not answered since"));
	check(notices() == 1);
	pass(60);
	if (_i) { /* it was only busy */
		dask.mute = false;
		await_from_to(0, 31, told("it answers again"));
		check(notices() == 0);
		holds_for(600, !told("killing it"));
		return;
	}
	await_from_to(150, 260, told("has not answered for scheduler_silence, killing it"));
	dask.mute = false;
	await_from_to(0, 120, workers() == 4);
	check(notices() == 0);
}
END_TEST

#define GIB ((int64_t)1 << 30)

/* Little memory is left for it: the user is told, until there is more, or the kernel ends it. */
START_TEST(the_scheduler_fills_the_memory)
{
	process_memory = (struct memory_use){3 * GIB, 10 * GIB, 16 * GIB, true};
	start_running("{'minimum': 4}");
	pass(100);
	check(notices() == 0 && status_number("scheduler.memory.left") == (double)(10 * GIB));
	process_memory.used = 13 * GIB;
	process_memory.room = GIB;
	await_from_to(0, 16,
		told("process 4000004) uses 13.0 GiB of memory, and only 1.0 GiB of the 16.0 "
		     "GiB of its cgroup is left"));
	check(notices() == 1);
	pass(100);
	if (_i) {
		process_memory.room = 4 * GIB;
		await_from_to(0, 16, notices() == 0);
		dask_die(SIGKILL);
		await(told("was ended by signal 9 (Killed), failure 1 in a row"));
		return;
	}
	process_kills++;
	dask_die(SIGKILL);
	await(told(
		"was ended by signal 9 (Killed) by the kernel, because memory was full: shortly "
		"before, it used 13.0 GiB, and 1.0 GiB of the 16.0 GiB of its cgroup was left"));
	check(notices() == 1); /* the end, in place of the warning */
	process_memory = (struct memory_use){GIB, 15 * GIB, 16 * GIB, true};
	await_from_to(0, 120, workers() == 4);
	dask_die(SIGKILL);
	await(told("was ended by signal 9 (Killed), failure 2 in a row"));
}
END_TEST

/* Nobody limits the scheduler of a dracod that no systemd runs: that is told. */
START_TEST(a_limit_of_the_scheduler_does_not_hold)
{
	start_running("{'scheduler_memory_max': '4 GiB', 'scheduler_cpu_weight': 50}");
	await_from_to(0, 5,
		told("scheduler_memory_max, scheduler_cpu_weight do not hold: this dracod is no "
		     "service of systemd's user manager"));
	holds_for(100, notices() == 1);
}
END_TEST

START_TEST(the_preload_loses_its_connection)
{
	start_running("{'minimum': 4}");
	pass(100);
	dask_disconnect(15000);
	await(told("lost the connection to draco's plugin in the scheduler"));
	holds_for(14, cluster_is("running"));
	await_from_to(0, 2, dask_is_up());
	await(status_number("cluster.workers") == 4);
	check(jobs_submitted() == 2);
	check(process_count("dask_scheduler") == 1);
}
END_TEST

START_TEST(and_does_not_come_back)
{
	start_running("");
	pass(100);
	dask_disconnect(1000000);
	await_from_to(20, 21, told("does not respond, killing it"));
	await_from_to(0, 10, dask_is_up());
	check(process_count("dask_scheduler") == 2);
	await(workers() == 2);
}
END_TEST

START_TEST(the_scheduler_hangs_at_the_end)
{
	start_running("");
	dask.deaf = true;
	await_from_to(6, 9, ask(me(), "stop", NULL));
	check(told("does not respond, killing it"));
	check(cluster_is("stopped"));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = scenarios("outages", draco_slurm_does_not_start,
		draco_slurm_dies_now_and_then, draco_slurm_hangs, draco_slurm_rests,
		slurmctld_is_away_for_an_hour, it_is_away_when_a_cluster_starts,
		it_is_silent_when_a_cluster_starts, it_is_silent_for_too_long,
		it_comes_in_time_for_a_start, it_goes_away_during_a_start,
		it_is_away_when_a_cluster_stops, jobs_of_a_dracod_that_crashed,
		while_a_job_waits_it_is_asked_more_often_but_less_and_less, the_scheduler_dies,
		the_scheduler_dies_during_a_start, a_job_that_was_starting_has_no_workers,
		the_scheduler_dies_again_and_again, the_scheduler_dies_once_an_hour,
		the_scheduler_does_not_start, the_preload_never_connects,
		the_preload_loses_its_connection, and_does_not_come_back,
		the_scheduler_hangs_at_the_end, a_limit_of_the_scheduler_does_not_hold);

	scenario_of_table(suite, a_job_that_was_starting_ends_with_it, 2);
	scenario_of_table(suite, the_scheduler_does_not_answer, 2);
	scenario_of_table(suite, the_scheduler_fills_the_memory, 2);
	scenario_of_table(suite, slurm_is_not_asked_too_often, 2);
	return suite;
}
