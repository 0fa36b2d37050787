/* check_scaling.c: tests of daemon/policy/scaling.c. */
#include "unit.h"

#include <math.h>

#include "common/settings.h"
#include "daemon/policy/demand.h"
#include "daemon/policy/scaling.h"

#define GIB   (INT64_C(1) << 30)
#define START 5000000

/* 4 workers with 2 threads and 1 GiB each in a job, 1 to 5 jobs. */
static struct scaling_limits limits;
static struct scaling_state state;
static struct scaling_target target;

static void setup(void)
{
	limits = (struct scaling_limits){.processes = 4,
		.threads = 2,
		.worker_bytes = GIB,
		.minimum_jobs = 1,
		.maximum_jobs = 5,
		.target_duration_s = 5,
		.idle_timeout_ms = 900000,
		.fixed_jobs = -1};
	scaling_state_init(&state);
}

static void decide(struct demand demand, int64_t after_ms)
{
	demand.known = true;
	scaling_decide(&state, &limits, &demand, START + after_ms, &target);
	ck_assert_int_ge(target.wake_ms, START + after_ms);
}

#define assert_target(expected_jobs, expected_reason)             \
	do {                                                      \
		ck_assert_int_eq(target.jobs, expected_jobs);     \
		ck_assert_int_eq(target.reason, expected_reason); \
	} while (0)

START_TEST(known_work)
{
	/* 80 s of work in 5 s: 16 threads, 8 workers, 2 jobs. */
	decide((struct demand){.ready = 900, .running = 100, .occupancy_s = 80}, 0);
	assert_target(2, SCALING_DURATION);
	ck_assert_int_eq(target.needed, 2);
	ck_assert_int_eq(target.wake_ms, INT64_MAX);
	decide((struct demand){.ready = 900, .occupancy_s = 80.1}, 0);
	assert_target(3, SCALING_DURATION);
	decide((struct demand){.ready = 900, .occupancy_s = 1e12}, 0);
	assert_target(5, SCALING_DURATION);
	decide((struct demand){.ready = 900, .occupancy_s = (double)INFINITY}, 0);
	assert_target(5, SCALING_DURATION);
}
END_TEST

START_TEST(no_more_threads_than_tasks)
{
	decide((struct demand){.running = 9, .occupancy_s = 100000}, 0);
	assert_target(2, SCALING_DURATION);
	decide((struct demand){.running = 8, .occupancy_s = 100000}, 0);
	assert_target(1, SCALING_DURATION);
}
END_TEST

/* The first worker will tell how many threads a worker has. */
START_TEST(one_job_while_the_threads_are_not_known)
{
	limits.threads = 0;
	limits.minimum_jobs = 0;
	decide((struct demand){.ready = 1000, .occupancy_s = 100000}, 0);
	assert_target(1, SCALING_DURATION);
	decide((struct demand){.ready = 1, .waited_for = 9}, 0);
	ck_assert_int_gt(target.jobs, 1);
}
END_TEST

START_TEST(full_workers_are_taken)
{
	limits.full_workers = 4;
	decide((struct demand){.ready = 1}, 0);
	assert_target(2, SCALING_DURATION);
	decide((struct demand){.running = 1}, 0);
	assert_target(1, SCALING_DURATION);
}
END_TEST

START_TEST(a_little_work_needs_a_job)
{
	limits.minimum_jobs = 0;
	decide((struct demand){.ready = 1}, 0);
	assert_target(1, SCALING_DURATION);
	decide((struct demand){.long_running = 1}, 0);
	assert_target(1, SCALING_DURATION);
	decide((struct demand){.unrunnable = 7}, 0);
	ck_assert_int_eq(target.jobs, 0);
}
END_TEST

START_TEST(minimum)
{
	limits.minimum_jobs = 3;
	decide((struct demand){.ready = 1, .occupancy_s = 1}, 0);
	assert_target(3, SCALING_MINIMUM);
	ck_assert_int_eq(target.needed, 1);
	decide((struct demand){.clients = 1}, 0);
	assert_target(3, SCALING_MINIMUM);
	ck_assert_int_eq(target.needed, 0);
}
END_TEST

START_TEST(unknown_tasks_need_a_thread_each)
{
	decide((struct demand){.ready = 16, .running = 1, .unknown = 17}, 0);
	/* Short ones are soon known. */
	ck_assert_int_eq(target.jobs, 1);
	ck_assert_int_eq(target.wake_ms, START + 100);
	decide((struct demand){.ready = 16, .running = 1, .unknown = 17}, 99);
	ck_assert_int_eq(target.jobs, 1);
	decide((struct demand){.ready = 16, .running = 1, .unknown = 17}, 100);
	assert_target(3, SCALING_READY);
	ck_assert_int_eq(target.wake_ms, INT64_MAX);
	/* Known ones come on top: 8 + 10 threads. */
	decide((struct demand){.ready = 108, .unknown = 8, .occupancy_s = 50}, 300);
	assert_target(3, SCALING_DURATION);
	/* Once none is unknown, the next ones settle again. */
	decide((struct demand){.ready = 1, .occupancy_s = 1}, 400);
	ck_assert_int_eq(target.jobs, 1);
	decide((struct demand){.ready = 400, .unknown = 400}, 500);
	ck_assert_int_eq(target.jobs, 1);
	ck_assert_int_eq(target.wake_ms, START + 600);
	decide((struct demand){.ready = 400, .unknown = 400}, 900);
	assert_target(5, SCALING_READY);
	ck_assert_int_eq(target.needed, 50);
}
END_TEST

START_TEST(no_job_that_comes_when_all_is_done)
{
	/* 8 threads do 160 s of work until another job comes. */
	limits.ready_threads = limits.kept_threads = 8;
	limits.wait_ms = 20000;
	decide((struct demand){.ready = 900, .occupancy_s = 150}, 0);
	assert_target(1, SCALING_DURATION);
	decide((struct demand){.ready = 900, .occupancy_s = 160 + 80}, 0);
	assert_target(2, SCALING_DURATION);
	decide((struct demand){.ready = 900, .occupancy_s = 160 + 81}, 0);
	assert_target(3, SCALING_DURATION);
	/* What was asked for is not too much while the work would need it now. */
	limits.kept_threads = 16;
	decide((struct demand){.ready = 900, .occupancy_s = 150}, 0);
	assert_target(2, SCALING_DURATION);
	decide((struct demand){.ready = 900, .occupancy_s = 40}, 0);
	assert_target(1, SCALING_DURATION);
	/* What is there and has work is not too much. */
	limits.ready_threads = limits.kept_threads = 24;
	decide((struct demand){.ready = 900, .occupancy_s = 150}, 0);
	assert_target(3, SCALING_DURATION);
	decide((struct demand){.ready = 9, .occupancy_s = 150}, 0);
	assert_target(2, SCALING_DURATION);
}
END_TEST

START_TEST(results_need_memory)
{
	limits.minimum_jobs = 0;
	decide((struct demand){.memory = 1}, 0);
	assert_target(1, SCALING_MEMORY);
	/* Four workers hold 4 x 0.6 GiB. */
	decide((struct demand){.memory = 24 * GIB / 10}, 0);
	assert_target(1, SCALING_MEMORY);
	decide((struct demand){.memory = 25 * GIB / 10}, 0);
	assert_target(2, SCALING_MEMORY);
	decide((struct demand){.memory = 1000 * GIB, .ready = 30, .occupancy_s = 60}, 0);
	assert_target(5, SCALING_MEMORY);
	/* More work than results. */
	decide((struct demand){.memory = GIB, .ready = 900, .occupancy_s = 120}, 0);
	assert_target(3, SCALING_DURATION);
	limits.worker_bytes = 0;
	decide((struct demand){.memory = 1000 * GIB}, 0);
	assert_target(1, SCALING_MEMORY);
}
END_TEST

START_TEST(nothing_to_do_for_long)
{
	decide((struct demand){.running = 1, .occupancy_s = 1}, 0);
	ck_assert_int_eq(target.wake_ms, INT64_MAX);
	decide((struct demand){.tasks = 5}, 1000);
	assert_target(1, SCALING_MINIMUM);
	ck_assert_int_eq(target.wake_ms, START + 901000);
	decide((struct demand){.tasks = 5}, 900999);
	assert_target(1, SCALING_MINIMUM);
	decide((struct demand){.tasks = 5}, 901000);
	assert_target(0, SCALING_IDLE);
	/* And back. */
	decide((struct demand){.ready = 5, .unknown = 5}, 902000);
	ck_assert_int_eq(target.jobs, 1);
	decide((struct demand){.tasks = 0}, 903000);
	assert_target(1, SCALING_MINIMUM);
	ck_assert_int_eq(target.wake_ms, START + 1803000);
}
END_TEST

START_TEST(results_keep_a_job)
{
	decide((struct demand){.memory = 5}, 0);
	decide((struct demand){.memory = 5}, 100000000);
	assert_target(1, SCALING_MEMORY);
	decide((struct demand){.memory = 0}, 100000001);
	assert_target(1, SCALING_MINIMUM);
}
END_TEST

/* After a long time with nothing to do, somebody comes. */
START_TEST(somebody_comes)
{
	limits.minimum_jobs = 2;
	decide((struct demand){.clients = 1}, 0);
	decide((struct demand){.clients = 1}, 900000);
	assert_target(0, SCALING_IDLE);
	decide((struct demand){.clients = 0}, 950000);
	assert_target(0, SCALING_IDLE);
	decide((struct demand){.clients = 1}, 960000);
	assert_target(2, SCALING_MINIMUM);
	ck_assert_int_eq(target.wake_ms, START + 1860000);
	decide((struct demand){.clients = 1}, 1860000);
	assert_target(0, SCALING_IDLE);
	scaling_someone_comes(&state);
	decide((struct demand){.clients = 1}, 1870000);
	assert_target(2, SCALING_MINIMUM);
}
END_TEST

/* Somebody waits for workers, and there is no task. */
START_TEST(somebody_waits)
{
	limits.minimum_jobs = 0;
	decide((struct demand){.waited_for = 1}, 0);
	assert_target(1, SCALING_WAITED);
	decide((struct demand){.waited_for = 9}, 0);
	assert_target(3, SCALING_WAITED);
	decide((struct demand){.waited_for = INT64_C(1) << 40}, 0);
	assert_target(5, SCALING_WAITED);
	decide((struct demand){.waited_for = 4, .ready = 50, .unknown = 50}, 100);
	decide((struct demand){.waited_for = 4, .ready = 50, .unknown = 50}, 300);
	assert_target(5, SCALING_READY);
	limits.minimum_jobs = 2;
	decide((struct demand){.tasks = 0}, 2000000);
	decide((struct demand){.tasks = 0}, 3000000);
	assert_target(0, SCALING_IDLE);
	decide((struct demand){.waited_for = 1}, 3000000);
	assert_target(2, SCALING_MINIMUM);
}
END_TEST

START_TEST(never_idle)
{
	limits.idle_timeout_ms = 0;
	decide((struct demand){.tasks = 0}, 0);
	ck_assert_int_eq(target.wake_ms, INT64_MAX);
	decide((struct demand){.tasks = 0}, 1000000000);
	assert_target(1, SCALING_MINIMUM);
}
END_TEST

START_TEST(by_hand)
{
	limits.fixed_jobs = 7;
	decide((struct demand){.ready = 5, .unknown = 5}, 0);
	assert_target(7, SCALING_BY_HAND);
	ck_assert_int_eq(target.wake_ms, INT64_MAX);
	limits.fixed_jobs = 0;
	decide((struct demand){.ready = 5, .unknown = 5}, 0);
	assert_target(0, SCALING_BY_HAND);
}
END_TEST

START_TEST(no_report)
{
	struct demand demand = {.known = false};

	decide((struct demand){.tasks = 0}, 0);
	limits.minimum_jobs = 2;
	scaling_decide(&state, &limits, &demand, START + 1000000, &target);
	assert_target(2, SCALING_NO_DEMAND);
	/* What was before it says nothing about how long there was nothing to do. */
	decide((struct demand){.tasks = 0}, 1000001);
	assert_target(2, SCALING_MINIMUM);
}
END_TEST

START_TEST(limits_of_settings)
{
	struct settings settings;

	settings_init(&settings);
	settings.processes = 4;
	settings.cores = 8;
	settings.memory_mib = 4096;
	settings.minimum = 5;
	settings.maximum = 0;
	settings.adaptive_scale_factor = 3;
	settings.target_duration_ms = 2500;
	scaling_limits_of(&settings, &limits);
	ck_assert_int_eq(limits.processes, 4);
	ck_assert_int_eq(limits.threads, 2);
	ck_assert_int_eq(limits.worker_bytes, GIB);
	ck_assert_int_eq(limits.minimum_jobs, 2);
	ck_assert_int_eq(limits.maximum_jobs, 3);
	ck_assert_double_eq(limits.target_duration_s, 2.5);
	ck_assert_int_eq(limits.fixed_jobs, -1);
	/* At least one job, and never less than the minimum. */
	settings.maximum = 2;
	settings.minimum = 1;
	scaling_limits_of(&settings, &limits);
	ck_assert_int_eq(limits.maximum_jobs, 1);
	settings.maximum = 7;
	settings.minimum = 7;
	scaling_limits_of(&settings, &limits);
	ck_assert_int_eq(limits.minimum_jobs, 2);
	ck_assert_int_eq(limits.maximum_jobs, 2);
	settings_finish(&settings);
}
END_TEST

static void assert_explained(struct demand demand, int64_t after_ms, const char *expected)
{
	char *text;

	demand.known = true;
	decide(demand, after_ms);
	text = scaling_explain(&target, &limits, &demand);
	ck_assert_str_eq(text, expected);
	free(text);
}

START_TEST(explains)
{
	char *text;

	assert_explained((struct demand){.ready = 1, .occupancy_s = 3}, 0,
		"work for 3 s on one thread, target 1 job");
	assert_explained((struct demand){.ready = 900, .occupancy_s = 400}, 0,
		"work for 400 s on one thread, target 10 jobs, limit 5");
	assert_explained((struct demand){.memory = 3 * GIB}, 0,
		"results of 3 GiB in memory, target 2 jobs");
	assert_explained((struct demand){.memory = 100}, 0,
		"results of less than 1 MiB in memory, target 1 job");
	decide((struct demand){.ready = 30, .running = 2, .unknown = 32}, 0);
	assert_explained((struct demand){.ready = 30, .running = 2, .unknown = 32}, 1000,
		"ready tasks 32, target 4 jobs");
	limits.minimum_jobs = 2;
	assert_explained(
		(struct demand){.clients = 1}, 2000, "the work needs 0, minimum 2 jobs");
	assert_explained(
		(struct demand){.clients = 1}, 2000000, "nothing to do for 15 min, no job");
	limits.fixed_jobs = 1;
	assert_explained((struct demand){.clients = 1}, 2000000, "set by hand to 1 job");
	target = (struct scaling_target){.jobs = 1, .reason = SCALING_NO_DEMAND};
	text = scaling_explain(&target, &limits, &(struct demand){.known = false});
	ck_assert_str_eq(text, "the scheduler has not reported yet, minimum 1 job");
	free(text);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("scaling");
	TCase *tcase = tcase_create("scaling");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, known_work);
	tcase_add_test(tcase, no_more_threads_than_tasks);
	tcase_add_test(tcase, one_job_while_the_threads_are_not_known);
	tcase_add_test(tcase, full_workers_are_taken);
	tcase_add_test(tcase, a_little_work_needs_a_job);
	tcase_add_test(tcase, minimum);
	tcase_add_test(tcase, unknown_tasks_need_a_thread_each);
	tcase_add_test(tcase, no_job_that_comes_when_all_is_done);
	tcase_add_test(tcase, results_need_memory);
	tcase_add_test(tcase, nothing_to_do_for_long);
	tcase_add_test(tcase, results_keep_a_job);
	tcase_add_test(tcase, somebody_comes);
	tcase_add_test(tcase, somebody_waits);
	tcase_add_test(tcase, never_idle);
	tcase_add_test(tcase, by_hand);
	tcase_add_test(tcase, no_report);
	tcase_add_test(tcase, limits_of_settings);
	tcase_add_test(tcase, explains);
	suite_add_tcase(suite, tcase);
	return suite;
}
