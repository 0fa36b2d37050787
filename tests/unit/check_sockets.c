/* check_sockets.c: tests of daemon/io/sockets.c and daemon/control/ownership.c, with real
 * listeners: what vanishes is made again, and what belongs to another is noticed. */
#include "unit.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/paths.h"
#include "common/sock.h"
#include "daemon/control/ownership.h"
#include "daemon/io/instance.h"
#include "daemon/io/listener.h"
#include "daemon/io/loop.h"
#include "daemon/io/sockets.h"

#define TURN_MS	   20
#define DEADLINE_S 15 /* far less than the slow timer */

static struct loop *loop;
static struct loop_timer *turn;
static struct paths paths;
static struct sockets *sockets;
static struct listener *listener;
static char *home, *run;
static int again, connections, last_fd;
static struct err err;

static void on_turn(void *arg)
{
	(void)arg;
	loop_exit(loop);
}

#define run_until(condition)                                                           \
	do {                                                                           \
		time_t until_ = time(NULL) + DEADLINE_S;                               \
		while (!(condition)) {                                                 \
			ck_assert_msg(time(NULL) < until_, "not yet: %s", #condition); \
			loop_timer_start(turn, TURN_MS);                               \
			ck_assert_int_eq(loop_run(loop), 0);                           \
		}                                                                      \
	} while (0)

static void on_connect(void *arg, int fd, pid_t pid)
{
	(void)arg;
	ck_assert_int_eq(pid, getpid());
	connections++;
	last_fd = fd;
}

static bool are_there(void *arg)
{
	(void)arg;
	return listener_is_there(listener);
}

static int listen_again(void *arg, struct err *ret)
{
	(void)arg;
	return listener_move(listener, paths.control_socket, ret);
}

static void on_well(void *arg, bool made)
{
	(void)arg;
	again += made;
}

static void setup(void)
{
	static const struct sockets_ops ops = {are_there, listen_again, on_well};
	char *temporary;

	signal(SIGPIPE, SIG_IGN);
	again = connections = 0;
	err = (struct err)ERR_INIT;
	home = unit_directory();
	run = xasprintf("%s/run", home);
	temporary = xasprintf("%s/tmp", home);
	ck_assert_int_eq(mkdir(run, 0700), 0);
	ck_assert_int_eq(mkdir(temporary, 0700), 0);
	setenv("HOME", home, 1);
	setenv("XDG_RUNTIME_DIR", run, 1);
	setenv("TMPDIR", temporary, 1);
	unsetenv("XDG_STATE_HOME");
	free(temporary);
	loop = loop_create(&err);
	turn = loop_timer_create(loop, on_turn, NULL);
	ck_assert_int_eq(paths_init(&paths, "n", NULL), 0);
	ck_assert_int_eq(paths_make(&paths, NULL), 0);
	sockets = sockets_create(loop, &paths, NULL, &ops, NULL, &err);
	ck_assert_msg(sockets != NULL, "%s", err.text);
	listener = listener_create(loop, paths.control_socket, on_connect, NULL, &err);
	ck_assert_msg(listener != NULL, "%s", err.text);
	sockets_watch(sockets);
}

static void teardown(void)
{
	listener_destroy(listener);
	sockets_destroy(sockets);
	loop_timer_destroy(turn);
	loop_destroy(loop);
	paths_finish(&paths);
	free(home);
	free(run);
}

/* Somebody connects, and both ends can talk. */
static int connect_to_it(void)
{
	int fd = sock_connect(paths.control_socket, &err), before = connections;

	ck_assert_msg(fd >= 0, "%s", err.text);
	run_until(connections > before);
	return fd;
}

static void check_talk(int fd, int other)
{
	char byte = 0;

	ck_assert_int_eq(write(fd, "x", 1), 1);
	ck_assert_int_eq(read(other, &byte, 1), 1);
	ck_assert_int_eq(byte, 'x');
}

static void remove_all(const char *path)
{
	char *command = xasprintf("rm -rf '%s'", path);

	ck_assert_int_eq(system(command), 0);
	free(command);
}

/* Each thing on the way to the socket goes, by removing or moving it. */
static char *victim(int which)
{
	char *path = xstrdup(paths.control_socket);

	for (; which > 0; which--)
		*strrchr(path, '/') = '\0';
	return path;
}

START_TEST(vanishes)
{
	char *path = victim(_i / 2), *aside = xasprintf("%s/aside", home);
	bool to_temporary = _i / 2 == 3;
	int fd = connect_to_it(), other = last_fd;

	for (int round = 0; round < 2; round++) {
		if (_i % 2 == 0) {
			remove_all(path);
		} else {
			remove_all(aside);
			ck_assert_int_eq(rename(path, aside), 0);
		}
		run_until(again > round);
		close(connect_to_it());
		close(last_fd);
		check_talk(fd, other); /* who is connected notices nothing */
		ck_assert_int_eq(
			strncmp(paths.control_socket, run, strlen(run)) != 0, to_temporary);
		if (to_temporary)
			break;
	}
	close(fd);
	close(other);
	free(path);
	free(aside);
}
END_TEST

/* Who waits to be served at that moment is served. */
START_TEST(a_client_in_between)
{
	int fd = sock_connect(paths.control_socket, &err);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(unlink(paths.control_socket), 0);
	run_until(again > 0 && connections == 1);
	check_talk(fd, last_fd);
	close(fd);
	close(last_fd);
}
END_TEST

/* What cannot be made again is tried again. */
START_TEST(nowhere)
{
	char *temporary = xasprintf("%s/tmp", home);

	setenv("TMPDIR", temporary, 1);
	setenv("XDG_RUNTIME_DIR", run, 1);
	remove_all(run);
	ck_assert_int_eq(mknod(run, S_IFREG | 0600, 0), 0);
	run_until(again > 0);
	ck_assert_int_eq(strncmp(paths.control_socket, temporary, strlen(temporary)), 0);
	close(connect_to_it());
	close(last_fd);
	free(temporary);
}
END_TEST

static char *lost_why;

static void on_lost(void *arg, const char *why)
{
	(void)arg;
	ck_assert_ptr_null(lost_why);
	lost_why = xstrdup(why);
}

/* Another dracod, or nobody: noticed at once on this host, and once. */
START_TEST(another_owner)
{
	struct tenure *tenure = instance_acquire(&paths, &err);
	struct ownership *watching;
	json_t *daemon;

	ck_assert_msg(tenure != NULL, "%s", err.text);
	ck_assert_int_eq(instance_publish(tenure, &err), 0);
	watching = ownership_create(loop, tenure, &paths, 3000, on_lost, NULL);
	ck_assert_int_eq(unlink(paths.daemon_file), 0);
	run_until(access(paths.daemon_file, F_OK) == 0); /* mended */
	ck_assert_ptr_null(lost_why);
	if (_i == 0) {
		daemon = json_load_file(paths.daemon_file, 0, NULL);
		json_object_set_new(daemon, "host", json_string("c2"));
		ck_assert_int_eq(json_dump_file(daemon, paths.tls_dir, 0), 0);
		ck_assert_int_eq(rename(paths.tls_dir, paths.daemon_file), 0);
		json_decref(daemon);
	} else {
		remove_all(paths.state_dir);
	}
	run_until(lost_why != NULL);
	ck_assert_msg(strstr(lost_why, _i == 0 ? "on host c2" : "was removed") != NULL, "%s",
		lost_why);
	free(lost_why);
	lost_why = NULL;
	ownership_destroy(watching);
	instance_release(tenure);
	ck_assert_int_eq(access(paths.daemon_file, F_OK) == 0, _i == 0);
}
END_TEST

/* The state directory comes back in time. */
START_TEST(the_directory_is_away)
{
	struct tenure *tenure = instance_acquire(&paths, &err);
	_cleanup_free_ char *away = xasprintf("%s.away", paths.state_dir);
	struct ownership *watching;
	int64_t begin_ms;

	ck_assert_msg(tenure != NULL, "%s", err.text);
	ck_assert_int_eq(instance_publish(tenure, &err), 0);
	watching = ownership_create(loop, tenure, &paths, 60000, on_lost, NULL);
	ck_assert_int_eq(rename(paths.state_dir, away), 0);
	begin_ms = loop_now_ms();
	run_until(loop_now_ms() - begin_ms > 3000);
	ck_assert_int_eq(rename(away, paths.state_dir), 0);
	begin_ms = loop_now_ms();
	run_until(loop_now_ms() - begin_ms > 2000);
	ck_assert_ptr_null(lost_why);
	ck_assert_int_eq(instance_check(tenure, &err), 0);
	ownership_destroy(watching);
	instance_release(tenure);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("sockets");
	TCase *tcase = tcase_create("sockets");

	tcase_set_timeout(tcase, 4 * DEADLINE_S);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, vanishes, 0, 8);
	tcase_add_test(tcase, the_directory_is_away);
	tcase_add_test(tcase, a_client_in_between);
	tcase_add_test(tcase, nowhere);
	tcase_add_loop_test(tcase, another_owner, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
