/* child.c: the processes that dracod starts, and their ends.
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
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/argv.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/host.h"
#include "common/queue.h"
#include "common/slurm_msg.h"
#include "common/strv.h"
#include "daemon/io/loop.h"
#include "daemon/io/writer.h"

#define LOOK_MS	     500     /* how often an adopted process is looked at, without a pidfd */
#define NOT_EXECUTED (-1000) /* minus an errno: a status that waitpid(2) does not give */

struct child {
	TAILQ_ENTRY(child) link; /* children.list */
	pid_t pid;
	bool own_session;
	child_exit_fn fn; /* NULL: forgotten */
	void *arg;
	/* Of a process that has not yet executed its program: */
	int report; /* becomes readable when it has, or cannot; -1: nothing comes any more */
	struct loop_watch *executes;
	int code; /* the errno for which it could not; 0: it could */
	/* Of an adopted process: */
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

static void on_sigchld(void *arg)
{
	struct children *children = arg;
	struct child *child, *next;
	int status;

	TAILQ_FOREACH_SAFE (child, &children->list, link, next) {
		if (child->start || waitpid(child->pid, &status, WNOHANG) != child->pid)
			continue;
		if (child->report >= 0)
			on_report(child);
		if (child->code)
			status = NOT_EXECUTED - child->code;
		if (child->fn)
			child->fn(child->arg, status);
		child_free(children, child);
	}
}

struct children *children_create(struct loop *loop)
{
	struct children *children = xcalloc(1, sizeof(*children));

	TAILQ_INIT(&children->list);
	children->loop = loop;
	children->signal = loop_signal_create(loop, SIGCHLD, on_sigchld, children);
	return children;
}

struct children *children_destroy(struct children *children)
{
	struct child *child, *next;

	if (!children)
		return NULL;
	TAILQ_FOREACH_SAFE (child, &children->list, link, next)
		child_free(children, child);
	loop_signal_destroy(children->signal);
	free(children);
	return NULL;
}

/* Duplicate fd to target; without fd (-1) /dev/null. */
static int place(int fd, int target)
{
	_cleanup_close_ int null = -1;

	if (fd < 0) {
		fd = null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return -errno;
	}
	if (fd == target) /* dup2() would leave close-on-exec set */
		return fcntl(fd, F_SETFD, 0) < 0 ? -errno : 0;
	return dup2(fd, target) < 0 ? -errno : 0;
}

/* Try the paths of the program, NULL: none, in turn, as execvp(3) does. Returns an errno, or does
 * not return. */
static int execute(const struct child_spec *spec, char *const *paths, char **argv)
{
	char *const *envp = spec->envp ? spec->envp : environ;
	int code = ENOENT;

	for (; paths && *paths; paths++) {
		argv[0] = *paths;
		execve(*paths, argv, envp);
		if (errno != ENOENT && errno != ENOTDIR)
			code = errno;
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			break;
	}
	return code;
}

/* Runs in the new process: only async-signal-safe calls. Returns an errno, or does not return. */
static int become(const struct child_spec *spec, char *const *paths, char **argv, pid_t parent)
{
	int out = spec->stdout_fd, error = spec->stderr_fd;
	sigset_t none;
	int r;

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (spec->own_session)
		setsid();
	if (spec->die_with_us) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			return ESRCH;
	}
	if (spec->log)
		out = error = open(spec->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	r = place(-1, STDIN_FILENO);
	if (r == 0)
		r = place(out, STDOUT_FILENO);
	if (r == 0)
		r = place(error, STDERR_FILENO);
	if (r == 0 && spec->extra_fd >= 0)
		r = place(spec->extra_fd, SLURM_MSG_FD);
	if (r < 0)
		return -r;
	if (spec->directory && chdir(spec->directory) < 0 &&
		(!spec->root_else || chdir("/") < 0))
		return errno;
	return execute(spec, paths, argv);
}

/* The paths that the program may have. */
static void list_paths(const struct child_spec *spec, struct strv *ret)
{
	if (!spec->search || strchr(spec->argv[0], '/'))
		strv_add(ret, spec->argv[0]);
	else
		program_paths(spec->search, spec->argv[0], ret);
}

/* *ret_report: see struct child. */
static pid_t start(const struct child_spec *spec, int *ret_report, struct err *err)
{
	struct strv paths = STRV_INIT, argv = STRV_INIT;
	struct pollfd waits;
	int report[2];
	pid_t parent = getpid(), pid;
	int code = 0, r;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_set(err, -errno, "cannot make a pipe: %s", strerror(errno));
	/* The child replaces its descriptors 0 to 3, so the pipe must have a higher number. */
	if (report[1] <= SLURM_MSG_FD) {
		int moved = fcntl(report[1], F_DUPFD_CLOEXEC, SLURM_MSG_FD + 1);

		close(report[1]);
		report[1] = moved;
	}
	list_paths(spec, &paths);
	for (size_t i = 0; spec->argv[i]; i++)
		strv_add(&argv, spec->argv[i]);
	pid = fork();
	if (pid == 0) {
		code = become(spec, paths.item, argv.item, parent);
		if (write(report[1], &code, sizeof(code)) < 0)
			_exit(126);
		_exit(127);
	}
	close(report[1]);
	strv_finish(&paths);
	strv_finish(&argv);
	if (pid < 0) {
		close(report[0]);
		return err_set(err, -errno, "cannot start a process: %s", strerror(errno));
	}
	waits = (struct pollfd){.fd = report[0], .events = POLLIN};
	do
		r = poll(&waits, 1, WRITER_WAIT_MS);
	while (r < 0 && errno == EINTR);
	if (r <= 0) {
		fcntl(report[0], F_SETFL, O_NONBLOCK);
		*ret_report = report[0];
		return pid;
	}
	if (read(report[0], &code, sizeof(code)) < 0)
		code = 0;
	close(report[0]);
	if (code == 0)
		return pid;
	waitpid(pid, NULL, 0);
	return err_set(err, -code, "cannot execute %s: %s", spec->argv[0], strerror(code));
}

struct child *child_start(struct children *children, const struct child_spec *spec,
	child_exit_fn fn, void *arg, struct err *err)
{
	int report = -1;
	pid_t pid = start(spec, &report, err);
	struct child *child;

	if (pid < 0)
		return NULL;
	child = xcalloc(1, sizeof(*child));
	child->pid = pid;
	child->own_session = spec->own_session;
	child->fn = fn;
	child->arg = arg;
	child->report = report;
	if (report >= 0)
		child->executes = loop_watch_create(children->loop, report, on_report, child);
	TAILQ_INSERT_TAIL(&children->list, child, link);
	return child;
}

/* Has an adopted process ended? */
static void look(void *arg)
{
	struct child *child = arg;

	if (host_process_start(child->pid) == child->start) {
		loop_timer_start(child->look, LOOK_MS);
		return;
	}
	if (child->fn)
		child->fn(child->arg, CHILD_STATUS_UNKNOWN);
	child_free(child->owner, child);
}

struct child *child_adopt(struct children *children, pid_t pid, child_exit_fn fn, void *arg)
{
	struct child *child = xcalloc(1, sizeof(*child));

	child->pidfd = (int)syscall(SYS_pidfd_open, pid, 0); /* kernels before 5.3 have none */
	child->start = host_process_start(pid);
	if (!child->start) {
		if (child->pidfd >= 0)
			close(child->pidfd);
		free(child);
		return NULL;
	}
	child->pid = pid;
	child->own_session = true;
	child->fn = fn;
	child->arg = arg;
	child->report = -1;
	child->owner = children;
	child->look = loop_timer_create(children->loop, look, child);
	if (child->pidfd >= 0) {
		fcntl(child->pidfd, F_SETFD, FD_CLOEXEC);
		child->ends = loop_watch_create(children->loop, child->pidfd, look, child);
	} else {
		loop_timer_start(child->look, LOOK_MS);
	}
	TAILQ_INSERT_TAIL(&children->list, child, link);
	return child;
}

pid_t child_pid(const struct child *child)
{
	return child->pid;
}

void child_signal(struct child *child, int signal_number)
{
	/* A child that has only just been started may have no session yet. */
	if (kill(child->own_session ? -child->pid : child->pid, signal_number) < 0 &&
		errno == ESRCH && !child->start)
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
			strerror(child_not_executed(status)));
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
