/* scene_shutdown.c: scenarios: dracod is asked to end, or has no reason to stay. */
#include "world.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"

#define HOUR 3600

static const char *first_left(int number)
{
	const json_t *jobs = json_object_get(result_of(me(), number), "jobs");

	return json_string_value(json_array_get(jobs, 0));
}

static bool is_true(int number, const char *member)
{
	return json_get_boolean(result_of(me(), number), member, 0);
}

static int count_left(int number)
{
	return (int)json_get_integer(result_of(me(), number), "unconfirmed", -1);
}

/* Record a cluster as a crashed dracod leaves it. */
static void remember_cluster(const char *id)
{
	_cleanup_free_ char *path = state_path("state.json");
	FILE *file = fopen(path, "we");

	ck_assert_msg(file != NULL, "%s", path);
	fprintf(file, "{\"version\": 1, \"clusters\": [\"%s\"]}", id);
	fclose(file);
}

static const struct {
	const char *settings;
	bool clinging; /* the jobs do not even end when Slurm cancels them */
	double from_s, to_s;
} stubborn[] = {
	{"{'minimum': 4}", false, 3, 8},
	{"{'minimum': 4}", true, 6, 12},
	{"{'minimum': 4, 'epilogue': 'true'}", false, 30, 34},
	{"{'minimum': 4, 'epilogue': 'true'}", true, 33, 38},
};

/* Workers were stopped by SIGSTOP. dracod cancels the jobs, kills them, and ends when they are
 * gone. */
START_TEST(jobs_that_do_not_end)
{
	int number;

	start_running(stubborn[_i].settings);
	for (int i = 0; i < 2; i++) {
		job(i)->deaf = true;
		job(i)->clinging = stubborn[_i].clinging;
	}
	number = begin(me(), "shutdown", NULL);
	await_from_to(stubborn[_i].from_s, stubborn[_i].to_s, world_has_ended());
	check(jobs_in(STATE_RUNNING) == 0);
	check(told("does not end: cancelling it"));
	check(told("does not end: killing it") == stubborn[_i].clinging);
	check(number > 0 && !told("not confirmed"));
}
END_TEST

/* dracod names the remaining jobs, and stays until Slurm answers and they are gone. */
START_TEST(slurm_is_away)
{
	int number;

	start_running("{'minimum': 4, 'idle_shutdown': 7200}");
	slurm.away = true;
	number = begin(me(), "shutdown", NULL);
	await_from_to(20, 40, is_answered(me(), number));
	check(count_left(number) == 2);
	check(strcmp(first_left(number), "1_0") == 0);
	check(!is_true(number, "slurm_answers"));
	check(is_true(number, "stays"));
	holds_for(HOUR, !world_has_ended());
	slurm.away = false;
	await_from_to(0, 200, world_has_ended());
	check(jobs_in(STATE_RUNNING) == 0);
}
END_TEST

/* A client starts a cluster meanwhile. */
START_TEST(a_start_while_it_stays)
{
	int number;

	start_running("{'minimum': 4, 'idle_shutdown': 7200}");
	slurm.away = true;
	number = begin(me(), "shutdown", NULL);
	await(is_answered(me(), number));
	slurm.away = false;
	start_running("{'minimum': 4}");
	holds_for(HOUR, !world_has_ended() && cluster_is("running"));
	check(jobs_in(STATE_RUNNING) == 2);
	number = begin(me(), "shutdown", NULL);
	await_from_to(0, 20, world_has_ended());
	check(jobs_in(STATE_RUNNING) == 0);
}
END_TEST

/* Slurm never answers again. */
START_TEST(slurm_never_comes_back)
{
	int number;

	start_running("{'minimum': 4, 'idle_shutdown': 1800}");
	slurm.away = true;
	number = begin(me(), "shutdown", NULL);
	await(is_answered(me(), number));
	check(is_true(number, "stays"));
	await_from_to(1700, 2000, world_has_ended());
	check(jobs_submitted() == 2);
}
END_TEST

/* The same without a shutdown: dracod waits for connected clients. */
START_TEST(slurm_never_comes_back_after_a_stop)
{
	struct program *other = program_come();

	start_running("{'minimum': 4, 'idle_shutdown': 1800}");
	slurm.away = true;
	ask(me(), "stop", NULL);
	program_leave(me());
	holds_for(2 * HOUR, !world_has_ended());
	program_leave(other);
	await_from_to(0, 5, world_has_ended());
}
END_TEST

START_TEST(idle_shutdown_may_be_never)
{
	int number;

	start_running("{'minimum': 4, 'idle_shutdown': 0}");
	slurm.away = true;
	number = begin(me(), "shutdown", NULL);
	await(is_answered(me(), number));
	holds_for(20 * HOUR, !world_has_ended());
	slurm.away = false;
	await_from_to(0, 200, world_has_ended());
}
END_TEST

/* After a signal dracod does not wait for Slurm: the sender of the signal has a time limit of its
 * own. */
START_TEST(a_signal_while_slurm_is_away)
{
	start_running("{'minimum': 4}");
	slurm.away = true;
	kill(getpid(), SIGTERM);
	await_from_to(20, 40, world_has_ended());
	check(told("2 jobs are not confirmed to be gone (1_0, 1_1)"));
}
END_TEST

/* A signal arrives, for example from systemd, while a client waits for the end: the jobs get their
 * time. */
START_TEST(a_signal_during_a_shutdown)
{
	start_running("{'minimum': 4}");
	job(0)->deaf = job(1)->deaf = true;
	begin(me(), "shutdown", NULL);
	await(cluster_is("stopping"));
	kill(getpid(), SIGTERM);
	await_from_to(3, 8, world_has_ended());
	check(jobs_in(STATE_RUNNING) == 0);
}
END_TEST

/* A crashed dracod has left jobs, and Slurm never answers. */
START_TEST(a_shutdown_after_a_long_silence)
{
	remember_cluster("0000beef");
	world_restart();
	slurm.away = true;
	holds_for(4 * HOUR, !world_has_ended()); /* a client is connected */
	begin(me(), "shutdown", NULL);
	await_from_to(0, 5, world_has_ended());
}
END_TEST

/* A crashed dracod has left jobs. A client that asks for the end waits until they are gone. */
START_TEST(jobs_of_an_earlier_cluster)
{
	struct fake_job *left;

	remember_cluster("0000beef");
	world_restart();
	left = slurm_add_job("draco-fake-0000beef.1");
	left->clinging = true;
	begin(me(), "shutdown", NULL);
	await_from_to(3, 15, world_has_ended());
	check(left->said.state == STATE_CANCELLED);
}
END_TEST

/* Another Slurm answers, so waiting would be useless. */
START_TEST(jobs_of_an_earlier_cluster_in_another_slurm)
{
	struct fake_job *left;

	remember_cluster("0000beef");
	world_restart();
	slurm_fault("hello", 1000, FAULT_FOREIGN);
	slurm_fault("query", 1000, FAULT_FOREIGN);
	left = slurm_add_job("draco-fake-0000beef.1");
	pass(10);
	begin(me(), "shutdown", NULL);
	await_from_to(0, 5, world_has_ended());
	check(left->said.state == STATE_RUNNING);
}
END_TEST

/* Only jobs that still run after a cancellation that Slurm has accepted are killed. */
START_TEST(jobs_of_an_earlier_cluster_while_slurm_is_away)
{
	struct fake_job *left;

	remember_cluster("0000beef");
	world_restart();
	slurm.away = true;
	left = slurm_add_job("draco-fake-0000beef.1");
	pass(60);
	slurm.away = false;
	await_from_to(0, 90, left->said.state == STATE_CANCELLED);
	check(!left->killed);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = scenarios("shutdown", slurm_is_away, a_start_while_it_stays,
		slurm_never_comes_back, slurm_never_comes_back_after_a_stop,
		idle_shutdown_may_be_never, a_signal_while_slurm_is_away,
		a_signal_during_a_shutdown, a_shutdown_after_a_long_silence,
		jobs_of_an_earlier_cluster, jobs_of_an_earlier_cluster_in_another_slurm,
		jobs_of_an_earlier_cluster_while_slurm_is_away);

	scenario_of_table(suite, jobs_that_do_not_end, LENGTH(stubborn));
	return suite;
}
