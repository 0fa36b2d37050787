/* check_child.c: tests of daemon/io/child.c: processes that dracod starts itself, and by a real
 * starter, which a process of the test executes for each connection, as systemd does. */
#include "unit.h"

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/io/child.h"
#include "daemon/io/loop.h"
#include "daemon/io/starter.h"
#include "daemon/io/starter_main.h"
#include "daemon/io/starter_msg.h"

static struct loop *loop;
static struct children *children;
static char *directory, *fifo;
static bool ended;
static int end_status;
static pid_t manager; /* 0: dracod starts processes itself */

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

static void serve_as_systemd(int listening)
{
	for (;;) {
		int fd = accept(listening, NULL, NULL);

		if (fd >= 0 && fork() == 0) {
			close(listening);
			dup2(fd, STDIN_FILENO);
			close(fd);
			_exit(starter_main());
		}
		close(fd);
	}
}

static int listen_for_starters(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_free_ char *own = unit_directory();
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", own);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	setenv(STARTER_VARIABLE, address.sun_path, 1);
	return fd;
}

static void setup_with_starter(void)
{
	int listening = listen_for_starters();
	pid_t parent = getpid();

	manager = fork();
	if (manager == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			serve_as_systemd(listening);
		_exit(1);
	}
	close(listening);
	setup();
	ck_assert_ptr_null(getenv(STARTER_VARIABLE));
}

static void teardown(void)
{
	children = children_destroy(children);
	if (manager > 0) {
		kill(manager, SIGKILL);
		waitpid(manager, NULL, 0);
		manager = 0;
	}
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

#define SHELL(script)                                                    \
	{                                                                \
		UNCONST("/bin/sh"), UNCONST("-c"), UNCONST(script), NULL \
	}

START_TEST(its_status)
{
	char *argv[] = SHELL("exit 7");
	struct err err = ERR_INIT;

	for (int i = 0; i < unit_rounds(50); i++) {
		ended = false;
		ck_assert_ptr_nonnull(begin((struct child_spec){.argv = argv}, &err));
		await_end();
		ck_assert(WIFEXITED(end_status) && WEXITSTATUS(end_status) == 7);
	}
}
END_TEST

/* A signal reaches its whole group, which is the reader of the pipe's other end. */
START_TEST(a_signal)
{
	char *argv[] = SHELL("sleep 1000 & echo; wait"), byte;
	struct err err = ERR_INIT;
	struct child *child;
	int out[2];

	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	child = child_start(children,
		&(struct child_spec){.argv = argv,
			.stdout_fd = out[1],
			.stderr_fd = -1,
			.extra_fd = -1,
			.own_session = true},
		on_end, NULL, &err);
	ck_assert_ptr_nonnull(child);
	close(out[1]);
	ck_assert_int_eq(read(out[0], &byte, 1), 1);
	child_signal(child, SIGKILL);
	await_end();
	ck_assert(WIFSIGNALED(end_status) && WTERMSIG(end_status) == SIGKILL);
	ck_assert_int_eq(read(out[0], &byte, 1), 0);
	close(out[0]);
}
END_TEST

/* More than a socket holds, and what is no UTF-8. */
START_TEST(its_environment_and_descriptors)
{
	enum { VARIABLES = 12, LONG = 100000 };
	char *argv[] = SHELL("printf %s \"${#V0} ${#V11} $W\"; echo extra >&3; echo bad >&2");
	char *envp[VARIABLES + 2] = {NULL}, text[64] = "", error[64] = "", extra[64] = "";
	struct err err = ERR_INIT;
	int pipes[3][2];

	for (int i = 0; i < VARIABLES; i++)
		envp[i] = xasprintf("V%d=%0*d", i, LONG, 0);
	envp[VARIABLES] = UNCONST("W=\xff\n");
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pipe2(pipes[i], O_CLOEXEC), 0);
	ck_assert_msg(child_start(children,
			      &(struct child_spec){.argv = argv,
				      .envp = envp,
				      .stdout_fd = pipes[0][1],
				      .stderr_fd = pipes[1][1],
				      .extra_fd = pipes[2][1]},
			      on_end, NULL, &err) != NULL,
		"%s", err.text);
	await_end();
	ck_assert_int_ge(read(pipes[0][0], text, sizeof(text) - 1), 0);
	ck_assert_int_ge(read(pipes[1][0], error, sizeof(error) - 1), 0);
	ck_assert_int_ge(read(pipes[2][0], extra, sizeof(extra) - 1), 0);
	ck_assert_str_eq(text, "100000 100000 \xff\n");
	ck_assert_str_eq(error, "bad\n");
	ck_assert_str_eq(extra, "extra\n");
	for (int i = 0; i < 3; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
	for (int i = 0; i < VARIABLES; i++)
		free(envp[i]);
}
END_TEST

/* Start a process that writes to the pipe's other end as long as it lives, and ends with dracod or
 * does not. *ret_starter: its parent. */
static struct child *begin_long(bool die_with_us, int *ret_pipe, pid_t *ret_starter)
{
	char *argv[] = SHELL("echo $PPID; exec sleep 1000"), text[64] = "";
	struct err err = ERR_INIT;
	struct child *child;
	int out[2];

	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	child = child_start(children,
		&(struct child_spec){.argv = argv,
			.stdout_fd = out[1],
			.stderr_fd = -1,
			.extra_fd = -1,
			.own_session = true,
			.die_with_us = die_with_us},
		on_end, NULL, &err);
	ck_assert_msg(child != NULL, "%s", err.text);
	close(out[1]);
	ck_assert_int_gt(read(out[0], text, sizeof(text) - 1), 0);
	*ret_starter = atoi(text);
	*ret_pipe = out[0];
	return child;
}

START_TEST(starter_is_killed)
{
	pid_t starter, second;
	int dies, lives, again;
	struct child *child;
	char byte;

	child_forget(begin_long(true, &dies, &starter));
	child = begin_long(false, &lives, &second);
	ck_assert_int_eq(second, starter);
	ck_assert_int_ne(starter, getpid());
	kill(starter, SIGKILL);
	ck_assert_int_eq(read(dies, &byte, 1), 0);
	/* The loop has not turned yet. */
	child_forget(begin_long(true, &again, &second));
	ck_assert_int_ne(second, starter);
	event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
	ck_assert(!ended);
	ck_assert_int_eq(kill(child_pid(child), 0), 0);
	child_signal(child, SIGKILL);
	await_end();
	ck_assert_int_eq(end_status, CHILD_STATUS_UNKNOWN);
	ck_assert_int_eq(read(lives, &byte, 1), 0);
	close(dies);
	close(lives);
	close(again);
}
END_TEST

START_TEST(dracod_ends)
{
	pid_t starter, pid;
	int dies, lives;
	char byte;

	begin_long(true, &dies, &starter);
	pid = child_pid(begin_long(false, &lives, &starter));
	children = children_destroy(children);
	ck_assert_int_eq(read(dies, &byte, 1), 0);
	ck_assert_int_eq(kill(pid, 0), 0);
	kill(pid, SIGKILL);
	ck_assert_int_eq(read(lives, &byte, 1), 0);
	children = children_create(loop);
	close(dies);
	close(lives);
}
END_TEST

START_TEST(no_starter)
{
	char *argv[] = SHELL("exit 0");
	struct err err = ERR_INIT;
	int listening;

	/* One that does not answer. */
	children_destroy(children);
	listening = listen_for_starters();
	children = children_create(loop);
	ck_assert_ptr_null(begin((struct child_spec){.argv = argv}, &err));
	unit_assert_err(&err, -ETIMEDOUT, "cannot start a process: ");
	/* The manager does not listen. */
	close(listening);
	ck_assert_ptr_null(begin((struct child_spec){.argv = argv}, &err));
	unit_assert_err(&err, -ECONNREFUSED, "draco-starter.socket of the user manager: ");
}
END_TEST

/* Only a whole request of this version is carried out. */
START_TEST(requests)
{
	char *argv[] = SHELL("exit 0"), *envp[] = {UNCONST("A=b"), NULL};
	struct child_spec spec = {.argv = argv,
		.envp = envp,
		.directory = "/d",
		.stdout_fd = -1,
		.stderr_fd = 5,
		.extra_fd = -1,
		.die_with_us = true};
	struct starter_request request = {.paths = STRV_INIT};
	struct strv paths = STRV_INIT;
	int fds[STARTER_FDS_MAX];
	size_t length, count;
	char *text;

	execute_paths(&spec, &paths);
	text = starter_msg_encode(&spec, &paths, &length, fds, &count);
	ck_assert_uint_eq(count, 1);
	for (size_t part = 0; part <= length; part++) {
		char *tight = unit_tight(text, part);
		int r = starter_msg_decode(tight, part, fds, count, &request);

		ck_assert_int_eq(r, part < length ? -EBADMSG : 0);
		starter_request_finish(&request);
		free(tight);
	}
	ck_assert_int_eq(starter_msg_decode(text, length, fds, 0, &request), -EBADMSG);
	starter_request_finish(&request);
	ck_assert_int_eq(starter_msg_decode(text, length, fds, count, &request), 0);
	ck_assert_str_eq(request.paths.item[0], "/bin/sh");
	ck_assert_str_eq(request.spec.argv[2], "exit 0");
	ck_assert_str_eq(request.spec.envp[0], "A=b");
	ck_assert_ptr_null(request.spec.envp[1]);
	ck_assert_str_eq(request.spec.directory, "/d");
	ck_assert_ptr_null(request.spec.log);
	ck_assert_int_eq(request.spec.stdout_fd, -1);
	ck_assert_int_eq(request.spec.stderr_fd, 5);
	ck_assert(request.spec.die_with_us && !request.spec.own_session);
	starter_request_finish(&request);
	text[strlen(text) - 1]++;
	ck_assert_int_eq(starter_msg_decode(text, length, fds, count, &request), -EPROTO);
	strv_finish(&paths);
	free(text);
}
END_TEST

START_TEST(another_user)
{
	int pair[2], status;
	pid_t pid;

	if (geteuid() != 0)
		return; /* nobody else can be that */
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		dup2(pair[0], STDIN_FILENO);
		_exit(seteuid(65534) < 0 ? 0 : starter_main());
	}
	close(pair[0]);
	close(pair[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 2);
}
END_TEST

static TCase *in_both_ways(const char *name, void (*begin_with)(void))
{
	TCase *tests = tcase_create(name);

	tcase_add_checked_fixture(tests, begin_with, teardown);
	tcase_add_test(tests, executed_late);
	tcase_add_test(tests, not_executed_late);
	tcase_add_test(tests, not_executed);
	tcase_add_test(tests, searched_nowhere);
	tcase_add_test(tests, elsewhere_without_its_directory);
	tcase_add_test(tests, its_status);
	tcase_add_test(tests, a_signal);
	tcase_add_test(tests, its_environment_and_descriptors);
	return tests;
}

Suite *unit_suite(void)
{
	Suite *suite = suite_create("child");
	TCase *starter = in_both_ways("starter", setup_with_starter);

	tcase_add_test(starter, starter_is_killed);
	tcase_add_test(starter, dracod_ends);
	tcase_add_test(starter, no_starter);
	tcase_add_test(starter, requests);
	tcase_add_test(starter, another_user);
	suite_add_tcase(suite, in_both_ways("itself", setup));
	suite_add_tcase(suite, starter);
	return suite;
}
