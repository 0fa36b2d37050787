/* starter_main.c: dracod --starter: makes processes, sends them signals, and tells of their ends.
 *
 * It is kept small, so that it has no reason to fail and never waits: what is to be executed is
 * read by the new process. It ends with dracod's connection. The kernel then ends the processes
 * that were to die with dracod; the others go on. */
#include "daemon/io/starter_main.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/sock.h"
#include "daemon/io/execute.h"
#include "daemon/io/passing.h"
#include "daemon/io/starter_msg.h"

/* Read the whole request. NULL: it does not come. The caller frees. */
static char *read_request(int fd, size_t *ret_length, int fds[PASSING_MAX], size_t *count)
{
	size_t size = 64 * 1024, used = 0;
	char *text = xcalloc(1, size);
	ssize_t n;

	while ((n = passing_receive(fd, text + used, size - used, fds, count)) > 0) {
		used += (size_t)n;
		if (used == size && size < STARTER_REQUEST_MAX)
			text = xrealloc(text, size *= 2);
	}
	*ret_length = used;
	return text;
}

/* The new process. Returns the errno for which it executes nothing. */
static int become(int fd, pid_t starter)
{
	struct starter_request request = {.spec = {.stdout_fd = -1}};
	int fds[PASSING_MAX], pid = getpid(), r;
	size_t count = 0, length;
	char *text;

	if (send(fd, &pid, sizeof(pid), MSG_NOSIGNAL) < 0)
		return errno;
	text = read_request(fd, &length, fds, &count);
	r = starter_msg_decode(text, length, fds, count, &request);
	if (r < 0)
		return -r;
	return execute(&request.spec, request.paths.item, request.argv.item, starter);
}

static void start(int connection, int fd)
{
	pid_t starter = getpid(), pid = fork();
	int code;

	if (pid == 0) {
		close(connection); /* dracod must see the end of the starter */
		code = become(fd, starter);
		(void)!send(fd, &code, sizeof(code), MSG_NOSIGNAL);
		_exit(127);
	}
	if (pid < 0) {
		code = -errno;
		(void)!send(fd, &code, sizeof(code), MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

/* Only to own processes whose end was not told yet, so that no other one has the pid. */
static void send_signal(int pid, int number)
{
	siginfo_t info;

	if (pid == 0 || pid == -1 ||
		waitid(P_PID, (id_t)abs(pid), &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return;
	/* A process that has only just been made may have no group yet. */
	if (kill(pid, number) < 0 && errno == ESRCH && pid < 0)
		kill(-pid, number);
}

/* false: dracod has gone. */
static bool obey(int connection)
{
	char text[STARTER_TEXT_MAX];
	int fds[PASSING_MAX], pid, number;
	size_t count = 0;
	ssize_t n = passing_receive(connection, text, sizeof(text) - 1, fds, &count);

	if (n <= 0)
		return false;
	text[n] = '\0';
	if (strcmp(text, "start") == 0 && count == 1)
		start(connection, fds[0]);
	else if (sscanf(text, "signal %d %d", &pid, &number) == 2)
		send_signal(pid, number);
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	return true;
}

static void tell_ends(int connection)
{
	char text[STARTER_TEXT_MAX];
	int pid, status, length;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		length = snprintf(text, sizeof(text), "ended %d %d", pid, status);
		(void)!send(connection, text, (size_t)length, MSG_NOSIGNAL);
	}
}

static int serve(int connection)
{
	struct signalfd_siginfo info;
	_cleanup_close_ int ends = -1;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ends = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (ends < 0)
		return -errno;
	for (;;) {
		struct pollfd waits[] = {
			{.fd = connection, .events = POLLIN}, {.fd = ends, .events = POLLIN}};

		if (poll(waits, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (waits[1].revents && read(ends, &info, sizeof(info)) > 0)
			tell_ends(connection);
		if (waits[0].revents && !obey(connection))
			return 0;
	}
}

int starter_main(void)
{
	_cleanup_close_ int connection = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, EXECUTE_FDS);
	uid_t uid = 0;
	pid_t pid;
	int r;

	if (connection < 0 || sock_peer(connection, &uid, &pid) < 0 || uid != geteuid()) {
		fputs("dracod: --starter is for draco-starter@.service: no dracod of this user "
		      "is at its standard input\n",
			stderr);
		return 2;
	}
	(void)!freopen("/dev/null", "r", stdin);
	/* At a logout systemd ends all units at once, and dracod then needs it until it ends. */
	signal(SIGTERM, SIG_IGN);
	r = serve(connection);
	if (r < 0)
		fprintf(stderr, "dracod: the starter: %s\n", strerror(-r));
	return r < 0;
}
