/* starter.c: starts processes by a process that systemd runs for dracod, outside dracod's sandbox.
 *
 * dracod's loop waits here only for a new process, and not for long: for systemd, which executes a
 * starter for a new connection, and for its fork(). */
#include "daemon/io/starter.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/log.h"
#include "common/sock.h"
#include "common/strv.h"
#include "daemon/io/loop.h"
#include "daemon/io/passing.h"
#include "daemon/io/starter_msg.h"

#define STARTER_WAIT_MS 3000 /* a busy host; the watchdog of the unit is patient */

struct starter {
	struct loop *loop;
	char *path;
	int fd; /* -1: no connection */
	struct loop_watch *watch;
	const struct starter_ops *ops;
	void *arg;
};

static void disconnect(struct starter *starter)
{
	starter->watch = loop_watch_destroy(starter->watch);
	if (starter->fd >= 0)
		close(TAKE_FD(starter->fd));
}

static void lose(struct starter *starter, const char *why)
{
	log_warning("starter: %s; the next program that dracod starts gets a new one", why);
	disconnect(starter);
	starter->ops->lost(starter->arg);
}

static void on_message(void *arg)
{
	struct starter *starter = arg;
	char text[STARTER_TEXT_MAX];
	ssize_t n = recv(starter->fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	int pid, status;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	text[n > 0 ? n : 0] = '\0';
	if (n > 0 && sscanf(text, "ended %d %d", &pid, &status) == 2)
		starter->ops->ended(starter->arg, pid, status);
	else
		lose(starter, n > 0 ? "it is of another version of draco" : "it has ended");
}

static int connect_to(struct starter *starter, struct err *err)
{
	_cleanup_close_ int fd = -1;
	uid_t uid = 0;
	pid_t pid;
	int r;

	if (starter->fd >= 0)
		return 0;
	fd = sock_connect_packets(starter->path, err);
	if (fd < 0) {
		err_prefix(err, "draco-starter.socket of the user manager");
		return fd;
	}
	r = sock_peer(fd, &uid, &pid);
	if (r < 0 || uid != geteuid())
		return err_set(err, r < 0 ? r : -EPERM, "%s is the socket of another user",
			starter->path);
	starter->fd = TAKE_FD(fd);
	starter->watch = loop_watch_create(starter->loop, starter->fd, on_message, starter);
	return 0;
}

/* Wait until the descriptor is ready. 0 or -errno. */
static int await(int fd, short events, int64_t until_ms)
{
	struct pollfd waits = {.fd = fd, .events = events};
	int64_t left;
	int r;

	do {
		left = until_ms - loop_now_ms();
		r = poll(&waits, 1, left > 0 ? (int)left : 0);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r == 0 ? -ETIMEDOUT : 0;
}

/* The new process tells its pid; or the starter why there is none. */
static int get_pid(int fd, int64_t until_ms, int *ret)
{
	int r = await(fd, POLLIN, until_ms);

	if (r < 0)
		return r;
	return recv(fd, ret, sizeof(*ret), MSG_DONTWAIT) == sizeof(*ret) ? 0 : -ECONNRESET;
}

static int send_request(
	int fd, const struct child_spec *spec, const struct strv *paths, int64_t until_ms)
{
	int fds[STARTER_FDS_MAX], r = 0;
	size_t count, length, sent = 0;
	_cleanup_free_ char *text = starter_msg_encode(spec, paths, &length, fds, &count);

	if (length > STARTER_REQUEST_MAX)
		return -E2BIG;
	while (r == 0 && sent < length) {
		ssize_t n = passing_send(fd, text + sent, length - sent, fds, count);

		if (n > 0) {
			sent += (size_t)n;
			count = 0; /* they went with the first bytes */
		} else {
			r = errno == EAGAIN ? await(fd, POLLOUT, until_ms) : -errno;
		}
	}
	if (r == 0 && shutdown(fd, SHUT_WR) < 0)
		r = -errno;
	return r;
}

/* Have a process made, and tell it what to execute; it ends if it is not told all of it. 0: see
 * *ret_pid, a pid, or the -errno of the starter's fork(). */
static int make(struct starter *starter, const struct child_spec *spec,
	const struct strv *paths, int *ret_pid, int *ret_report)
{
	int64_t until_ms = loop_now_ms() + STARTER_WAIT_MS;
	_cleanup_close_ int ours = -1, theirs = -1;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	ours = pair[0];
	theirs = pair[1];
	if (passing_send(starter->fd, "start", strlen("start"), &theirs, 1) < 0)
		return -errno;
	close(TAKE_FD(theirs));
	r = get_pid(ours, until_ms, ret_pid);
	if (r == 0 && *ret_pid > 0)
		r = send_request(ours, spec, paths, until_ms);
	if (r == 0 && *ret_pid > 0)
		*ret_report = TAKE_FD(ours);
	return r;
}

static bool is_useless(int error)
{
	return error == -EPIPE || error == -ECONNRESET || error == -ETIMEDOUT ||
		error == -EAGAIN;
}

pid_t starter_start(struct starter *starter, const struct child_spec *spec,
	const struct strv *paths, int *ret_report, struct err *err)
{
	bool was_lost = false, again;
	int r, pid = 0;

	do {
		r = connect_to(starter, err);
		if (r < 0)
			return r;
		r = make(starter, spec, paths, &pid, ret_report);
		/* dracod may not have seen yet that the last one has ended. */
		again = !was_lost && (r == -EPIPE || r == -ECONNRESET);
		was_lost = is_useless(r);
		if (was_lost)
			lose(starter, r == -ETIMEDOUT ? "it does not answer" : strerror(-r));
	} while (again);
	if (r == 0 && pid > 0)
		return pid;
	r = r < 0 ? r : pid; /* its fork() has failed */
	return err_set(err, r, "cannot start a process: %s", strerror(-r));
}

void starter_signal(struct starter *starter, pid_t pid, int signal_number)
{
	char text[STARTER_TEXT_MAX];
	int length = snprintf(text, sizeof(text), "signal %d %d", (int)pid, signal_number);

	if (passing_send(starter->fd, text, (size_t)length, NULL, 0) < 0)
		log_warning("starter: cannot send signal %d to process %d: %s", signal_number,
			(int)pid, strerror(errno));
}

struct starter *starter_create(
	struct loop *loop, const char *path, const struct starter_ops *ops, void *arg)
{
	struct starter *starter = xcalloc(1, sizeof(*starter));

	starter->loop = loop;
	starter->path = xstrdup(path);
	starter->fd = -1;
	starter->ops = ops;
	starter->arg = arg;
	return starter;
}

struct starter *starter_destroy(struct starter *starter)
{
	if (!starter)
		return NULL;
	disconnect(starter);
	free(starter->path);
	free(starter);
	return NULL;
}
