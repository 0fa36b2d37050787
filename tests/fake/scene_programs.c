/* scene_programs.c: scenarios: several clients with one cluster: those that wait for it, its owner,
 * those that are attached, and the end of the cluster and of dracod when it is unused. */
#include "world.h"

#include <signal.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"

static json_t *bound_start(void)
{
	json_t *params = start_params("");

	json_object_set_new(params, "bound", json_true());
	return params;
}

static void attach(struct program *program)
{
	ask(program, "attach", json_pack("{s:{s:s, s:i}}", "label", "host", "h", "pid", 1));
}

/* Occupy all nodes, or free them. */
static void fill(bool full)
{
	slurm.partition[0].busy = slurm.partition[1].busy = full;
}

/* Starts */

START_TEST(several_wait_for_one_start)
{
	struct program *others[5];
	int numbers[5];

	fill(true);
	start("");
	await(jobs_submitted() == 1);
	for (int i = 0; i < 5; i++) {
		others[i] = program_come();
		numbers[i] = begin(others[i], "start", start_params("{'maximum': 4}"));
	}
	await(strstr(progress_of(others[4]), "job 1 is pending in short: Resources"));
	fill(false);
	check(start_succeeded());
	for (int i = 0; i < 5; i++) {
		const json_t *result, *difference;

		await(is_answered(others[i], numbers[i]));
		result = result_of(others[i], numbers[i]);
		check(json_get_boolean(result, "joined", 0));
		difference = json_array_get(json_object_get(result, "differences"), 0);
		check(strcmp(json_get_text(difference, "setting", ""), "maximum") == 0);
	}
	check(jobs_submitted() == 1);
}
END_TEST

START_TEST(a_start_of_a_running_cluster_joins)
{
	start_running("");
	start_running("");
	check(jobs_submitted() == 1);
	check(process_count("dask_scheduler") == 1);
}
END_TEST

START_TEST(progress_is_told)
{
	static const char *const steps[] = {
		"job 1 is pending in short: Resources", "job 1 runs on n1, 0 of 1 workers"};

	fill(true);
	start("");
	for (size_t i = 0; i < LENGTH(steps); i++) {
		await(strstr(progress_of(me()), steps[i]));
		fill(false);
	}
	check(start_succeeded());
}
END_TEST

START_TEST(wrong_settings_are_refused)
{
	check(strstr(ask_in_vain(me(), "start", start_params("{'cores': 0}")), "cores"));
	check(cluster_is("stopped"));
}
END_TEST

/* A start ends with its client's connection ... */
START_TEST(who_began_it_is_killed)
{
	struct program *program = program_come();

	fill(true);
	begin(program, "start", bound_start());
	await(jobs_in(STATE_PENDING) == 1);
	program_leave(program);
	await(cluster_is("stopped"));
	check(told("stopping: the program that started it has disconnected"));
	check(job(0)->said.state == STATE_CANCELLED);
}
END_TEST

/* ... unless another client waits for it, which then becomes the owner. */
START_TEST(who_began_it_is_killed_but_another_one_waits)
{
	struct program *first = program_come(), *second = program_come();
	int number;

	fill(true);
	begin(first, "start", bound_start());
	await(jobs_in(STATE_PENDING) == 1);
	number = begin(second, "start", bound_start());
	pass(10);
	program_leave(first);
	holds_for(60, cluster_is("starting"));
	fill(false);
	await(result_of(second, number));
	check(jobs_submitted() == 1);
	program_leave(second);
	await(cluster_is("stopped"));
}
END_TEST

START_TEST(an_attach_keeps_it)
{
	struct program *program = program_come();

	ask(program, "start", bound_start());
	attach(program);
	check(json_array_size(json_object_get(status(), "attached")) == 1);
	program_leave(program);
	await(json_array_size(json_object_get(status(), "attached")) == 0);
	holds_for(600, cluster_is("running"));
}
END_TEST

START_TEST(another_one_is_attached_when_it_is_killed)
{
	struct program *first = program_come(), *second = program_come();

	ask(first, "start", bound_start());
	attach(second);
	program_leave(first);
	holds_for(600, cluster_is("running"));
}
END_TEST

/* Stops */

START_TEST(only_who_began_it_may_take_it_back)
{
	struct program *other = program_come();
	json_t *answer;

	fill(true);
	start("");
	await(jobs_in(STATE_PENDING) == 1);
	answer = ask(other, "stop", json_pack("{s:b}", "own", 1));
	check(strcmp(json_get_text(answer, "why", ""), "another program started it") == 0);
	holds_for(60, cluster_is("starting"));
	ask(me(), "stop", json_pack("{s:b}", "own", 1));
	check(cluster_is("stopped"));
	check(strstr(start_error(), "the cluster was stopped while it started"));
}
END_TEST

static json_t *stop_alone(void)
{
	return ask(me(), "stop", json_pack("{s:b, s:[]}", "alone", 1, "clients"));
}

START_TEST(a_stop_that_would_disturb_nobody)
{
	struct program *other = program_come();

	start_running("");
	attach(other);
	check(strcmp(json_get_text(stop_alone(), "why", ""),
		      "a program (process 1 on h) is attached to it") == 0);
	program_leave(other);
	clients_come(2);
	await(json_array_size(json_object_get(
		      json_object_get(json_object_get(status(), "scheduler"), "load"),
		      "clients")) == 2);
	check(json_get_integer(stop_alone(), "clients", 0) == 2);
	clients_come(0);
	pass(1);
	check(cluster_is("running"));
	stop_alone();
	check(cluster_is("stopped"));
}
END_TEST

START_TEST(a_start_waits_for_a_stop)
{
	struct program *other = program_come();
	int stop, again;

	start_running("");
	job(0)->deaf = true;
	stop = begin(other, "stop", NULL);
	await(cluster_is("stopping"));
	again = begin(me(), "start", start_params(""));
	await(is_answered(other, stop));
	await(is_answered(me(), again));
	check(!error_of(me(), again));
	check(cluster_is("running"));
	check(jobs_submitted() == 2);
	check(job(0)->said.state == STATE_CANCELLED);
}
END_TEST

START_TEST(a_stop_ends_a_start_that_waits_for_a_stop)
{
	struct program *other = program_come();
	int again;

	start_running("");
	job(0)->deaf = true;
	begin(other, "stop", NULL);
	await(cluster_is("stopping"));
	again = begin(other, "start", start_params(""));
	await(cluster_is("stopping"));
	ask(me(), "stop", NULL);
	await(is_answered(other, again));
	check(strstr(error_of(other, again), "the cluster was stopped before it started"));
	holds_for(60, cluster_is("stopped"));
}
END_TEST

/* Use */

START_TEST(nobody_uses_it)
{
	start_running("{'idle_shutdown': 3600}");
	holds_for(3590, cluster_is("running"));
	await_from_to(0, 15, cluster_is("stopped"));
	check(told(
		"no client, nobody attached and nothing to do for 1 h 0 min (idle_shutdown)"));
	check(jobs_in(STATE_COMPLETED) == 1);
}
END_TEST

/* Each of these uses the cluster by itself: an attached program, a connected Client(), tasks, and
 * results. */
START_TEST(somebody_uses_it)
{
	struct program *program = program_come();

	start_running("{'idle_shutdown': 600, 'walltime': '3-00:00:00'}");
	pass(500);
	switch (_i) {
	case 0:
		attach(program);
		break;
	case 1:
		clients_come(1);
		break;
	case 2:
		tasks_come(1);
		break;
	case 3:
		results_on(job(0), 1);
		break;
	}
	pass(10000); /* a cluster that has stopped does not start again */
	check(cluster_is("running"));
	switch (_i) {
	case 0:
		program_leave(program);
		break;
	case 1:
		clients_come(0);
		break;
	case 2:
		tasks_done();
		break;
	case 3:
		results_on(job(0), 0);
		break;
	}
	holds_for(595, cluster_is("running"));
	await_from_to(0, 10, cluster_is("stopped"));
}
END_TEST

/* A client that waits for a start uses the cluster, too. */
START_TEST(a_start_may_take_longer_than_idle_shutdown)
{
	fill(true);
	start("{'idle_shutdown': 600, 'wait_timeout': 100000}");
	pass(5000);
	check(cluster_is("starting"));
	fill(false);
	check(start_succeeded());
}
END_TEST

START_TEST(never_where_idle_shutdown_is_0)
{
	start_running("{'idle_shutdown': 0, 'idle_timeout': 900}");
	pass(100000);
	check(cluster_is("running"));
}
END_TEST

/* dracod itself */

static void stay_setup(void)
{
	world_stay_ms = 600000;
	world_setup();
}

START_TEST(dracod_ends_when_it_is_of_no_use)
{
	struct program *program;

	/* A client keeps dracod alive ... */
	pass(2000);
	check(!world_has_ended());
	/* ... and so does a cluster. */
	start_running("");
	program_leave(me());
	pass(5000);
	check(!world_has_ended());
	program = program_come();
	ask(program, "stop", NULL);
	program_leave(program);
	await_from_to(595, 601, world_has_ended());
}
END_TEST

START_TEST(a_shutdown_gives_all_back)
{
	start_running("{'minimum': 4}");
	begin(me(), "shutdown", NULL);
	await_from_to(0, 10, world_has_ended());
	check(jobs_in(STATE_COMPLETED) == 2);
	check(!dask_is_up());
}
END_TEST

START_TEST(so_does_a_signal)
{
	start_running("{'minimum': 4}");
	raise(_i ? SIGINT : SIGTERM);
	await_from_to(0, 10, world_has_ended());
	check(jobs_in(STATE_COMPLETED) == 2);
}
END_TEST

START_TEST(a_second_signal_does_not_wait)
{
	start_running("");
	slurm.away = true;
	raise(SIGTERM);
	pass(3);
	check(!world_has_ended());
	raise(SIGTERM);
	await_from_to(0, 1, world_has_ended());
}
END_TEST

START_TEST(a_shutdown_does_not_wait_for_ever)
{
	int number;

	start_running("");
	slurm.away = true;
	number = begin(me(), "shutdown", NULL);
	await_from_to(20, 31, is_answered(me(), number));
}
END_TEST

START_TEST(a_shutdown_that_would_disturb_nobody)
{
	start_running("");
	check(json_get_boolean(
		ask(me(), "shutdown", json_pack("{s:b}", "alone", 1)), "kept", 0));
	holds_for(60, cluster_is("running"));
	ask(me(), "stop", NULL);
	begin(me(), "shutdown", json_pack("{s:b}", "alone", 1));
	await_from_to(0, 1, world_has_ended());
}
END_TEST

/* Shares */

static double share_of(const char *client)
{
	return json_number_value(json_object_get(dask.shares, client));
}

static void attach_with_share(struct program *program, const char *client, int pid)
{
	ask(program, "attach",
		json_pack("{s:{s:s, s:i}, s:i}", "label", "client", client, "pid", pid, "share",
			3));
}

START_TEST(the_preload_knows_the_shares)
{
	struct program *other = program_come();

	start_running("");
	attach_with_share(me(), "a", 1);
	await(share_of("a") > 2.9);
	ask(other, "attach", json_pack("{s:{s:s, s:i}}", "label", "client", "b", "pid", 2));
	await(share_of("b") > 0.9);
	ask(me(), "share", json_pack("{s:s, s:f}", "program", "2", "share", 0.5));
	await(share_of("b") < 0.6);
	check(strstr(ask_in_vain(me(), "share",
			     json_pack("{s:s, s:i}", "program", "x.ipynb", "share", 2)),
		"no attached program is called x.ipynb"));
	check(strstr(ask_in_vain(me(), "share",
			     json_pack("{s:s, s:i}", "program", "2", "share", 1000)),
		"from 0.01 to 100"));
	/* Another scheduler is told again. */
	json_object_clear(dask.shares);
	dask_die(SIGKILL);
	await(share_of("a") > 2.9 && share_of("b") > 0.4);
	program_leave(other);
	await(!json_object_get(dask.shares, "b"));
	check(share_of("a") > 2.9);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = scenarios("programs", several_wait_for_one_start,
		a_start_of_a_running_cluster_joins, progress_is_told,
		wrong_settings_are_refused, who_began_it_is_killed,
		who_began_it_is_killed_but_another_one_waits, an_attach_keeps_it,
		another_one_is_attached_when_it_is_killed, only_who_began_it_may_take_it_back,
		a_stop_that_would_disturb_nobody, a_start_waits_for_a_stop,
		a_stop_ends_a_start_that_waits_for_a_stop, nobody_uses_it,
		a_start_may_take_longer_than_idle_shutdown, never_where_idle_shutdown_is_0,
		a_shutdown_gives_all_back, a_second_signal_does_not_wait,
		a_shutdown_does_not_wait_for_ever, a_shutdown_that_would_disturb_nobody,
		the_preload_knows_the_shares);
	TCase *stay = tcase_create("stay");

	scenario_of_table(suite, somebody_uses_it, 4);
	scenario_of_table(suite, so_does_a_signal, 2);
	tcase_add_checked_fixture(stay, stay_setup, world_teardown);
	tcase_add_test(stay, dracod_ends_when_it_is_of_no_use);
	suite_add_tcase(suite, stay);
	return suite;
}
