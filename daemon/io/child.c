/* child.c: the processes that dracod starts, and their ends.
 *
 * One SIGCHLD may stand for several ends, so dracod asks for each known pid in turn. There are a
 * dozen at most. */
#include "daemon/io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/queue.h"
#include "common/slurm_msg.h"
#include "daemon/io/loop.h"

struct child {
	TAILQ_ENTRY(child) link; /* children.list */
	pid_t pid;
	bool own_session;
	child_exit_fn fn; /* NULL: forgotten */
	void *arg;
};

struct children {
	TAILQ_HEAD(, child) list;
	struct loop_signal *signal;
};

static void on_sigchld(void *arg)
{
	struct children *children = arg;
	struct child *child, *next;
	int status;

	TAILQ_FOREACH_SAFE (child, &children->list, link, next) {
		if (waitpid(child->pid, &status, WNOHANG) != child->pid)
			continue;
		TAILQ_REMOVE(&children->list, child, link);
		if (child->fn)
			child->fn(child->arg, status);
		free(child);
	}
}

struct children *children_create(struct loop *loop)
{
	struct children *children = xcalloc(1, sizeof(*children));

	TAILQ_INIT(&children->list);
	children->signal = loop_signal_create(loop, SIGCHLD, on_sigchld, children);
	return children;
}

struct children *children_destroy(struct children *children)
{
	struct child *child, *next;

	if (!children)
		return NULL;
	TAILQ_FOREACH_SAFE (child, &children->list, link, next)
		free(child);
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

/* Runs in the new process: only async-signal-safe calls. Returns an errno, or does not return. */
static int become(const struct child_spec *spec, pid_t parent)
{
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
	r = place(-1, STDIN_FILENO);
	if (r == 0)
		r = place(spec->stdout_fd, STDOUT_FILENO);
	if (r == 0)
		r = place(spec->stderr_fd, STDERR_FILENO);
	if (r == 0 && spec->extra_fd >= 0)
		r = place(spec->extra_fd, SLURM_MSG_FD);
	if (r < 0)
		return -r;
	if (spec->directory && chdir(spec->directory) < 0)
		return errno;
	execve(spec->argv[0], spec->argv, spec->envp ? spec->envp : environ);
	return errno;
}

static pid_t start(const struct child_spec *spec, struct err *err)
{
	int report[2];
	pid_t parent = getpid(), pid;
	int code = 0;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_set(err, -errno, "cannot make a pipe: %s", strerror(errno));
	/* The child replaces its descriptors 0 to 3, so the pipe must have a higher number. */
	if (report[1] <= SLURM_MSG_FD) {
		int moved = fcntl(report[1], F_DUPFD_CLOEXEC, SLURM_MSG_FD + 1);

		close(report[1]);
		report[1] = moved;
	}
	pid = fork();
	if (pid == 0) {
		code = become(spec, parent);
		if (write(report[1], &code, sizeof(code)) < 0)
			_exit(126);
		_exit(127);
	}
	close(report[1]);
	if (pid < 0) {
		close(report[0]);
		return err_set(err, -errno, "cannot start a process: %s", strerror(errno));
	}
	while (read(report[0], &code, sizeof(code)) < 0 && errno == EINTR)
		;
	close(report[0]);
	if (code == 0)
		return pid;
	waitpid(pid, NULL, 0);
	return err_set(err, -code, "cannot execute %s: %s", spec->argv[0], strerror(code));
}

struct child *child_start(struct children *children, const struct child_spec *spec,
	child_exit_fn fn, void *arg, struct err *err)
{
	pid_t pid = start(spec, err);
	struct child *child;

	if (pid < 0)
		return NULL;
	child = xcalloc(1, sizeof(*child));
	child->pid = pid;
	child->own_session = spec->own_session;
	child->fn = fn;
	child->arg = arg;
	TAILQ_INSERT_TAIL(&children->list, child, link);
	return child;
}

pid_t child_pid(const struct child *child)
{
	return child->pid;
}

void child_signal(struct child *child, int signal_number)
{
	kill(child->own_session ? -child->pid : child->pid, signal_number);
}

void child_forget(struct child *child)
{
	child->fn = NULL;
}

char *child_format_status(int status, char buffer[CHILD_STATUS_MAX])
{
	if (WIFSIGNALED(status))
		snprintf(buffer, CHILD_STATUS_MAX, "was ended by signal %d (%s)",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(
			buffer, CHILD_STATUS_MAX, "exited with status %d", WEXITSTATUS(status));
	return buffer;
}
