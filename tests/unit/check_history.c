/* check_history.c: tests of daemon/io/history.c: what is noted, kept in the file, and read
 * again. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/io/history.h"

static char *directory, *path, *old;

static void setup(void)
{
	directory = unit_directory();
	path = xasprintf("%s/events.jsonl", directory);
	old = xasprintf("%s.1", path);
	history_open(path);
}

static void teardown(void)
{
	history_close();
	history_listen(NULL, NULL);
	free(directory);
	free(path);
	free(old);
}

static size_t count_kept(void)
{
	json_t *answer = events_list(history_events(), 1, -1, SIZE_MAX);
	size_t count = json_array_size(json_object_get(answer, "events"));

	json_decref(answer);
	return count;
}

static void assert_last(const char *text)
{
	ck_assert_str_eq(events_last(history_events())->text, text);
}

/* The file may grow by so many bytes. */
static void limit_file(rlim_t bytes)
{
	struct rlimit limit;
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : (rlim_t)st.st_size + bytes;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(tells_once_that_lines_are_lost)
{
	_cleanup_free_ char *told =
		xasprintf("cannot write %s: %s: later events are kept in memory only", path,
			strerror(ENOSPC));
	_cleanup_free_ char *again =
		xasprintf("%s can be written again; 4 lines are missing", path);

	signal(SIGXFSZ, SIG_IGN);
	history_note(EVENT_NOTE, "job", NULL, "zero");
	limit_file(10);
	history_note(EVENT_NOTE, "job", NULL, "one");
	assert_last(told);
	history_note(EVENT_NOTE, "job", NULL, "two");
	history_note(EVENT_NOTE, "job", NULL, "three");
	assert_last("three");
	limit_file(RLIM_INFINITY);
	history_note(EVENT_NOTE, "job", NULL, "four");
	assert_last(again);
	history_note(EVENT_NOTE, "job", NULL, "five");
	ck_assert_uint_eq(count_kept(), 8);
	history_open(path); /* the line that was cut off hinders no other one */
	ck_assert_uint_eq(count_kept(), 4);
}
END_TEST

START_TEST(notes)
{
	const struct event *event;

	history_note(EVENT_DECISION, "job", "42_0", "cancelling it: %s", "too many");
	event = events_last(history_events());
	ck_assert_int_eq(event->kind, EVENT_DECISION);
	ck_assert_str_eq(event->subject, "job");
	ck_assert_str_eq(event->name, "42_0");
	ck_assert_str_eq(event->text, "cancelling it: too many");
	ck_assert_int_eq(event->after_ms, -1);
	ck_assert_int_gt(event->time_ms, 1600000000000);

	history_phase("scheduler", NULL, "starting", "up", 1500, NULL);
	event = events_last(history_events());
	ck_assert_int_eq(event->kind, EVENT_PHASE);
	ck_assert_ptr_null(event->name);
	ck_assert_str_eq(event->text, "starting -> up after 1.5 s");
	ck_assert_str_eq(event->from, "starting");
	ck_assert_str_eq(event->to, "up");
	ck_assert_int_eq(event->after_ms, 1500);

	history_phase("job", "7", "pending", "gone", 0, "was cancelled");
	ck_assert_str_eq(events_last(history_events())->text,
		"pending -> gone after 0.0 s: was cancelled");
}
END_TEST

START_TEST(failure_with_log)
{
	char *log = unit_file(directory, "job-7.log", "one\ntwo\nthree\n", 14);
	const struct event *event;

	history_failure("job", "7", log, "failed with exit status %d", 7);
	event = events_last(history_events());
	ck_assert_int_eq(event->kind, EVENT_FAILURE);
	ck_assert_str_eq(event->text, "failed with exit status 7");
	ck_assert_str_eq(event->log, log);
	ck_assert_str_eq(event->tail, "one\ntwo\nthree");
	free(log);
	history_failure("job", "8", "/nowhere/job-8.log", "failed");
	event = events_last(history_events());
	ck_assert_str_eq(event->log, "/nowhere/job-8.log");
	ck_assert_ptr_null(event->tail);
	history_failure("slurm", NULL, NULL, "does not answer");
	ck_assert_ptr_null(events_last(history_events())->log);
}
END_TEST

START_TEST(repeated_once)
{
	for (int i = 0; i < 5; i++)
		history_note(EVENT_FAILURE, "slurm", NULL, "does not answer");
	ck_assert_uint_eq(count_kept(), 1);
	history_note(EVENT_FAILURE, "slurm", "x", "does not answer");
	history_note(EVENT_NOTE, "slurm", "x", "does not answer");
	history_note(EVENT_NOTE, "slurm", "x", "answers");
	history_note(EVENT_FAILURE, "slurm", NULL, "does not answer");
	ck_assert_uint_eq(count_kept(), 5);
}
END_TEST

START_TEST(goes_on_after_a_restart)
{
	for (int i = 0; i < 3; i++)
		history_note(EVENT_NOTE, "test", NULL, "event %d", i);
	history_close();
	ck_assert_ptr_null(history_events());
	history_note(EVENT_NOTE, "test", NULL, "logged only");
	history_open(path);
	ck_assert_uint_eq(count_kept(), 3);
	ck_assert_str_eq(events_last(history_events())->text, "event 2");
	history_note(EVENT_NOTE, "test", NULL, "event 3");
	ck_assert_int_eq(events_last(history_events())->id, 4);
}
END_TEST

START_TEST(damaged_file)
{
	static const char text[] =
		"{\"id\":5,\"time\":1,\"kind\":\"note\",\"subject\":\"a\",\"text\":\"b\"}\n"
		"\n\377\376\n[]\n{\"id\":7}\n"
		"{\"id\":4,\"time\":1,\"kind\":\"note\",\"subject\":\"a\",\"text\":\"earlier\"}\n"
		"{\"id\":6,\"time\":1,\"kind\":\"note\",\"subj";

	history_close();
	free(unit_file(directory, "events.jsonl", text, strlen(text)));
	history_open(path);
	ck_assert_uint_eq(count_kept(), 1);
	history_note(EVENT_NOTE, "test", NULL, "whole");
	ck_assert_int_eq(events_last(history_events())->id, 6);
	/* The new event is not glued to the cut one. */
	history_close();
	history_open(path);
	ck_assert_uint_eq(count_kept(), 2);
	ck_assert_str_eq(events_last(history_events())->text, "whole");
}
END_TEST

START_TEST(bounded)
{
	char text[EVENT_TEXT_MAX];
	struct stat st;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 2500; i++) {
		text[0] = (char)('a' + i % 2); /* no two in a row are the same */
		history_note(EVENT_NOTE, "test", NULL, "%s", text);
	}
	ck_assert_uint_eq(count_kept(), HISTORY_KEPT);
	ck_assert_int_eq(events_next(history_events()), 2501);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_lt(st.st_size, HISTORY_FILE_MAX);
	ck_assert_int_eq(stat(old, &st), 0);
	ck_assert_int_lt(st.st_size, HISTORY_FILE_MAX + 2 * EVENT_TEXT_MAX);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	history_close();
	history_open(path);
	ck_assert_uint_eq(count_kept(), HISTORY_KEPT);
	ck_assert_int_eq(events_next(history_events()), 2501);
}
END_TEST

/* With no descriptor left the file grows on, and is replaced later. */
START_TEST(no_new_file)
{
	struct rlimit limit, none;
	struct stat st;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	for (int i = 1; i <= 12000; i++)
		history_note(EVENT_NOTE, "test", NULL, "%d%0100d", i, 0);
	setrlimit(RLIMIT_NOFILE, &limit);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_gt(st.st_size, HISTORY_FILE_MAX + 2 * EVENT_TEXT_MAX);
	ck_assert_int_eq(stat(old, &st), -1);
	history_note(EVENT_NOTE, "test", NULL, "the last");
	ck_assert_int_eq(stat(old, &st), 0);
	history_close();
	history_open(path);
	ck_assert_str_eq(events_last(history_events())->text, "the last");
}
END_TEST

START_TEST(without_a_file)
{
	char *impossible = xasprintf("%s/no/such/directory", directory);

	history_close();
	history_open(impossible);
	history_note(EVENT_NOTE, "test", NULL, "in memory");
	ck_assert_uint_eq(count_kept(), 1);
	free(impossible);
}
END_TEST

static void listen(void *arg, const struct event *event)
{
	*(int64_t *)arg = event->id;
}

START_TEST(listener)
{
	int64_t told = 0;

	history_listen(listen, &told);
	history_note(EVENT_NOTE, "test", NULL, "one");
	ck_assert_int_eq(told, 1);
	history_note(EVENT_NOTE, "test", NULL, "one");
	history_note(EVENT_NOTE, "test", NULL, "two");
	ck_assert_int_eq(told, 2);
	history_listen(NULL, NULL);
	history_note(EVENT_NOTE, "test", NULL, "three");
	ck_assert_int_eq(told, 2);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("history");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, notes);
	tcase_add_test(all, tells_once_that_lines_are_lost);
	tcase_add_test(all, failure_with_log);
	tcase_add_test(all, repeated_once);
	tcase_add_test(all, goes_on_after_a_restart);
	tcase_add_test(all, damaged_file);
	tcase_add_test(all, bounded);
	tcase_add_test(all, no_new_file);
	tcase_add_test(all, without_a_file);
	tcase_add_test(all, listener);
	suite_add_tcase(suite, all);
	return suite;
}
