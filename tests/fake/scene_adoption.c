/* scene_adoption.c: scenarios: dracod is killed, and the next one goes on with its cluster. */
#include "world.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adopted.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"

/* While its jobs are in this phase dracod is killed; the next one comes after so long. */
static const struct {
	const char *phase;
	double after_s;
} phases[] = {
	{"new", 0},
	{"new", 60},
	{"submitted", 0},
	{"pending", 0},
	{"pending", 60},
	{"starting", 0},
	{"starting", 60},
	{"ready", 0},
	{"ready", 1800},
};

START_TEST(killed_in_a_phase)
{
	slurm.answer_ms = 100;
	start("{'minimum': 4}");
	await(jobs_of_phase(phases[_i].phase) == 2);
	world_kill();
	pass(phases[_i].after_s);
	world_come_back();
	check_adopted_jobs();
	check(told("dracod was killed"));
}
END_TEST

/* The answer to a submission is lost with the dracod that asked. */
static const struct {
	enum fault fault;
	const char *tells;
} faults[] = {
	{FAULT_HANG_BEFORE, "is not in the queue"},
	{FAULT_HANG_AFTER, "found in the queue as job 1"},
};

START_TEST(killed_during_a_submission)
{
	slurm_fault("submit", 1, faults[_i].fault);
	start("{'minimum': 4}");
	await(slurm.submissions == 1);
	pass(1);
	world_kill();
	world_come_back();
	await(told(faults[_i].tells));
	check_adopted_jobs();
}
END_TEST

START_TEST(the_size_is_kept)
{
	start_running("{'minimum': 2}");
	ask(me(), "scale", json_pack("{s:i}", "jobs", 3));
	await(jobs_of_phase("ready") == 3);
	ask(me(), "pause", NULL);
	world_kill();
	world_come_back();
	await(jobs_of_phase("ready") == 3);
	check(strcmp(status_text("size.mode"), "fixed") == 0);
	check(status_number("size.target") == 3);
	check(json_is_true(json_object_get(json_object_get(status(), "size"), "paused")));
	holds_for(3600, jobs_of_phase("ready") == 3 && jobs_submitted() == 3);
}
END_TEST

static void attach_with_share(int share)
{
	ask(me(), "attach",
		json_pack("{s:{s:s, s:i}, s:i}", "label", "client", "a", "pid", 7, "share",
			share));
}

/* A program that attaches again asks for the share of its beginning. */
START_TEST(a_share_by_hand_is_kept)
{
	start_running("{'minimum': 2}");
	attach_with_share(2);
	ask(me(), "share", json_pack("{s:s, s:i}", "program", "7", "share", 5));
	await(json_number_value(json_object_get(dask.shares, "a")) > 4.9);
	world_kill();
	world_come_back();
	attach_with_share(2);
	await(json_number_value(json_object_get(dask.shares, "a")) > 4.9);
	ask(me(), "share", json_pack("{s:s, s:i}", "program", "7", "share", 3));
	await(json_number_value(json_object_get(dask.shares, "a")) < 3.1);
}
END_TEST

static double ready_s(void)
{
	return json_number_value(json_object_get(
		json_array_get(json_object_get(status(), "jobs"), 0), "phase_s"));
}

/* What went on without dracod is not shown as if it had begun with the next one. */
START_TEST(the_times_are_kept)
{
	int64_t cluster, scheduler;

	start_running("{'minimum': 4}");
	await(jobs_of_phase("ready") == 2);
	pass(600);
	cluster = status_number("cluster.since");
	scheduler = status_number("scheduler.since");
	for (int i = 0; i < 2; i++) {
		world_kill();
		pass(100);
		forget();
		world_come_back();
		await(told("dracod was killed"));
		check(cluster_is("running"));
		check(llabs(status_number("cluster.since") - cluster) <= 1);
		check(llabs(status_number("scheduler.since") - scheduler) <= 1);
		check(ready_s() >= 700 + 100 * i && ready_s() < 720 + 100 * i);
		check(told("scheduler: goes on: process"));
		check(told("cluster fake: goes on with"));
		check(!told("stopped -> running") && !told("stopped -> up"));
	}
}
END_TEST

/* A job has ended meanwhile, and another was requeued. */
START_TEST(jobs_change_meanwhile)
{
	start_running("{'minimum': 4}");
	pass(600);
	world_kill();
	pass(10);
	job_end(job(0), STATE_NODE_FAIL, 0);
	job_requeue(job(1));
	pass(10);
	world_come_back();
	await(jobs_of_phase("ready") == 2);
	check(jobs_submitted() == 3);
	check(jobs_in(STATE_RUNNING) == 2);
	check(told("job 1_0: ready -> gone"));
	check(told("job 1_1: ready -> pending"));
}
END_TEST

/* Jobs reach their walltime while nobody replaces them. */
START_TEST(walltime_is_over_meanwhile)
{
	start_running("{'minimum': 4, 'walltime': '01:00:00'}");
	tasks_come(100);
	world_kill();
	pass(2 * 3600);
	check(jobs_in(STATE_RUNNING) == 0);
	world_come_back();
	await(jobs_of_phase("ready") > 0);
	check(!told("in a row"));
}
END_TEST

/* Of two jobs that drain, the next dracod decides anew. */
START_TEST(killed_while_a_job_drains)
{
	start_running("{'minimum': 4}");
	tasks_come(4);
	ask(me(), "retire", json_pack("{s:s}", "job", "1_0"));
	await(strcmp(phase_of(job(0)), "draining") == 0);
	world_kill();
	world_come_back();
	await(strcmp(phase_of(job(0)), "draining") == 0); /* it is still to be retired */
	check(tasks_on(job(0)) == 2);
	tasks_done();
	await(job(0)->said.state != STATE_RUNNING);
	await(jobs_of_phase("ready") == 2);
	check(jobs_submitted() == 3);
	check(!told("in a row"));
}
END_TEST

START_TEST(killed_while_a_job_ends)
{
	start_running("{'minimum': 4, 'epilogue': 'true'}");
	job(0)->deaf = true;
	ask(me(), "retire", json_pack("{s:s, s:b}", "job", "1_0", "force", 1));
	await(strcmp(phase_of(job(0)), "ending") == 0);
	world_kill();
	world_come_back();
	check(strcmp(phase_of(job(0)), "ending") == 0);
	await(job(0)->said.state != STATE_RUNNING);
	await(jobs_of_phase("ready") == 2);
	check(jobs_submitted() == 3);
	check(!told("in a row"));
}
END_TEST

START_TEST(killed_during_a_stop)
{
	start_running("{'minimum': 4, 'epilogue': 'true'}");
	job(0)->deaf = job(1)->deaf = true;
	begin(me(), "stop", NULL);
	await(cluster_is("stopping"));
	world_kill();
	world_come_back();
	check(cluster_is("stopping"));
	await(cluster_is("stopped"));
	check(jobs_in(STATE_RUNNING) == 0 && !dask_is_up() && !adopted_has_record());
}
END_TEST

/* The scheduler dies, too: what is left is ended, and the reason is told. */
START_TEST(the_scheduler_dies_meanwhile)
{
	start_running("{'minimum': 4}");
	world_kill();
	dask_die(9);
	pass(1);
	world_come_back();
	check(cluster_is("stopped"));
	await(jobs_in(STATE_RUNNING) == 0);
	check(told("its scheduler has ended, too"));
	check(!adopted_has_record());
	start_running("{'minimum': 4}");
}
END_TEST

/* dracod is killed while it waits to start the scheduler again: the next one does that, at the port
 * where jobs that have not started yet look for it. */
START_TEST(killed_between_two_schedulers)
{
	_cleanup_free_ char *address = NULL;

	start_running("{'minimum': 4}");
	address = xstrdup(status_text("scheduler.address"));
	dask_die(9);
	await(strcmp(status_text("scheduler.state"), "waiting to start again") == 0);
	world_kill();
	pass(1);
	world_come_back();
	await(process_count("dask_scheduler") == 2 && jobs_of_phase("ready") == 2);
	check(strcmp(status_text("scheduler.address"), address) == 0);
	check(!told("cannot go on"));
}
END_TEST

/* Slurm is silent: nothing is decided before it answers, or a while is over; nothing is lost. */
START_TEST(slurm_is_away)
{
	start_running("{'minimum': 4}");
	world_kill();
	slurm.away = true;
	world_come_back();
	check(cluster_is("running"));
	holds_for(600, jobs_alive() == 2 && slurm.submissions == 1);
	slurm.away = false;
	check_adopted_jobs();
}
END_TEST

/* A plugin that does not come back: the scheduler hangs, and is replaced. */
START_TEST(the_scheduler_hangs)
{
	start_running("{'minimum': 4, 'scheduler_silence': 300}");
	dask_disconnect(3600 * 1000);
	world_kill();
	world_come_back();
	holds_for(290, jobs_alive() == 2); /* nobody knows what their workers do */
	await_from_to(5, 20, process_count("dask_scheduler") == 2);
	await(jobs_of_phase("ready") == 2);
}
END_TEST

/* Before the cluster knew anything but its settings: who asks at once gets an answer. */
START_TEST(killed_before_anything_is_known)
{
	start("{'minimum': 4}");
	await(cluster_is("starting"));
	world_kill();
	world_come_back();
	check(cluster_is("starting"));
	check(told("dracod was killed; its start goes on"));
	check_adopted_jobs();
}
END_TEST

/* Dozens of times, at all moments of a start. */
START_TEST(killed_again_and_again)
{
	start("{'minimum': 4}");
	await(cluster_is("starting"));
	for (int i = 0; i < 40; i++) {
		pass(0.037 * i);
		world_kill();
		pass(0.011 * i);
		world_come_back();
	}
	check_adopted_jobs();
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = scenarios("adoption", killed_before_anything_is_known, the_size_is_kept,
		a_share_by_hand_is_kept, the_times_are_kept, jobs_change_meanwhile,
		walltime_is_over_meanwhile, killed_while_a_job_drains, killed_while_a_job_ends,
		killed_during_a_stop, the_scheduler_dies_meanwhile,
		killed_between_two_schedulers, slurm_is_away, the_scheduler_hangs,
		killed_again_and_again);

	scenario_of_table(suite, killed_in_a_phase, LENGTH(phases));
	scenario_of_table(suite, killed_during_a_submission, LENGTH(faults));
	return suite;
}
