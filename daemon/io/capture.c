/* capture.c: runs a short command and keeps its output.
 *
 * The command is done when its process has ended and its pipe is closed. If a process that it left
 * behind keeps the pipe open, it is done a moment after its own end. */
#include "daemon/io/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "daemon/io/child.h"
#include "daemon/io/loop.h"

#define TEXT_MAX      65536
#define PIPE_GRACE_MS 200

struct capture {
	struct child *child; /* NULL: it has ended with status */
	int status;
	bool timed_out;
	int fd;
	struct loop_watch *watch; /* NULL: the pipe is closed */
	struct loop_timer *deadline;
	char *text;
	size_t used;
	capture_fn fn;
	void *arg;
};

static struct capture *release(struct capture *capture)
{
	loop_watch_destroy(capture->watch);
	loop_timer_destroy(capture->deadline);
	close(capture->fd);
	free(capture->text);
	free(capture);
	return NULL;
}

static void finish(struct capture *capture)
{
	capture->fn(capture->arg, capture->status, capture->timed_out, capture->text);
	release(capture);
}

static void on_output(void *arg)
{
	struct capture *capture = arg;
	char rest[4096];
	size_t room = TEXT_MAX - capture->used;
	ssize_t n;

	if (room > 0)
		n = read(capture->fd, capture->text + capture->used, room);
	else
		n = read(capture->fd, rest, sizeof(rest));
	if (n > 0 && room > 0)
		capture->used += (size_t)n;
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	capture->watch = loop_watch_destroy(capture->watch);
	if (!capture->child)
		finish(capture);
}

static void on_end(void *arg, int status)
{
	struct capture *capture = arg;

	capture->child = NULL;
	capture->status = status;
	if (!capture->watch)
		finish(capture);
	else
		loop_timer_start(capture->deadline, PIPE_GRACE_MS);
}

static void on_deadline(void *arg)
{
	struct capture *capture = arg;

	if (!capture->child) {
		finish(capture);
		return;
	}
	capture->timed_out = true;
	child_signal(capture->child, SIGKILL);
}

struct capture *capture_start(struct loop *loop, struct children *children,
	const struct child_spec *spec, int64_t deadline_ms, capture_fn fn, void *arg,
	struct err *err)
{
	struct child_spec full = *spec;
	_cleanup_close_ int theirs = -1;
	struct capture *capture;
	int out[2];

	if (pipe2(out, O_CLOEXEC) < 0) {
		err_set(err, -errno, "cannot make a pipe: %s", strerror(errno));
		return NULL;
	}
	theirs = out[1];
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	capture = xcalloc(1, sizeof(*capture));
	capture->fd = out[0];
	capture->fn = fn;
	capture->arg = arg;
	capture->text = xcalloc(TEXT_MAX + 1, 1);
	capture->deadline = loop_timer_create(loop, on_deadline, capture);
	full.stdout_fd = full.stderr_fd = theirs;
	full.extra_fd = -1;
	full.own_session = true;
	capture->child = child_start(children, &full, on_end, capture, err);
	if (!capture->child)
		return release(capture);
	capture->watch = loop_watch_create(loop, capture->fd, on_output, capture);
	loop_timer_start(capture->deadline, deadline_ms);
	return capture;
}

struct capture *capture_cancel(struct capture *capture)
{
	if (!capture)
		return NULL;
	if (capture->child) {
		child_signal(capture->child, SIGKILL);
		child_forget(capture->child);
	}
	return release(capture);
}
