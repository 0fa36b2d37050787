/* check_statequeue.c: tests of daemon/io/statequeue.c: what waits, and when it is done. */
#include "unit.h"

#include <errno.h>
#include <event2/event.h>
#include <jansson.h>
#include <unistd.h>

#include "common/alloc.h"
#include "daemon/io/loop.h"
#include "daemon/io/statefile.h"
#include "daemon/io/statequeue.h"
#include "daemon/io/writer.h"
#include "writer_fixture.h"

static char *directory, *path, *other;
static int told, failed, heard;

static void listener(void *arg)
{
	(void)arg;
	heard++;
}

static void setup(void)
{
	told = failed = heard = 0;
	directory = unit_directory();
	path = xasprintf("%s/state.json", directory);
	other = xasprintf("%s/other.json", directory);
	writer_setup();
	statequeue_listen(listener, NULL);
}

static void teardown(void)
{
	statequeue_forget(path);
	statequeue_listen(NULL, NULL);
	writer_teardown();
	free(directory);
	free(path);
	free(other);
}

static void settle(void)
{
	ck_assert(writer_settle(WRITER_STATE, 10000));
	event_base_loop(loop_base(writer_loop), EVLOOP_NONBLOCK);
}

static void on_written(void *arg, const struct err *err)
{
	ck_assert_ptr_eq(arg, path);
	told++;
	failed += err != NULL;
}

static void put(const char *file, json_int_t number)
{
	statequeue_write(file, json_pack("{s:I}", "number", number), false, on_written, path);
}

static json_int_t number_in(const char *file)
{
	json_t *object = statefile_read(file);
	json_int_t number = object ? json_integer_value(json_object_get(object, "number")) : -1;

	json_decref(object);
	return number;
}

START_TEST(only_the_newest_waits)
{
	uint64_t before = statequeue_mark(), first;

	writer_run(WRITER_STATE, hang, NULL, NULL);
	ck_assert_int_eq(statequeue_waits_since_ms(), 0);
	put(path, 1);
	first = statequeue_mark();
	ck_assert_uint_gt(first, before);
	for (int i = 2; i <= 1000; i++)
		put(path, i);
	put(other, 7);
	ck_assert(statequeue_is_done(before));
	ck_assert(!statequeue_is_done(first));
	ck_assert(!statequeue_is_done(statequeue_mark()));
	ck_assert_int_gt(statequeue_waits_since_ms(), 0);
	ck_assert_int_eq(number_in(path), -1);
	let_go();
	settle();
	ck_assert(statequeue_is_done(statequeue_mark()));
	ck_assert_int_eq(statequeue_waits_since_ms(), 0);
	ck_assert_int_eq(number_in(path), 1000);
	ck_assert_int_eq(number_in(other), 7);
	ck_assert_int_eq(told, 2);
	ck_assert_int_ge(heard, 2);
	ck_assert_int_eq(failed, 0);
}
END_TEST

/* What is asked for later does not delay what waits for an earlier mark. */
START_TEST(an_early_mark)
{
	uint64_t first;

	put(path, 1);
	first = statequeue_mark();
	settle();
	writer_run(WRITER_STATE, hang, NULL, NULL);
	put(path, 2);
	ck_assert(statequeue_is_done(first));
	ck_assert(!statequeue_is_done(statequeue_mark()));
	let_go();
}
END_TEST

START_TEST(removed)
{
	put(path, 1);
	settle();
	writer_run(WRITER_STATE, hang, NULL, NULL);
	put(path, 2);
	statequeue_remove(path);
	let_go();
	settle();
	ck_assert_int_ne(access(path, F_OK), 0);
	writer_run(WRITER_STATE, hang, NULL, NULL);
	statequeue_remove(path);
	put(path, 3);
	let_go();
	settle();
	ck_assert_int_eq(number_in(path), 3);
}
END_TEST

/* The second content comes while the thread is about to take the first. */
START_TEST(taken_early)
{
	for (int i = 1; i <= 5000; i++) {
		put(path, 0);
		for (volatile int wait = 0; wait < i % 100 * 200; wait++)
			continue;
		put(path, i);
		settle();
		ck_assert_int_eq(number_in(path), i);
	}
}
END_TEST

START_TEST(a_failure_is_told)
{
	char *impossible = xasprintf("%s/no/state.json", directory);

	put(impossible, 1);
	settle();
	ck_assert_int_eq(told, 1);
	ck_assert_int_eq(failed, 1);
	ck_assert(statequeue_is_done(statequeue_mark()));
	put(impossible, 2);
	statequeue_forget(path);
	settle();
	ck_assert_int_eq(told, 1);
	free(impossible);
}
END_TEST

START_TEST(without_threads)
{
	struct err err = ERR_INIT;

	ck_assert(writer_end(10000));
	put(path, 1);
	ck_assert_int_eq(told, 1);
	ck_assert_int_eq(number_in(path), 1);
	ck_assert(statequeue_is_done(statequeue_mark()));
	statequeue_remove(path);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_eq(writer_begin(writer_loop, &err), 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("statequeue");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, only_the_newest_waits);
	tcase_add_test(all, an_early_mark);
	tcase_add_test(all, removed);
	tcase_add_test(all, taken_early);
	tcase_add_test(all, a_failure_is_told);
	tcase_add_test(all, without_threads);
	suite_add_tcase(suite, all);
	return suite;
}
