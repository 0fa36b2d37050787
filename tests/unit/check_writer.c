/* check_writer.c: tests of daemon/io/writer.c and lines.c: a thread that hangs holds up nobody. */
#include "unit.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/append.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "daemon/io/history.h"
#include "daemon/io/lines.h"
#include "daemon/io/loop.h"
#include "daemon/io/writer.h"
#include "writer_fixture.h"

static char *directory, *path;
static int works, dones;

static void setup(void)
{
	works = dones = 0;
	directory = unit_directory();
	path = xasprintf("%s/file", directory);
	writer_setup();
}

static void teardown(void)
{
	writer_teardown();
	free(directory);
	free(path);
}

static int64_t real_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void turn_until(const int *count, int wanted)
{
	while (*count < wanted)
		ck_assert_int_ge(event_base_loop(loop_base(writer_loop), EVLOOP_ONCE), 0);
}

static void count_work(void *arg)
{
	(void)arg;
	__atomic_add_fetch(&works, 1, __ATOMIC_SEQ_CST);
}

static void count_done(void *arg)
{
	(void)arg;
	dones++;
}

static void hang_and_count(void *arg)
{
	hang(arg);
	count_work(arg);
}

START_TEST(done_and_told)
{
	struct writer_job job = {
		.lane = WRITER_STATE, .work = hang_and_count, .done = count_done};

	writer_add(&job);
	let_go();
	turn_until(&dones, 1);
	ck_assert_int_eq(works, 1);
	ck_assert(writer_is_idle(&job));
}
END_TEST

/* However often it is asked for while it is done, it is done once more. */
START_TEST(waits_once)
{
	struct writer_job job = {
		.lane = WRITER_STATE, .work = hang_and_count, .done = count_done};

	writer_add(&job);
	while (writer_age_ms(WRITER_STATE) == 0)
		usleep(1000);
	for (int i = 0; i < 100; i++)
		writer_add(&job);
	ck_assert(!writer_is_idle(&job));
	let_go();
	let_go();
	ck_assert(writer_settle(WRITER_STATE, 10000));
	turn_until(&dones, 1);
	ck_assert_int_eq(works, 2);
}
END_TEST

/* A lane that hangs holds up neither the others nor the loop; nobody waits for it twice. */
START_TEST(others_go_on)
{
	struct writer_job other = {.lane = WRITER_LOGS, .work = count_work, .done = count_done};
	int64_t begin_ms = real_ms();

	writer_run(WRITER_STATE, hang, NULL, NULL);
	writer_add(&other);
	turn_until(&dones, 1);
	ck_assert(writer_settle(WRITER_LOGS, 10000));
	ck_assert(!writer_settle(WRITER_STATE, 20));
	while (writer_age_ms(WRITER_STATE) < 40)
		usleep(1000);
	begin_ms = real_ms();
	for (int i = 0; i < 1000; i++)
		ck_assert(!writer_settle(WRITER_STATE, 20));
	ck_assert_int_lt(real_ms() - begin_ms, 5000);
	let_go();
}
END_TEST

static void look_up(void *arg)
{
	*(int *)arg = 42;
}

START_TEST(looks)
{
	int *answer = xcalloc(1, sizeof(*answer));

	ck_assert(writer_look(look_up, free, answer, 10000));
	ck_assert_int_eq(*answer, 42);
	/* Whoever waits in vain has given the argument away. */
	ck_assert(!writer_look(hang, free, answer, 20));
	while (writer_age_ms(WRITER_LOOK) < 40)
		usleep(1000);
	ck_assert(!writer_look(look_up, free, xcalloc(1, sizeof(int)), 20));
	let_go();
}
END_TEST

START_TEST(signals_are_the_loops)
{
	sigset_t mask;

	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	ck_assert_int_eq(sigismember(&mask, SIGTERM), 0);
	writer_run(WRITER_STATE, hang, NULL, NULL);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	ck_assert_int_eq(sigismember(&mask, SIGTERM), 0);
	let_go();
}
END_TEST

/* At the end all that waits is done, unless it hangs: then the end does not wait for long. */
START_TEST(ends)
{
	struct err err = ERR_INIT;

	for (int i = 0; i < 100; i++)
		writer_run(WRITER_STATE, count_work, count_done, NULL);
	ck_assert(writer_end(10000));
	ck_assert_int_eq(works, 100);
	ck_assert_int_eq(dones, 100);
	writer_run(WRITER_STATE, count_work, count_done, NULL);
	ck_assert_int_eq(works, 101); /* without a thread */
	ck_assert_int_eq(dones, 101);
	ck_assert_int_eq(writer_begin(writer_loop, &err), 0);
}
END_TEST

/* Lines */

static int line_error, lines_lost;

static void on_lines(void *arg, int error, int lost)
{
	(void)arg;
	line_error = error;
	lines_lost += lost;
	dones++;
}

START_TEST(lines_wait_and_are_bounded)
{
	struct lines *lines =
		lines_create(append_create(path, 1 << 30), WRITER_STATE, on_lines, NULL);
	_cleanup_free_ char *text = NULL;
	int put = 0, refused = 0;
	char line[1001];

	memset(line, 'x', sizeof(line));
	line[999] = '\n';
	lines_lost = 0;
	writer_run(WRITER_STATE, hang, NULL, NULL);
	for (int i = 0; i < 1000; i++)
		if (lines_put(lines, line, 1000))
			put++;
		else
			refused++;
	ck_assert_int_eq(put, LINES_ROOM / 1000);
	ck_assert_int_eq(refused, 1000 - put);
	let_go();
	turn_until(&dones, 1);
	ck_assert_int_eq(line_error, 0);
	ck_assert_int_eq(lines_lost, 0);
	ck_assert(lines_put(lines, "last\n", 5));
	lines_close(lines);
	ck_assert(writer_settle(WRITER_STATE, 10000));
	text = unit_read(path);
	ck_assert_uint_eq(strlen(text), (size_t)put * 1000 + 5);
	ck_assert_str_eq(text + put * 1000, "last\n");
}
END_TEST

START_TEST(lost_lines_are_told)
{
	_cleanup_free_ char *impossible = xasprintf("%s/no/file", directory);
	struct lines *lines =
		lines_create(append_create(impossible, 1 << 30), WRITER_STATE, on_lines, NULL);

	lines_lost = 0;
	lines_put(lines, "one\ntwo\n", 8);
	turn_until(&dones, 1);
	ck_assert_int_eq(line_error, -ENOENT);
	ck_assert_int_eq(lines_lost, 2);
	lines_close(lines);
}
END_TEST

/* The log says which lines of it are missing. */
START_TEST(the_log)
{
	_cleanup_free_ char *text = NULL;
	char line[1000];
	struct err err = ERR_INIT;

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	ck_assert_int_eq(log_open(path, LOG_LEVEL_INFO, &err), 0);
	lines_take_log();
	writer_run(WRITER_LOG, hang, NULL, NULL);
	for (int i = 0; i < 500; i++)
		log_info("%s", line);
	let_go();
	ck_assert(writer_settle(WRITER_LOG, 10000));
	log_info("goes on");
	log_close();
	ck_assert(writer_settle(WRITER_LOG, 10000));
	text = unit_read(path);
	ck_assert_ptr_nonnull(strstr(text, " lines of the log are missing here: "));
	ck_assert_ptr_nonnull(strstr(text, " goes on\n"));
	ck_assert(writer_end(10000));
	log_set_output(NULL);
	ck_assert_int_eq(writer_begin(writer_loop, &err), 0);
}
END_TEST

static char order[8];

static void first(void *arg)
{
	if (!*order)
		hang(arg);
	strcat(order, "a");
}

static void second(void *arg)
{
	(void)arg;
	strcat(order, "b");
}

/* What is added while it is being done is done before what is added later. */
START_TEST(in_their_order)
{
	struct writer_job job = {.lane = WRITER_STATE, .work = first};

	*order = '\0';
	writer_add(&job);
	while (!writer_age_ms(WRITER_STATE))
		usleep(1000);
	writer_add(&job);
	writer_run(WRITER_STATE, second, NULL, NULL);
	let_go();
	ck_assert(writer_settle(WRITER_STATE, 10000));
	event_base_loop(loop_base(writer_loop), EVLOOP_NONBLOCK);
	ck_assert(writer_is_idle(&job));
	ck_assert_str_eq(order, "aab");
}
END_TEST

/* The lines go on to the former file, which says so. */
START_TEST(not_opened_again)
{
	_cleanup_free_ char *here = xasprintf("%s/here", directory);
	_cleanup_free_ char *file = xasprintf("%s/log", here);
	_cleanup_free_ char *away = xasprintf("%s/away", directory);
	_cleanup_free_ char *moved = xasprintf("%s/log", away);
	_cleanup_free_ char *text = NULL;
	struct err err = ERR_INIT;

	ck_assert_int_eq(mkdir(here, 0700), 0);
	ck_assert_int_eq(log_open(file, LOG_LEVEL_INFO, &err), 0);
	lines_take_log();
	ck_assert_int_eq(rename(here, away), 0);
	ck_assert_int_eq(log_reopen(&err), 0);
	ck_assert(writer_settle(WRITER_LOG, 10000));
	event_base_loop(loop_base(writer_loop), EVLOOP_NONBLOCK);
	log_close();
	ck_assert(writer_settle(WRITER_LOG, 10000));
	text = unit_read(moved);
	ck_assert_ptr_nonnull(strstr(text, " again: No such file or directory: its lines"));
	ck_assert(writer_end(10000));
	log_set_output(NULL);
	ck_assert_int_eq(writer_begin(writer_loop, &err), 0);
}
END_TEST

/* Events go on in memory, and the user is told of those that are not in the file. */
START_TEST(the_history)
{
	_cleanup_free_ char *text = NULL;
	char line[EVENT_TEXT_MAX];

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	history_open(path);
	writer_run(WRITER_STATE, hang, NULL, NULL);
	for (int i = 0;
		strncmp(events_last(history_events()) ? events_last(history_events())->text
						      : "",
			"cannot write", 12) != 0;
		i++) {
		line[0] = (char)('a' + i % 2);
		history_note(EVENT_NOTE, "test", NULL, "%s", line);
	}
	let_go();
	ck_assert(writer_settle(WRITER_STATE, 10000));
	event_base_loop(loop_base(writer_loop), EVLOOP_NONBLOCK);
	ck_assert_ptr_nonnull(
		strstr(events_last(history_events())->text, " can be written again; 2 lines"));
	history_close();
	ck_assert(writer_settle(WRITER_STATE, 10000));
	text = unit_read(path);
	ck_assert_ptr_nonnull(strstr(text, "can be written again"));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("writer");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, done_and_told);
	tcase_add_test(all, waits_once);
	tcase_add_test(all, others_go_on);
	tcase_add_test(all, looks);
	tcase_add_test(all, signals_are_the_loops);
	tcase_add_test(all, ends);
	tcase_add_test(all, lines_wait_and_are_bounded);
	tcase_add_test(all, lost_lines_are_told);
	tcase_add_test(all, the_log);
	tcase_add_test(all, in_their_order);
	tcase_add_test(all, not_opened_again);
	tcase_add_test(all, the_history);
	suite_add_tcase(suite, all);
	return suite;
}
