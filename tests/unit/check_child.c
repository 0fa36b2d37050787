/* check_child.c: tests of daemon/io/child.c: processes whose program is executed late, or never. */
#include "unit.h"

#include <event2/event.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/io/child.h"
#include "daemon/io/loop.h"

static struct loop *loop;
static struct children *children;
static char *directory, *fifo;
static bool ended;
static int end_status;

static void setup(void)
{
	struct err err = ERR_INIT;

	ended = false;
	directory = unit_directory();
	fifo = xasprintf("%s/fifo", directory);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	loop = loop_create(&err);
	ck_assert_ptr_nonnull(loop);
	children = children_create(loop);
}

static void teardown(void)
{
	children_destroy(children);
	loop_destroy(loop);
	free(directory);
	free(fifo);
}

static void on_end(void *arg, int status)
{
	(void)arg;
	ended = true;
	end_status = status;
}

static struct child *begin(struct child_spec spec, struct err *err)
{
	spec.stdout_fd = spec.stderr_fd = spec.extra_fd = -1;
	return child_start(children, &spec, on_end, NULL, err);
}

static void await_end(void)
{
	while (!ended)
		ck_assert_int_ge(event_base_loop(loop_base(loop), EVLOOP_ONCE), 0);
}

/* Start a process that waits for its log, and let it go on. */
static void begin_late(char *program)
{
	char *argv[] = {program, NULL};
	struct err err = ERR_INIT;
	_cleanup_close_ int reader = -1;

	ck_assert_ptr_nonnull(begin(
		(struct child_spec){
			.argv = argv, .search = "/nonexistent:/usr/bin:/bin", .log = fifo},
		&err));
	event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
	ck_assert(!ended);
	reader = open(fifo, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(reader, 0);
	await_end();
}

START_TEST(executed_late)
{
	begin_late(UNCONST("true"));
	ck_assert_int_eq(child_not_executed(end_status), 0);
	ck_assert(WIFEXITED(end_status) && WEXITSTATUS(end_status) == 0);
}
END_TEST

START_TEST(not_executed_late)
{
	char text[CHILD_STATUS_MAX];

	begin_late(UNCONST("draco-no-such-program"));
	ck_assert_int_eq(child_not_executed(end_status), ENOENT);
	ck_assert_str_eq(child_format_status(end_status, text),
		"cannot be executed: No such file or directory");
}
END_TEST

/* In place of the loop the caller is told, if it is known at once. */
START_TEST(not_executed)
{
	char *argv[] = {UNCONST("/nonexistent/program"), NULL};
	struct err err = ERR_INIT;

	if (!begin((struct child_spec){.argv = argv}, &err)) {
		unit_assert_err(&err, -ENOENT, "cannot execute /nonexistent/program: ");
		return;
	}
	await_end(); /* a busy machine */
	ck_assert_int_eq(child_not_executed(end_status), ENOENT);
}
END_TEST

START_TEST(searched_nowhere)
{
	char *argv[] = {UNCONST("sh"), NULL};
	struct err err = ERR_INIT;

	if (!begin((struct child_spec){.argv = argv, .search = ""}, &err)) {
		unit_assert_err(&err, -ENOENT, "cannot execute sh: ");
		return;
	}
	await_end();
	ck_assert_int_eq(child_not_executed(end_status), ENOENT);
}
END_TEST

START_TEST(elsewhere_without_its_directory)
{
	char *argv[] = {UNCONST("sh"), UNCONST("-c"), UNCONST("test \"$(pwd)\" = /"), NULL};
	struct err err = ERR_INIT;

	ck_assert_ptr_nonnull(begin((struct child_spec){.argv = argv,
					    .search = "/bin",
					    .directory = "/nonexistent",
					    .root_else = true},
		&err));
	await_end();
	ck_assert(WIFEXITED(end_status) && WEXITSTATUS(end_status) == 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("child");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, executed_late);
	tcase_add_test(all, not_executed_late);
	tcase_add_test(all, not_executed);
	tcase_add_test(all, searched_nowhere);
	tcase_add_test(all, elsewhere_without_its_directory);
	suite_add_tcase(suite, all);
	return suite;
}
