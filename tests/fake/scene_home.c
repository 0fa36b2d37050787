/* scene_home.c: scenarios: the file system of the home does not answer. */
#include "world.h"

#include <unistd.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "daemon/io/writer.h"

static int gate[2];

static void wait_for_gate(void *arg)
{
	char letter;

	(void)arg;
	if (read(gate[0], &letter, 1) != 1)
		abort();
}

/* From here on nothing gets into the state directory. */
static void home_hangs(void)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(pipe(gate), 0);
	ck_assert_int_eq(writer_begin(world_loop(), &err), 0);
	writer_run(WRITER_STATE, wait_for_gate, NULL, NULL);
}

static void answers(enum writer_lane lane)
{
	ck_assert_int_eq(write(gate[1], "x", 1), 1);
	ck_assert(writer_settle(lane, 60000));
	close(gate[0]);
	close(gate[1]);
}

static void home_answers(void)
{
	answers(WRITER_STATE);
}

#define NOTICE "has not answered since"

START_TEST(new_jobs_wait_for_it)
{
	start_running("{'minimum': 2}");
	home_hangs();
	ask(me(), "scale", json_pack("{s:i}", "jobs", 3));
	await_from_to(2, 10, has_notice(NOTICE));
	holds_for(600, jobs_submitted() == 1);
	check(jobs_of_phase("ready") == 1);
	check(jobs_of_phase("new") == 2);
	home_answers();
	await_from_to(0, 60, jobs_of_phase("ready") == 3);
	check(!has_notice(NOTICE));
	check(times_told("its file system answers again") == 1);
}
END_TEST

/* A stop gives up what has waited, and ends the others after two seconds. */
START_TEST(a_stop_does_not_wait_for_it)
{
	_cleanup_free_ char *record = state_path("cluster.json");

	start_running("{'minimum': 2}");
	home_hangs();
	ask(me(), "scale", json_pack("{s:i}", "jobs", 3));
	pass(1);
	ask(me(), "stop", NULL);
	check(cluster_is("stopped"));
	check(jobs_in(STATE_RUNNING) == 0);
	check(jobs_submitted() == 1);
	home_answers();
	check(access(record, F_OK) != 0);
}
END_TEST

/* What needs files waits until the home answers, and then all is handled in its order. */
START_TEST(a_start_waits_for_it)
{
	struct program *other = program_come();
	int number, next;

	start_running("{'minimum': 2}");
	home_hangs();
	writer_run(WRITER_LOOK, wait_for_gate, NULL, NULL);
	number = begin(other, "start", start_params(""));
	next = begin(other, "status", NULL);
	holds_for(100, !is_answered(other, number) && !is_answered(other, next));
	ask(me(), "scale", json_pack("{s:i}", "jobs", 1)); /* nobody else waits */
	ck_assert_int_eq(write(gate[1], "x", 1), 1);
	home_answers();
	ck_assert(writer_settle(WRITER_LOOK, 60000));
	await(is_answered(other, number) && is_answered(other, next));
	check(!error_of(other, number));
	check(json_get_boolean(result_of(other, number), "joined", 0));
}
END_TEST

/* A directory in one user's PATH hinders nobody else. */
START_TEST(a_directory_in_path)
{
	struct program *other = program_come();
	struct err err = ERR_INIT;

	start_running("{'minimum': 2}");
	ck_assert_int_eq(pipe(gate), 0);
	ck_assert_int_eq(writer_begin(world_loop(), &err), 0);
	writer_run(WRITER_PATH, wait_for_gate, NULL, NULL);
	check(json_get_boolean(ask(other, "start", start_params("")), "joined", 0));
	answers(WRITER_PATH);
}
END_TEST

Suite *unit_suite(void)
{
	return scenarios("home", new_jobs_wait_for_it, a_stop_does_not_wait_for_it,
		a_start_waits_for_it, a_directory_in_path);
}
