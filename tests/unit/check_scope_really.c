/* check_scope_really.c: tests of systemd/scope.c and daemon/dask/scheduler_unit.c with a real user
 * manager and the kernel's cgroups of version 2: what ends a process for memory, and how that is
 * told.
 *
 * It must be run as a service of the user manager, which tests/machine/check does:
 *	systemd-run --user --wait --pipe -E DRACO_TEST_MANAGER=1 PROGRAM */
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/dask/scheduler_unit.h"
#include "daemon/io/cgroup.h"
#include "daemon/io/loop.h"
#include "systemd/bus.h"
#include "systemd/scope.h"

#define LIMIT	   ((int64_t)100 << 20)
#define CHUNK	   ((size_t)16 << 20)
#define DEADLINE_S 300 /* a machine that is emulated is slow */

static struct loop *loop;
static struct loop_timer *turn;
static struct scope *scope;
static struct bus *bus;
static struct scheduler_unit unit;
static int settled;
static char *why;

static void on_turn(void *arg)
{
	loop_exit(arg);
}

static void on_settled(void *arg, const char *reason)
{
	(void)arg;
	settled++;
	xreplace(&why, reason);
}

static void on_up(void *arg, struct sd_bus *connection)
{
	(void)arg;
	scope_up(scope, connection);
}

static void on_down(void *arg)
{
	(void)arg;
	scope_down(scope);
}

/* A process that takes more and more memory once the pipe is closed. */
static pid_t begin(int *ret_pipe)
{
	int pair[2];
	pid_t pid;
	char byte;

	ck_assert_int_eq(pipe(pair), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		close(pair[1]);
		if (read(pair[0], &byte, 1) != 0)
			_exit(1);
		for (;;)
			memset(xcalloc(1, CHUNK), 1, CHUNK);
	}
	close(pair[0]);
	*ret_pipe = pair[1];
	return pid;
}

static void hold(pid_t pid)
{
	time_t until = time(NULL) + DEADLINE_S;

	scheduler_unit_begin(&unit, pid);
	settled = 0;
	scope_want(scope, pid,
		&(struct scope_limits){.memory_max = LIMIT, .cpu_weight = 50, .tasks_max = 20});
	while (!settled) {
		ck_assert(time(NULL) < until);
		loop_timer_start(turn, 10);
		ck_assert_int_eq(loop_run(loop), 0);
	}
	ck_assert_msg(why == NULL, "%s", why);
	scheduler_unit_look(&unit, pid);
	ck_assert_ptr_nonnull(unit.directory);
	ck_assert_str_eq(
		cgroup_unit_name(unit.directory), "draco-scheduler-test\\x2dreally.scope");
	ck_assert_int_eq(unit.limit, LIMIT);
}

static void check_limit(const char *file, const char *value)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", unit.directory, file);
	FILE *kernel = fopen(path, "re"); /* such a file says that it has no length */
	char text[64] = "";

	ck_assert_ptr_nonnull(kernel);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), kernel));
	fclose(kernel);
	ck_assert_str_eq(text, value);
}

/* How it is told that the process has ended. The caller frees. */
static char *end(pid_t pid, bool *ret_for_memory)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return scheduler_unit_end(&unit, status, ret_for_memory);
}

START_TEST(ended_for_memory_and_not)
{
	static const struct bus_ops ops = {on_up, on_down};
	_cleanup_free_ char *first = NULL, *second = NULL;
	bool for_memory;
	pid_t pid;
	int fd;

	if (!getenv("DRACO_TEST_MANAGER")) {
		puts("skipped: not run by tests/machine/check");
		return;
	}
	loop = loop_create(NULL);
	turn = loop_timer_create(loop, on_turn, loop);
	scope = scope_create(loop, "test-really", on_settled, NULL);
	bus = bus_create(loop, BUS_USER, &ops, NULL);
	pid = begin(&fd);
	hold(pid);
	check_limit("pids.max", "20\n");
	check_limit("cpu.weight", "50\n");
	close(fd);
	first = end(pid, &for_memory);
	puts(first);
	ck_assert(for_memory);
	ck_assert_ptr_nonnull(strstr(first,
		"was ended by signal 9 (Killed) by the kernel, because it needed more memory than "
		"the 100.0 MiB of its unit draco-scheduler-test\\x2dreally.scope"));
	/* The next one comes at once, and is killed by somebody. */
	pid = begin(&fd);
	hold(pid);
	kill(pid, SIGKILL);
	second = end(pid, &for_memory);
	puts(second);
	ck_assert(!for_memory);
	close(fd);
	scheduler_unit_finish(&unit);
	scope_destroy(scope);
	bus_destroy(bus);
	loop_timer_destroy(turn);
	loop_destroy(loop);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("scope: really");
	TCase *tcase = tcase_create("really");

	tcase_set_timeout(tcase, 2 * DEADLINE_S);
	tcase_add_test(tcase, ended_for_memory_and_not);
	suite_add_tcase(suite, tcase);
	return suite;
}
