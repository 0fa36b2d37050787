/* execute.c: a new process becomes the program that it was made for. */
#include "daemon/io/execute.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/argv.h"
#include "common/cleanup.h"
#include "common/slurm_msg.h"
#include "common/strv.h"

_Static_assert(SLURM_MSG_FD == EXECUTE_FDS - 1, "the extra descriptor is the last one");

void execute_paths(const struct child_spec *spec, struct strv *ret)
{
	if (!spec->search || strchr(spec->argv[0], '/'))
		strv_add(ret, spec->argv[0]);
	else
		program_paths(spec->search, spec->argv[0], ret);
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

/* paths may be NULL: none. */
static int try_paths(const struct child_spec *spec, char *const *paths, char **argv)
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

int execute(const struct child_spec *spec, char *const *paths, char **argv, pid_t parent)
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
	return try_paths(spec, paths, argv);
}
