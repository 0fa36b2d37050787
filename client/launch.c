/* launch.c: starts a dracod that outlives the terminal. */
#include "client/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/output.h"
#include "client/request.h"
#include "client/seek.h"
#include "client/where.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/rendezvous.h"

#define READY_FD   3
#define TIMEOUT_MS 20000
#define DEATHS_MAX 3

/* systemd starts the next one after RestartSec. */
#define SUPERVISOR_TRIES    60
#define SUPERVISOR_PAUSE_US 100000
#define STAY_S		    "600" /* afterwards another host may start it */

/* The dracod beside this program, as in a build directory, otherwise the installed one. The caller
 * frees. */
static char *find_dracod(void)
{
	const char *named = getenv("DRACO_BIN");
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	_cleanup_free_ char *beside = NULL;

	if (named && *named)
		return xstrdup(named);
	if (n > 0) {
		self[n] = '\0';
		*strrchr(self, '/') = '\0';
		beside = xasprintf("%s/dracod", self);
		if (access(beside, X_OK) == 0)
			return TAKE_PTR(beside);
	}
	return xstrdup(BINDIR "/dracod");
}

/* Runs in the new process. Returns only on failure. */
static void become(char *program, const struct ctl *ctl, int ready)
{
	_cleanup_free_ char *slurm = json_dumps(ctl->slurm, JSON_COMPACT | JSON_ENCODE_ANY);
	char *argv[] = {program, UNCONST("--instance"), ctl->paths.name, UNCONST("--slurm"),
		slurm, UNCONST("--log-file"), ctl->paths.log_file, UNCONST("--ready-fd"),
		UNCONST("3"), UNCONST("--stay"), UNCONST(STAY_S), NULL};
	int null = open("/dev/null", O_RDWR);
	int log = open(ctl->paths.log_file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0600);

	setsid();
	if (ready != READY_FD)
		dup2(ready, READY_FD);
	else
		fcntl(ready, F_SETFD, 0);
	dup2(null, STDIN_FILENO);
	dup2(log >= 0 ? log : null, STDOUT_FILENO);
	dup2(log >= 0 ? log : null, STDERR_FILENO);
	for (int fd = READY_FD + 1; fd < 256; fd++)
		close(fd);
	if (chdir("/") < 0)
		return;
	execv(program, argv);
}

/* Read dracod's only line, or up to the end of its output. */
static int read_report(int fd, char *text, size_t size)
{
	size_t used = 0;

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		ssize_t n;
		int r = poll(&ready, 1, TIMEOUT_MS);

		if (r < 0 && errno == EINTR)
			continue;
		if (r == 0)
			return -ETIMEDOUT;
		n = read(fd, text + used, size - 1 - used);
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	text[used] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

int launch_dracod(struct ctl *ctl, struct err *err)
{
	_cleanup_free_ char *program = find_dracod();
	_cleanup_close_ int theirs = -1, ours = -1;
	char report[ERR_TEXT_MAX];
	int pair[2], status, r;
	pid_t pid;

	r = where_check_start(ctl, err);
	if (r == 0)
		r = paths_make(&ctl->paths, err);
	if (r < 0)
		return r;
	if (access(program, X_OK) < 0)
		return err_set(err, -errno, "cannot execute %s: %s (DRACO_BIN names another)",
			program, strerror(errno));
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_set(err, -errno, "cannot make a pipe: %s", strerror(errno));
	ours = pair[0];
	theirs = pair[1];
	pid = fork();
	if (pid == 0) {
		become(program, ctl, theirs);
		_exit(127);
	}
	if (pid < 0)
		return err_set(err, -errno, "cannot start a process: %s", strerror(errno));
	close(TAKE_FD(theirs));
	r = read_report(ours, report, sizeof(report));
	if (r < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return err_set(err, r, "dracod did not start (see %s)", ctl->paths.log_file);
	}
	if (strcmp(report, "ready") == 0)
		return 0;
	waitpid(pid, &status, 0);
	if (!*report) /* it crashed, or was killed */
		return err_set(
			err, -EAGAIN, "dracod exited at once (see %s)", ctl->paths.log_file);
	if (strstr(report, "runs already") || strstr(report, "has just been taken"))
		return err_set(err, -EBUSY, "%s", report);
	return err_set(err, -EIO, "%s", report);
}

/* Tell the user about the former dracod: what is wrong with its files, or that it ran on another
 * host and that the new one ends its jobs. */
static void tell_of_former(const struct ctl *ctl, int r, const struct err *err)
{
	_cleanup_free_ char *text = xasprintf("%s%s", err->text,
		r == -ENOENT ? "; what is left of its cluster is ended" : "");

	output_warning(ctl, text);
}

/* The former dracod was killed: say what became of its cluster. */
static void tell_of_killed(const struct ctl *ctl, const struct connection *connection)
{
	const char *text = json_get_text(connection->hello, "former", NULL);

	if (text)
		output_warning(ctl, text);
}

/* A dracod that a service manager started is started again by it. Wait for that one. Returns
 * whether it came. */
static bool wait_for_supervisor(struct connection *connection, struct ctl *ctl)
{
	_cleanup_json_ json_t *daemon = NULL;
	struct err err = ERR_INIT;

	if (!seek_was_killed(&ctl->paths) ||
		rendezvous_daemon(&ctl->paths, &daemon, NULL) < 0 ||
		!json_get_boolean(daemon, "supervised", 0))
		return false;
	for (int tries = 0; tries < SUPERVISOR_TRIES; tries++) {
		usleep(SUPERVISOR_PAUSE_US);
		if (connection_open(connection, ctl, &err) == 0)
			return true;
	}
	return false;
}

int launch_connect(
	struct connection *connection, struct ctl *ctl, bool *ret_launched, struct err *err)
{
	bool warned = false;
	int r = -ENOENT, deaths = 0;

	*ret_launched = false;
	for (int tries = 0; tries < 40; tries++) {
		struct err why = ERR_INIT;

		r = connection_open(connection, ctl, err);
		if (r == 0 && *ret_launched)
			tell_of_killed(ctl, connection);
		if (r != -ENOENT && r != -EPERM && r != -EBADMSG)
			return r;
		/* Files that cannot be trusted are not this user's dracod, so a new one is
		 * started. */
		if (*err->text && !warned)
			tell_of_former(ctl, r, err);
		warned |= *err->text != '\0';
		if (tries == 0 && wait_for_supervisor(connection, ctl)) {
			tell_of_killed(ctl, connection);
			*err = (struct err)ERR_INIT;
			return 0;
		}
		/* Another dracoctl may have started its dracod first; then use that one. Or a
		 * dracod that is ending holds the name for another moment. */
		r = launch_dracod(ctl, &why);
		*err = why;
		if (r == 0)
			*ret_launched = true;
		else if (r == -EAGAIN && ++deaths >= DEATHS_MAX)
			return -EIO;
		else if (r != -EBUSY && r != -EAGAIN)
			return r;
		else
			usleep(50000);
		/* The name may mean another directory by now. */
		if (r == -EBUSY && where_find(ctl, err) < 0)
			return -EINVAL;
	}
	return r;
}

void launch_end(struct connection *connection)
{
	_cleanup_json_ json_t *result = NULL;
	struct refusal refusal = {0};
	struct err err = ERR_INIT;
	int r = connection_call(connection, "shutdown", json_pack("{s:b}", "alone", 1), NULL,
		NULL, &result, &refusal, &err);

	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		/* With those two errors it has ended already. */
		fprintf(stderr, "dracoctl: dracod did not shut down cleanly: %s\n", err.text);
	json_decref(refusal.data);
}
