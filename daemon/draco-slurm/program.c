/* program.c: runs another program until it ends, or until a deadline. */
#include "daemon/draco-slurm/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/strv.h"

#define READS_MAX  16
#define PIPE_READS 1024 /* more than a pipe holds, also with large pages */
/* Interval for checking the end of a program whose children keep its pipes open. */
#define LOOK_MS 20

static bool is_below(const char *path, const char *directory)
{
	size_t length = directory ? strlen(directory) : 0;

	return length > 1 && strncmp(path, directory, length) == 0 && path[length] == '/';
}

char *program_find(const char *name, const char *path, const char *avoid)
{
	struct strv directories = STRV_INIT;
	char *found = NULL, *avoided = NULL;

	strv_split(&directories, path ? path : "", ':');
	for (size_t i = 0; !found && i < directories.count; i++) {
		found = xasprintf("%s/%s", directories.item[i], name);
		if (*found != '/' || access(found, X_OK) < 0) {
			free(TAKE_PTR(found));
		} else if (is_below(found, avoid)) {
			if (!avoided)
				avoided = xstrdup(found);
			free(TAKE_PTR(found));
		}
	}
	strv_finish(&directories);
	if (found)
		free(TAKE_PTR(avoided));
	return found ? found : avoided;
}

struct pipes {
	int input;			 /* a file */
	int out[2], words[2], report[2]; /* each has a reading and a writing end */
};

static void close_pair(int pair[2])
{
	for (int i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(TAKE_FD(pair[i]));
}

static void pipes_close(struct pipes *pipes)
{
	if (pipes->input >= 0)
		close(TAKE_FD(pipes->input));
	close_pair(pipes->out);
	close_pair(pipes->words);
	close_pair(pipes->report);
}

static int put_input(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno != EINTR)
			return -errno;
		text += n > 0 ? n : 0;
		length -= n > 0 ? (size_t)n : 0;
	}
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

static int pipes_open(struct pipes *pipes, const char *input)
{
	*pipes = (struct pipes){-1, {-1, -1}, {-1, -1}, {-1, -1}};
	pipes->input = memfd_create("input", MFD_CLOEXEC);
	if (pipes->input < 0 || pipe2(pipes->out, O_CLOEXEC) < 0 ||
		pipe2(pipes->words, O_CLOEXEC) < 0 || pipe2(pipes->report, O_CLOEXEC) < 0)
		return -errno;
	fcntl(pipes->out[0], F_SETFL, O_NONBLOCK);
	fcntl(pipes->words[0], F_SETFL, O_NONBLOCK);
	return put_input(pipes->input, input);
}

/* Runs in the new process. Returns an errno, or does not return. */
static int become(
	const struct program *program, const struct pipes *pipes, char **argv, pid_t us)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != us)
		return ESRCH;
	signal(SIGPIPE, SIG_DFL);
	if (dup2(pipes->input, STDIN_FILENO) < 0 || dup2(pipes->out[1], STDOUT_FILENO) < 0 ||
		dup2(pipes->words[1], STDERR_FILENO) < 0)
		return errno;
	if (chdir(program->directory) < 0 && chdir("/") < 0)
		return errno;
	if (program->prepare)
		program->prepare(program->prepare_arg);
	execve(program->path, argv, program->environment->item);
	return errno;
}

static pid_t start(const struct program *program, struct pipes *pipes, struct err *err)
{
	_cleanup_free_ char **argv = xcalloc(program->arguments->count + 2, sizeof(char *));
	pid_t us = getpid(), pid;
	int code = 0;

	argv[0] = UNCONST(program->name);
	for (size_t i = 0; i < program->arguments->count; i++)
		argv[i + 1] = program->arguments->item[i];
	pid = fork();
	if (pid == 0) {
		code = become(program, pipes, argv, us);
		if (write(pipes->report[1], &code, sizeof(code)) < 0)
			_exit(126);
		_exit(127);
	}
	if (pid < 0)
		return err_set(err, -errno, "cannot start a process: %s", strerror(errno));
	setpgid(pid, pid);
	close(TAKE_FD(pipes->out[1]));
	close(TAKE_FD(pipes->words[1]));
	close(TAKE_FD(pipes->report[1]));
	while (read(pipes->report[0], &code, sizeof(code)) < 0 && errno == EINTR)
		;
	if (code == 0)
		return pid;
	waitpid(pid, NULL, 0);
	return err_set(err, -code, "cannot execute %s: %s", program->path, strerror(code));
}

/* Add length bytes to a text that holds used of them. A text must not contain NUL. */
static void add_text(char *text, size_t used, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		text[used + i] = bytes[i] ? bytes[i] : '?';
	text[used + length] = '\0';
}

static void take_words(struct program *program, const char *bytes, size_t length)
{
	size_t used = strlen(program->words), room = PROGRAM_TEXT_MAX - 1 - used;

	add_text(program->words, used, bytes, length < room ? length : room);
}

static void take_out(struct program *program, const char *bytes, size_t length)
{
	size_t max = program->out_max ? program->out_max : PROGRAM_TEXT_MAX;
	size_t room = max - 1 - program->out_used;

	program->truncated |= length > room;
	length = length < room ? length : room;
	if (program->out_used + length + 1 > program->out_size) {
		program->out_size = 2 * (program->out_used + length + 1);
		program->out = xrealloc(program->out, program->out_size);
	}
	add_text(program->out, program->out_used, bytes, length);
	program->out_used += length;
}

/* Read the available output, up to as many reads. Closes *fd at its end. */
static void take(int *fd, struct program *program, size_t reads_max,
	void (*add)(struct program *program, const char *bytes, size_t length))
{
	char bytes[4096];
	ssize_t n = 1;

	for (size_t reads = 0; *fd >= 0 && n > 0 && reads < reads_max; reads++) {
		n = read(*fd, bytes, sizeof(bytes));
		if (n > 0)
			add(program, bytes, (size_t)n);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			close(TAKE_FD(*fd));
	}
}

static void wait_a_moment(const struct pipes *pipes, int64_t left_ms)
{
	struct pollfd fds[] = {{.fd = pipes->out[0], .events = POLLIN},
		{.fd = pipes->words[0], .events = POLLIN}};
	bool closed = pipes->out[0] < 0 && pipes->words[0] < 0;

	poll(fds, 2, closed ? 1 : (int)(left_ms < LOOK_MS ? left_ms : LOOK_MS));
}

int program_run(struct program *program, struct err *err)
{
	int64_t until_ms = clock_now_ms() + program->deadline_ms, left_ms;
	struct pipes pipes;
	pid_t pid;
	int r = pipes_open(&pipes, program->input);

	program->out = NULL;
	program->out_used = program->out_size = 0;
	take_out(program, "", 0);
	*program->words = '\0';
	program->ended = program->stopped = program->truncated = false;
	pid = r < 0 ? err_set(err, r, "cannot make a pipe: %s", strerror(-r))
		    : start(program, &pipes, err);
	if (pid < 0) {
		pipes_close(&pipes);
		return pid;
	}
	do {
		bool gone = waitpid(pid, &program->status, WNOHANG) == pid;

		/* A program that is gone has left what the pipe holds. One that runs may never
		 * cease, and the deadline is to be checked. */
		take(&pipes.out[0], program, gone ? PIPE_READS : READS_MAX, take_out);
		take(&pipes.words[0], program, gone ? PIPE_READS : READS_MAX, take_words);
		program->ended = gone;
		program->stopped = !gone && program->enough && program->enough(program->words);
		left_ms = until_ms - clock_now_ms();
		if (!gone && !program->stopped && left_ms > 0)
			wait_a_moment(&pipes, left_ms);
	} while (!program->ended && !program->stopped && left_ms > 0);
	kill(-pid, SIGKILL);
	if (!program->ended)
		waitpid(pid, NULL, 0);
	pipes_close(&pipes);
	return 0;
}

void program_finish(struct program *program)
{
	free(TAKE_PTR(program->out));
}
