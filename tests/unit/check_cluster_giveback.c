/* check_cluster_giveback.c: tests of daemon/cluster/giveback.c: what the scheduler's preload is
 * asked. */
#include "unit.h"

#include <errno.h>
#include <jansson.h>

#include "cluster_fixture.h"
#include "common/alloc.h"
#include "daemon/cluster/giveback.h"
#include "daemon/cluster/jobs.h"
#include "daemon/io/loop.h"

#define LINE_LIMIT (512 * 1024)
#define WORKERS	   20000

static struct {
	size_t requests, workers, longest; /* to undrain */
	size_t drained;
	int result;
	scheduler_answer *done;
	void *done_arg;
} asked;

static void on_changed(void *arg)
{
	(void)arg;
}

static int ask_scheduler(void *arg, const char *method, json_t *params, int64_t deadline_ms,
	scheduler_answer *done, void *done_arg)
{
	char *text = json_dumps(params, JSON_COMPACT);

	(void)arg;
	ck_assert_int_gt(deadline_ms, 0);
	if (strcmp(method, "leaving") == 0) {
		free(text);
		json_decref(params);
		return 0;
	}
	if (strcmp(method, "drain") == 0) {
		asked.drained += json_array_size(json_object_get(params, "workers"));
		free(text);
		json_decref(params);
		return asked.result;
	}
	ck_assert_str_eq(method, "undrain");
	asked.requests++;
	asked.workers += json_array_size(json_object_get(params, "workers"));
	if (strlen(text) > asked.longest)
		asked.longest = strlen(text);
	asked.done = done;
	asked.done_arg = done_arg;
	free(text);
	json_decref(params);
	return asked.result;
}

static void setup(void)
{
	static const struct cluster_ops ops = {
		.changed = on_changed, .ask_scheduler = ask_scheduler};

	cluster_setup();
	cluster.ops = &ops;
	memset(&asked, 0, sizeof(asked));
}

/* So many workers, with the longest addresses that there are. */
static void connect_workers(int count)
{
	for (int i = 0; i < count; i++) {
		char *name = xasprintf("w-%d", i);
		char *address = xasprintf("tls://192.168.100.100:%d", 10000 + i);

		jobs_worker_added(jobs, name, address, 1);
		free(name);
		free(address);
	}
}

static void answer(bool good)
{
	struct err err = ERR_INIT;
	json_t *result = good ? json_object() : NULL;

	err_set(&err, -ETIMEDOUT, "no answer");
	asked.done(asked.done_arg, result, &err);
	json_decref(result);
}

START_TEST(many_workers_fit_into_lines)
{
	size_t requests;

	connect_workers(WORKERS);
	ck_assert_int_eq(planned_by(cluster_giveback_settle), INT64_MAX);
	ck_assert_uint_eq(asked.requests, 0);
	cluster_giveback_hello(&cluster);
	ck_assert_int_eq(planned_by(cluster_giveback_settle), INT64_MAX);
	ck_assert_uint_eq(asked.workers, WORKERS);
	ck_assert_uint_lt(asked.longest, LINE_LIMIT / 2);
	requests = asked.requests;
	ck_assert_uint_gt(requests, 1);
	/* Not again while it is at it; then only where an answer was bad. */
	cluster_giveback_hello(&cluster);
	cluster_giveback_settle(&cluster);
	for (size_t i = 0; i < requests; i++)
		answer(true);
	cluster.undrain_due = false;
	cluster_giveback_settle(&cluster);
	ck_assert_uint_eq(asked.requests, requests);
}
END_TEST

START_TEST(again_when_the_scheduler_was_busy)
{
	connect_workers(3);
	cluster_giveback_hello(&cluster);
	asked.result = -EBUSY;
	ck_assert_int_gt(planned_by(cluster_giveback_settle), loop_now_ms());
	asked.result = 0;
	ck_assert_int_eq(planned_by(cluster_giveback_settle), INT64_MAX);
	answer(false);
	cluster_giveback_settle(&cluster);
	answer(true);
	ck_assert_uint_eq(asked.requests, 3);
	ck_assert(!cluster.undrain_due);
}
END_TEST

START_TEST(again_for_what_came_meanwhile)
{
	connect_workers(1);
	cluster_giveback_hello(&cluster);
	cluster_giveback_settle(&cluster);
	cluster_giveback_hello(&cluster);
	ck_assert_int_eq(planned_by(cluster_giveback_settle), INT64_MAX);
	loop_timer_stop(cluster.reconcile);
	answer(true);
	ck_assert(loop_timer_is_running(cluster.reconcile));
	cluster_giveback_settle(&cluster);
	ck_assert_uint_eq(asked.requests, 2);
}
END_TEST

START_TEST(not_those_that_leave)
{
	struct job *job = job_in(PHASE_DRAINING);

	connect_workers(1);
	cluster_giveback_hello(&cluster);
	cluster_giveback_settle(&cluster);
	ck_assert_uint_eq(asked.workers, 1);
	ck_assert_uint_eq(asked.drained, job->connected); /* once is enough */
	cluster_giveback_settle(&cluster);
	ck_assert_uint_eq(asked.drained, job->connected);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("cluster_giveback");
	TCase *tests = tcase_create("cluster_giveback");

	tcase_add_checked_fixture(tests, setup, cluster_teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, many_workers_fit_into_lines);
	tcase_add_test(tests, again_when_the_scheduler_was_busy);
	tcase_add_test(tests, again_for_what_came_meanwhile);
	tcase_add_test(tests, not_those_that_leave);
	suite_add_tcase(suite, tests);
	return suite;
}
