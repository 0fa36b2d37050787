/* child.c: the processes that dracod starts, and their ends.
 *
 * They are children of dracod, or of its starter (starter.h), which tells their ends. Once that is
 * lost they are as those of another dracod, which were adopted.
 *
 * One SIGCHLD may stand for several ends, so dracod asks for each known pid in turn. There are a
 * dozen at most. */
#include "daemon/io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/host.h"
#include "common/queue.h"
#include "common/strv.h"
#include "daemon/io/loop.h"
#include "daemon/io/starter.h"
#include "daemon/io/writer.h"

#define LOOK_MS	     500     /* how often an adopted process is looked at, without a pidfd */
#define NOT_EXECUTED (-1000) /* minus an errno: a status that waitpid(2) does not give */

struct child {
	TAILQ_ENTRY(child) link; /* children.list */
	pid_t pid;
	bool own_session;
	bool by_starter;  /* its child, and it is there */
	child_exit_fn fn; /* NULL: forgotten */
	void *arg;
	/* Of a process that has not yet executed its program: */
	int report; /* becomes readable when it has, or cannot; -1: nothing comes any more */
	struct loop_watch *executes;
	int code; /* the errno for which it could not; 0: it could */
	/* Of another process's child: */
	int64_t start; /* from host_process_start(); 0: it is a child of this process */
	int pidfd;     /* -1: none; then look is used */
	struct loop_watch *ends; /* the pidfd becomes readable */
	struct loop_timer *look;
	struct children *owner;
};

struct children {
	TAILQ_HEAD(, child) list;
	struct loop *loop;
	struct loop_signal *signal;
	struct starter *starter; /* NULL: dracod does it itself */
};

static void forget_report(struct child *child)
{
	child->executes = loop_watch_destroy(child->executes);
	if (child->report >= 0)
		close(TAKE_FD(child->report));
}

static void child_free(struct children *children, struct child *child)
{
	TAILQ_REMOVE(&children->list, child, link);
	forget_report(child);
	if (child->start) {
		loop_watch_destroy(child->ends);
		loop_timer_destroy(child->look);
		if (child->pidfd >= 0)
			close(child->pidfd);
	}
	free(child);
}

/* The process has executed its program, or could not. */
static void on_report(void *arg)
{
	struct child *child = arg;
	int code = 0;

	if (read(child->report, &code, sizeof(code)) == sizeof(code))
		child->code = code;
	forget_report(child);
}

static void end(struct children *children, struct child *child, int status)
{
	if (child->report >= 0)
		on_report(child);
	if (child->code)
		status = NOT_EXECUTED - child->code;
	if (child->fn)
		child->fn(child->arg, status);
	child_free(children, child);
}

static void on_sigchld(void *arg)
{
	struct children *children = arg;
	struct child *child, *next;
	int status;

	TAILQ_FOREACH_SAFE (child, &children->list, link, next)
		if (!child->start && waitpid(child->pid, &status, WNOHANG) == child->pid)
			end(children, child, status);
}

struct children *children_destroy(struct children *children)
{
	struct child *child, *next;

	if (!children)
		return NULL;
	TAILQ_FOREACH_SAFE (child, &children->list, link, next)
		child_free(children, child);
	loop_signal_destroy(children->signal);
	starter_destroy(children->starter);
	free(children);
	return NULL;
}

/* *ret_report: see struct child. */
static pid_t fork_child(const struct child_spec *spec, const struct strv *paths,
	int *ret_report, struct err *err)
{
	struct strv argv = STRV_INIT;
	int report[2], code;
	pid_t parent = getpid(), pid;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_set(err, -errno, "cannot make a pipe: %s", strerror(errno));
	/* The child replaces its first descriptors, so the pipe must have a higher number. */
	if (report[1] < EXECUTE_FDS) {
		int moved = fcntl(report[1], F_DUPFD_CLOEXEC, EXECUTE_FDS);

		close(report[1]);
		report[1] = moved;
	}
	for (size_t i = 0; spec->argv[i]; i++)
		strv_add(&argv, spec->argv[i]);
	pid = fork();
	if (pid == 0) {
		code = execute(spec, paths->item, argv.item, parent);
		if (write(report[1], &code, sizeof(code)) < 0)
			_exit(126);
		_exit(127);
	}
	close(report[1]);
	strv_finish(&argv);
	if (pid < 0) {
		close(report[0]);
		return err_set(err, -errno, "cannot start a process: %s", strerror(errno));
	}
	*ret_report = report[0];
	return pid;
}

/* Wait a moment for the process to execute its program. Returns an errno; 0: it has, or goes on
 * with it. */
static int await_program(struct children *children, struct child *child)
{
	struct pollfd waits = {.fd = child->report, .events = POLLIN};
	int r;

	do
		r = poll(&waits, 1, WRITER_WAIT_MS);
	while (r < 0 && errno == EINTR);
	if (r > 0) {
		on_report(child);
		return child->code;
	}
	fcntl(child->report, F_SETFL, O_NONBLOCK);
	child->executes = loop_watch_create(children->loop, child->report, on_report, child);
	return 0;
}

static const char *explain(int code)
{
	return code == EPROTO
		? "the starter is of another version of draco: run dracoctl restart"
		: strerror(code);
}

static void hold_on_to(struct child *child);

struct child *child_start(struct children *children, const struct child_spec *spec,
	child_exit_fn fn, void *arg, struct err *err)
{
	struct strv paths = STRV_INIT;
	struct child *child;
	int report = -1, code;
	pid_t pid;

	execute_paths(spec, &paths);
	pid = children->starter ? starter_start(children->starter, spec, &paths, &report, err)
				: fork_child(spec, &paths, &report, err);
	strv_finish(&paths);
	if (pid < 0)
		return NULL;
	child = xcalloc(1, sizeof(*child));
	child->pid = pid;
	child->own_session = spec->own_session;
	child->fn = fn;
	child->arg = arg;
	child->report = report;
	child->owner = children;
	child->by_starter = children->starter != NULL;
	if (child->by_starter) {
		hold_on_to(child);
		if (!child->start)
			child->start = -1; /* it was killed already */
	}
	TAILQ_INSERT_TAIL(&children->list, child, link);
	code = await_program(children, child);
	if (code == 0)
		return child;
	child_forget(child);
	err_set(err, -code, "cannot execute %s: %s", spec->argv[0], explain(code));
	return NULL;
}

/* Has an adopted process ended? */
static void look(void *arg)
{
	struct child *child = arg;

	if (host_process_start(child->pid) == child->start)
		loop_timer_start(child->look, LOOK_MS);
	else
		end(child->owner, child, CHILD_STATUS_UNKNOWN);
}

/* Know this process from a later one with its pid. */
static void hold_on_to(struct child *child)
{
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0); /* not before Linux 5.3 */
	if (child->pidfd >= 0)
		fcntl(child->pidfd, F_SETFD, FD_CLOEXEC);
	child->start = host_process_start(child->pid);
}

/* Nobody tells its end. */
static void look_after(struct child *child)
{
	child->by_starter = false;
	child->look = loop_timer_create(child->owner->loop, look, child);
	if (child->pidfd >= 0)
		child->ends = loop_watch_create(child->owner->loop, child->pidfd, look, child);
	else
		loop_timer_start(child->look, LOOK_MS);
}

struct child *child_adopt(struct children *children, pid_t pid, child_exit_fn fn, void *arg)
{
	struct child *child = xcalloc(1, sizeof(*child));

	child->pid = pid;
	hold_on_to(child);
	if (!child->start) {
		if (child->pidfd >= 0)
			close(child->pidfd);
		free(child);
		return NULL;
	}
	child->own_session = true;
	child->fn = fn;
	child->arg = arg;
	child->report = -1;
	child->owner = children;
	look_after(child);
	TAILQ_INSERT_TAIL(&children->list, child, link);
	return child;
}

/* A process that could not execute its program is forgotten, but in the list until this is told. So
 * the first one in the list is the one that has ended, also if its pid was used again since. */
static void on_starter_ended(void *arg, pid_t pid, int status)
{
	struct children *children = arg;
	struct child *child;

	TAILQ_FOREACH (child, &children->list, link)
		if (child->by_starter && child->pid == pid) {
			end(children, child, status);
			return;
		}
}

static void on_starter_lost(void *arg)
{
	struct children *children = arg;
	struct child *child;

	TAILQ_FOREACH (child, &children->list, link)
		if (child->by_starter)
			look_after(child);
}

struct children *children_create(struct loop *loop)
{
	static const struct starter_ops ops = {on_starter_ended, on_starter_lost};
	struct children *children = xcalloc(1, sizeof(*children));
	const char *path = getenv(STARTER_VARIABLE);

	TAILQ_INIT(&children->list);
	children->loop = loop;
	children->signal = loop_signal_create(loop, SIGCHLD, on_sigchld, children);
	if (path && *path)
		children->starter = starter_create(loop, path, &ops, children);
	unsetenv(STARTER_VARIABLE); /* a dracod that a program starts is outside */
	return children;
}

pid_t child_pid(const struct child *child)
{
	return child->pid;
}

void child_signal(struct child *child, int signal_number)
{
	pid_t whom = child->own_session ? -child->pid : child->pid;

	if (child->by_starter)
		starter_signal(child->owner->starter, whom, signal_number);
	/* A child that has only just been started may have no session yet. */
	else if (kill(whom, signal_number) < 0 && errno == ESRCH && !child->start)
		kill(child->pid, signal_number);
}

void child_forget(struct child *child)
{
	child->fn = NULL;
}

int child_not_executed(int status)
{
	return status < NOT_EXECUTED ? NOT_EXECUTED - status : 0;
}

char *child_format_status(int status, char buffer[CHILD_STATUS_MAX])
{
	if (child_not_executed(status))
		snprintf(buffer, CHILD_STATUS_MAX, "cannot be executed: %s",
			explain(child_not_executed(status)));
	else if (status == CHILD_STATUS_UNKNOWN)
		snprintf(buffer, CHILD_STATUS_MAX, "has ended");
	else if (WIFSIGNALED(status))
		snprintf(buffer, CHILD_STATUS_MAX, "was ended by signal %d (%s)",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(
			buffer, CHILD_STATUS_MAX, "exited with status %d", WEXITSTATUS(status));
	return buffer;
}
