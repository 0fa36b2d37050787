/* scene_handover.c: scenarios: a walltime ends, and another job takes over before that. */
#include "world.h"

#include <string.h>

#define WALLTIME_S 5400

static double left_s(const struct fake_job *job)
{
	return (double)(job->said.end_time - clock_elsewhere());
}

/* The end of the job that the preload was told, less its margin. */
static double told_s(const struct fake_job *job)
{
	char name[40];

	snprintf(name, sizeof(name), "draco-%s", job->id);
	return json_number_value(json_object_get(dask.limit, name));
}

START_TEST(another_job_takes_over)
{
	start_running("");
	await(jobs_submitted() == 2);
	/* The margin is two minutes (handover_margin), and a new job takes some time to start. */
	ck_assert_double_ge(left_s(job(0)), 120);
	ck_assert_double_le(left_s(job(0)), 200);
	await(strcmp(phase_of(job(1)), "ready") == 0);
	await(job(0)->said.state == STATE_COMPLETED);
	check(told("job 1: ready -> draining"));
	check(told("its walltime ends soon"));
}
END_TEST

/* For more than a day the cluster never falls below its size, and Slurm ends no job. */
START_TEST(longer_than_any_walltime)
{
	start_running("{'minimum': 4, 'maximum': 4, 'walltime': '01:00:00'}");
	tasks_come(1000000);
	for (int i = 0; i < 24 * 6; i++) {
		pass(600);
		check(workers() >= 4);
		tasks_done_on(job(jobs_submitted() - 1));
	}
	check(jobs_in(STATE_TIMEOUT) == 0);
	ck_assert_int_ge(jobs_submitted(), 48);
	ck_assert_int_le(jobs_submitted(), 56);
}
END_TEST

/* A task does not end. Its job gets no new tasks, and is given back at the last moment anyway. */
START_TEST(a_task_that_does_not_end_in_time)
{
	start_running("{'minimum': 2, 'maximum': 2}");
	tasks_come(2);
	await(tasks_on(job(0)) == 2);
	await(jobs_submitted() == 2);
	await(is_drained(job(0)));
	ck_assert_double_ge(left_s(job(0)), 60);
	await(job(0)->said.state != STATE_RUNNING);
	check(job(0)->said.state == STATE_COMPLETED);
	check(told("draining -> retiring"));
	check(told("its time is over"));
	check(job(0)->said.end_time - job(0)->said.start_time < WALLTIME_S);
	check(job(0)->said.end_time - job(0)->said.start_time > WALLTIME_S - 120);
	/* The task runs again on the other job. */
	check(tasks_on(job(1)) == 2);
}
END_TEST

/* If jobs wait long, they are requested early. */
START_TEST(the_lead_is_learned)
{
	start_running("{'minimum': 2, 'maximum': 2}");
	slurm.partition[0].busy = slurm.partition[1].busy = true;
	await(jobs_submitted() == 2);
	pass(60);
	slurm.partition[0].busy = false;
	await(strcmp(phase_of(job(1)), "ready") == 0);
	slurm.partition[0].busy = true;
	await(jobs_submitted() == 3);
	/* The lead is the wait of that job, plus the margin. */
	ck_assert_double_ge(left_s(job(1)), 180);
	ck_assert_double_le(left_s(job(1)), 260);
}
END_TEST

START_TEST(an_extended_job_is_used_to_its_new_end)
{
	start_running("{'poll_interval': 10}");
	pass(600);
	job_extend(job(0), 7200);
	holds_for(WALLTIME_S, jobs_submitted() == 1 && strcmp(phase_of(job(0)), "ready") == 0);
	await(jobs_submitted() == 2);
	ck_assert_double_le(left_s(job(0)), 200);
	await(job(0)->said.state == STATE_COMPLETED);
}
END_TEST

/* If dracod is not there, the preload retires the workers in time. */
START_TEST(the_preload_knows_the_ends)
{
	start_running("{'minimum': 4}");
	await(dask.limits > 0);
	/* A quarter of the margin before the end. */
	ck_assert_double_eq_tol(told_s(job(0)), left_s(job(0)) - 30, 5);
	ck_assert_double_eq_tol(told_s(job(1)), left_s(job(1)) - 30, 5);
	job_extend(job(0), 3600);
	await(told_s(job(0)) > WALLTIME_S);
	ck_assert_double_eq_tol(told_s(job(0)), left_s(job(0)) - 30, 30);
	/* The preload is told again when it connects again. */
	json_decref(dask.limit);
	dask.limit = NULL;
	dask_disconnect(500);
	await_from_to(0, 2, dask.limit);
	ck_assert_double_eq_tol(told_s(job(1)), left_s(job(1)) - 30, 5);
}
END_TEST

/* The wall clock is set. The jobs still end at the same moments. */
START_TEST(the_clock_is_set)
{
	start_running("{'poll_interval': 10}");
	pass(600);
	clock_set_wall(_i ? -1000000 : 1000000);
	holds_for(4000, jobs_submitted() == 1 && strcmp(phase_of(job(0)), "ready") == 0);
}
END_TEST

/* Slurm tells ends by its own clock. A clock that is ahead does not prolong a job. */
START_TEST(the_clock_of_slurm_is_ahead)
{
	clock_set_wall(-240000);
	start_running("{'minimum': 2, 'maximum': 2}");
	tasks_come(2);
	await(job(0)->said.state != STATE_RUNNING);
	check(job(0)->said.state == STATE_COMPLETED);
	check(told("its time is over"));
}
END_TEST

/* This host's clock is set by so much, before the cluster starts or while its job runs. */
static const int64_t set_by_ms[] = {-3600000, 3600000, -259200000, 259200000};

START_TEST(the_clock_is_wrong)
{
	clock_set_wall(set_by_ms[_i]);
	start_running("{'poll_interval': 10}");
	holds_for(WALLTIME_S - 400,
		jobs_submitted() == 1 && strcmp(phase_of(job(0)), "ready") == 0);
	await(jobs_submitted() == 2);
	await(job(0)->said.state == STATE_COMPLETED);
	check(told("its walltime ends soon"));
}
END_TEST

/* A dracod that comes back knows since when the job runs. */
START_TEST(the_clock_is_set_while_dracod_is_away)
{
	start_running("{'poll_interval': 10}");
	pass(600);
	world_kill();
	clock_set_wall(set_by_ms[_i]);
	world_come_back();
	holds_for(WALLTIME_S - 600 - 400,
		jobs_submitted() == 1 && strcmp(phase_of(job(0)), "ready") == 0);
	await(jobs_submitted() == 2);
	await(job(0)->said.state == STATE_COMPLETED);
}
END_TEST

/* It jumps again and again, with many jobs. No job ends by Slurm's hand, and none too early. */
START_TEST(the_clock_jumps)
{
	start_running("{'minimum': 4, 'maximum': 4, 'walltime': '01:00:00'}");
	tasks_come(1000000);
	for (int i = 0; i < 12 * 6; i++) {
		pass(600);
		clock_set_wall(set_by_ms[i % LENGTH(set_by_ms)]);
		check(workers() >= 4);
		tasks_done_on(job(jobs_submitted() - 1));
	}
	check(jobs_in(STATE_TIMEOUT) == 0);
	ck_assert_int_ge(jobs_submitted(), 24);
	ck_assert_int_le(jobs_submitted(), 30);
}
END_TEST

START_TEST(tasks_that_are_longer_than_a_walltime)
{
	start_running("");
	tasks_come(2);
	longest_task("fit", 2 * 3600);
	await(has_notice(
		"tasks \"fit\" take about 2 h 0 min, and a job lives for 01:30:00 (walltime): "
		"they may never be done; ask for a longer walltime"));
	/* The user is told only once. */
	longest_task("fit", 3 * 3600);
	pass(10);
	check(!has_notice("take about 3 h"));
}
END_TEST

/* Long tasks that fit into a walltime: their job gets no new tasks early enough for them to end. */
START_TEST(long_tasks_end_before_their_job)
{
	start_running("{'minimum': 2, 'maximum': 2}");
	tasks_come(2);
	longest_task("step", 600);
	await(is_drained(job(0)));
	ck_assert_double_ge(left_s(job(0)), 600);
	await(jobs_of_phase("draining") == 1); /* dracod has the answer of the preload */
}
END_TEST

/* A job that is no longer needed is not replaced. */
START_TEST(what_is_not_needed_is_not_replaced)
{
	start_running("{'minimum': 2, 'idle_hold': 100000}");
	tasks_come(4);
	await(workers() == 4);
	pass(60);
	tasks_done();
	await(job(0)->said.state != STATE_RUNNING && job(1)->said.state != STATE_RUNNING);
	check(jobs_submitted() == 3);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = scenarios("handover", another_job_takes_over, longer_than_any_walltime,
		a_task_that_does_not_end_in_time, the_lead_is_learned,
		an_extended_job_is_used_to_its_new_end, the_preload_knows_the_ends,
		the_clock_of_slurm_is_ahead, the_clock_jumps,
		tasks_that_are_longer_than_a_walltime, long_tasks_end_before_their_job,
		what_is_not_needed_is_not_replaced);

	scenario_of_table(suite, the_clock_is_set, 2);
	scenario_of_table(suite, the_clock_is_wrong, LENGTH(set_by_ms));
	scenario_of_table(suite, the_clock_is_set_while_dracod_is_away, LENGTH(set_by_ms));
	return suite;
}
