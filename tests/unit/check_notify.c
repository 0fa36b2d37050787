/* check_notify.c: tests of systemd/notify.c, with a service manager of our own. */
#include "unit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/sock.h"
#include "systemd/notify.h"

static int manager;
static char *directory, *path;

static void listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, name, strlen(name));
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(
		bind(manager, (struct sockaddr *)&address,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
		0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static const char *heard(void)
{
	static char text[4096];
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void setup(void)
{
	directory = unit_directory();
	path = xasprintf("%s/notify", directory);
	manager = -1;
	for (size_t i = 0; i < 2; i++) {
		unsetenv(i ? "LISTEN_FDS" : "WATCHDOG_USEC");
		unsetenv(i ? "LISTEN_PID" : "WATCHDOG_PID");
	}
	unsetenv("NOTIFY_SOCKET");
}

static void teardown(void)
{
	if (manager >= 0)
		close(manager);
	free(path);
	free(directory);
}

START_TEST(messages)
{
	_cleanup_free_ char *abstract = xasprintf("@draco-check-%d", (int)getpid());
	_cleanup_free_ char *longer = xcalloc(1, 1001);

	listen_at(_i ? abstract : path);
	notify_ready();
	ck_assert_str_eq(heard(), "READY=1");
	notify_status("cluster %s: %d jobs", "a", 3);
	ck_assert_str_eq(heard(), "STATUS=cluster a: 3 jobs");
	notify_alive();
	ck_assert_str_eq(heard(), "WATCHDOG=1");
	notify_stopping();
	ck_assert_str_eq(heard(), "STOPPING=1");
	memset(longer, 'x', 1000);
	notify_status("%s", longer);
	ck_assert_uint_eq(strlen(heard()), 511);
}
END_TEST

START_TEST(nobody_to_tell)
{
	static const char *const places[] = {"", "/", "relative", "/no/such/socket", NULL};

	for (const char *const *place = places; *place; place++) {
		setenv("NOTIFY_SOCKET", *place, 1);
		notify_ready();
	}
	unsetenv("NOTIFY_SOCKET");
	notify_ready();
	listen_at(path);
	for (int i = 0; i < 10000; i++) /* the manager does not read: nothing waits */
		notify_alive();
}
END_TEST

START_TEST(the_watchdog_of_this_process)
{
	_cleanup_free_ char *own = xasprintf("%d", (int)getpid());

	ck_assert_int_eq(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "180000000", 1);
	ck_assert_int_eq(notify_watchdog_ms(), 180000);
	setenv("WATCHDOG_PID", "1", 1);
	ck_assert_int_eq(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_PID", own, 1);
	ck_assert_int_eq(notify_watchdog_ms(), 180000);
	setenv("WATCHDOG_USEC", "much", 1);
	ck_assert_int_eq(notify_watchdog_ms(), 0);
}
END_TEST

/* In a process whose descriptors are as the service manager makes them. */
static int take_sockets(const char *count, bool own_pid)
{
	_cleanup_free_ char *pid = xasprintf("%d", (int)getpid() + !own_pid);

	setenv("LISTEN_FDS", count, 1);
	setenv("LISTEN_PID", pid, 1);
	if (notify_has_socket() != (own_pid && *count != '0'))
		return 100;
	for (int taken = 0;; taken++) {
		int fd = notify_take_socket();

		if (fd < 0)
			return taken;
		if (fd != 3 + taken || !(fcntl(fd, F_GETFD) & FD_CLOEXEC) ||
			!(fcntl(fd, F_GETFL) & O_NONBLOCK))
			return 101;
	}
}

/* In a child: pass two sockets as descriptors 3 and 4, and take what take_sockets() gets. */
static int take_two_sockets(const char *count, bool own_pid)
{
	_cleanup_free_ char *one = xasprintf("%s/1", directory);
	_cleanup_free_ char *two = xasprintf("%s/2", directory);
	int first = sock_listen(one, NULL), second = sock_listen(two, NULL);

	dup2(first, 13);
	dup2(second, 14);
	dup2(13, 3);
	dup2(14, 4);
	close(5); /* what follows is no socket */
	return take_sockets(count, own_pid);
}

static const struct {
	const char *count;
	bool own_pid;
	int taken;
} passed[] = {{"2", true, 2}, {"1", true, 1}, {"0", true, 0}, {"2", false, 0}, {"3", true, 2}};

START_TEST(sockets_that_are_passed)
{
	pid_t child;
	int status;

	ck_assert(!notify_has_socket());
	ck_assert_int_eq(notify_take_socket(), -1);
	child = fork();
	if (child == 0)
		_exit(take_two_sockets(passed[_i].count, passed[_i].own_pid));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), passed[_i].taken);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("notify");
	TCase *tcase = tcase_create("notify");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, messages, 0, 2);
	tcase_add_test(tcase, nobody_to_tell);
	tcase_add_test(tcase, the_watchdog_of_this_process);
	tcase_add_loop_test(tcase, sockets_that_are_passed, 0, LENGTH(passed));
	suite_add_tcase(suite, tcase);
	return suite;
}
