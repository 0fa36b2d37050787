/* helper.c: requests to Slurm without dracod, by draco-slurm as a child of dracoctl. */
#include "client/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/caller.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/environment.h"
#include "common/err.h"
#include "common/holder.h"
#include "common/host.h"
#include "common/json.h"
#include "common/part.h"
#include "common/paths.h"
#include "common/rendezvous.h"
#include "common/rpc.h"
#include "common/slurm_find.h"
#include "common/slurm_variables.h"
#include "common/strv.h"
#include "common/visible.h"

#define HELLO_DEADLINE_MS 15000

/* Add the environment of the dracod that runs on this host, if there is one. */
static void read_environment(const struct paths *paths, struct strv *ret)
{
	_cleanup_json_ json_t *daemon = NULL;
	_cleanup_free_ char *path = NULL, *text = NULL;
	_cleanup_fclose_ FILE *file = NULL;
	struct host here;
	size_t size = 0;
	int pid;

	if (rendezvous_daemon(paths, &daemon, NULL) < 0)
		return;
	pid = (int)json_get_integer(daemon, "pid", 0);
	path = xasprintf("/proc/%d/environ", pid);
	host_get(&here);
	if (holder_is_here(daemon, &here) &&
		host_runs_process(&here, json_get_text(daemon, "boot", ""), pid))
		file = fopen(path, "re");
	while (file && getdelim(&text, &size, '\0', file) > 0)
		strv_add(ret, text);
}

/* Make the environment that draco-slurm has as a child of dracod: dracod's own, with the variables
 * of a start that identify the Slurm. */
static void make_environment(const struct paths *paths, struct strv *ret)
{
	struct strv base = STRV_INIT, start = STRV_INIT;
	_cleanup_json_ json_t *own = caller_environment();
	struct slurm_found found;
	int r = slurm_find(NULL, NULL, slurm_find_places, &found, NULL);
	bool silent = r == 0 && !found.conf && !found.server && !found.other;

	if (paths && paths->name)
		read_environment(paths, &base);
	slurm_variables_pick(own, NULL, &start);
	slurm_variables_make(base.count > 0 ? base.item : environ, silent ? NULL : &start, ret);
	slurm_found_finish(&found);
	strv_finish(&base);
	strv_finish(&start);
}

/* Runs in the new process. Returns only on failure. */
static void become(char *program, int connection, int stderr_fd, char *const *environment)
{
	char *argv[] = {program, NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(stderr_fd, STDERR_FILENO);
	if (connection == SLURM_MSG_FD)
		fcntl(connection, F_SETFD, 0);
	else
		dup2(connection, SLURM_MSG_FD);
	execve(program, argv, environment);
}

/* value NULL: there is none. */
static void set(struct strv *environment, const char *name, const char *value)
{
	_cleanup_free_ char *variable = value ? xasprintf("%s=%s", name, value) : NULL;

	if (variable)
		environment_set(environment, variable);
}

static int launch(struct helper *helper, const struct paths *paths, struct err *err)
{
	struct strv environment = STRV_INIT;

	_cleanup_free_ char *program = part_find("draco-slurm", PKGLIBEXECDIR);
	_cleanup_close_ int theirs = -1;
	int pair[2];

	if (access(program, X_OK) < 0)
		return err_set(err, -errno, "cannot execute %s: %s", program, strerror(errno));
	helper->stderr_fd = memfd_create("draco-slurm", MFD_CLOEXEC);
	if (helper->stderr_fd < 0 ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, -errno, "cannot start draco-slurm: %s", strerror(errno));
	helper->fd = pair[0];
	theirs = pair[1];
	make_environment(paths, &environment);
	if (helper->interface) {
		set(&environment, SLURM_VARIABLE_INTERFACE, helper->interface);
		set(&environment, SLURM_VARIABLE_PATH, getenv("PATH"));
		set(&environment, SLURM_VARIABLE_CONDA, getenv("CONDA_PREFIX"));
	}
	helper->pid = fork();
	if (helper->pid == 0) {
		become(program, theirs, helper->stderr_fd, environment.item);
		_exit(127);
	}
	strv_finish(&environment);
	if (helper->pid < 0) {
		helper->pid = 0;
		return err_set(err, -errno, "cannot start draco-slurm: %s", strerror(errno));
	}
	return 0;
}

int helper_start(struct helper *helper, const struct paths *paths, struct err *err)
{
	_cleanup_json_ json_t *hello = NULL;
	int r = launch(helper, paths, err);

	helper->reader.limit = ANSWER_LIMIT;
	if (r == 0)
		r = helper_call(helper, "hello",
			json_pack("{s:i}", "protocol", SLURM_MSG_PROTOCOL), HELLO_DEADLINE_MS,
			&hello, err);
	if (r == 0 && json_get_integer(hello, "protocol", 0) != SLURM_MSG_PROTOCOL)
		r = err_set(err, -EPROTO,
			"draco-slurm and dracoctl are of different versions of draco");
	helper->way = json_incref(json_object_get(hello, "way"));
	return r;
}

void helper_stop(struct helper *helper)
{
	if (helper->fd >= 0)
		close(TAKE_FD(helper->fd));
	if (helper->stderr_fd >= 0)
		close(TAKE_FD(helper->stderr_fd));
	if (helper->pid > 0) {
		kill(helper->pid, SIGKILL);
		waitpid(helper->pid, NULL, 0);
	}
	helper->pid = 0;
	json_decref(TAKE_PTR(helper->way));
	line_reader_finish(&helper->reader);
}

/* The last line on its standard error: libslurm tells there why it ends the process. */
static void last_words(const struct helper *helper, char *text, size_t size)
{
	ssize_t n = pread(helper->stderr_fd, text, size - 1, 0);
	char *newline;

	text[n > 0 ? n : 0] = '\0';
	while (*text && text[strlen(text) - 1] == '\n')
		text[strlen(text) - 1] = '\0';
	newline = strrchr(text, '\n');
	if (newline)
		memmove(text, newline + 1, strlen(newline));
}

static int ended(struct helper *helper, struct err *err)
{
	char words[1024];

	last_words(helper, words, sizeof(words));
	return err_set(err, -EPIPE, "draco-slurm has ended%s%s", *words ? ": " : "", words);
}

/* The next line, at until_ms at the latest, or -errno with err. */
static int next_line(struct helper *helper, int64_t until_ms, char **ret, size_t *ret_length,
	struct err *err)
{
	while (!(*ret = line_reader_next(&helper->reader, ret_length))) {
		struct pollfd ready = {.fd = helper->fd, .events = POLLIN};
		int64_t left = until_ms - clock_now_ms();
		long n;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&ready, 1, (int)left) <= 0)
			continue;
		n = line_reader_fill(&helper->reader, helper->fd);
		if (n <= 0)
			return ended(helper, err);
	}
	return 0;
}

static int code_of(const json_t *data)
{
	static const struct {
		const char *outcome;
		int code;
	} codes[] = {{"refused", -EREMOTEIO}, {"unreachable", -EAGAIN}, {"unusable", -EUNATCH}};
	const char *outcome = json_get_text(data, "outcome", "");

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(codes[i].outcome, outcome) == 0)
			return codes[i].code;
	return -EIO;
}

/* Is the line a notification? draco-slurm tells by one that it talks to Slurm in another way. */
static bool take_notification(struct helper *helper, const char *line, size_t length)
{
	struct rpc_message message;
	struct err err = ERR_INIT;
	bool is = rpc_parse(line, length, &message, &err) == 0 &&
		message.kind == RPC_NOTIFICATION;

	if (is && strcmp(message.method, "way") == 0) {
		json_decref(helper->way);
		helper->way = visible_value(message.params);
	}
	rpc_message_finish(&message);
	return is;
}

static int read_answer(
	const char *line, size_t length, json_int_t id, json_t **ret_result, struct err *err)
{
	struct rpc_message message;
	_cleanup_free_ char *text = NULL;
	int r = rpc_parse(line, length, &message, err);

	if (r == 0 && (!json_is_integer(message.id) || json_integer_value(message.id) != id))
		r = err_set(err, -EPROTO, "draco-slurm sent an unexpected message");
	else if (r == 0 && message.kind == RPC_RESULT)
		*ret_result = visible_value(message.result);
	else if (r == 0) {
		text = visible_text(message.kind == RPC_ERROR
				? message.text
				: "draco-slurm sent a request instead of an answer",
			"\n\t");
		r = err_set(err, code_of(message.data), "%s", text);
	}
	rpc_message_finish(&message);
	return r;
}

int helper_call(struct helper *helper, const char *method, json_t *params, int deadline_ms,
	json_t **ret_result, struct err *err)
{
	_cleanup_free_ char *request =
		rpc_format_request(++helper->last_id, method, params ? params : json_object());
	int64_t until_ms;
	char *line;
	size_t length;
	int r;

	if (helper->fd < 0)
		return err_set(err, -EPIPE, "draco-slurm does not run");
	if (line_write(helper->fd, request, strlen(request)) < 0)
		return ended(helper, err);
	until_ms = clock_now_ms() + deadline_ms;
	do
		r = next_line(helper, until_ms, &line, &length, err);
	while (r == 0 && take_notification(helper, line, length));
	if (r == -ETIMEDOUT) {
		helper_stop(helper);
		return err_set(
			err, r, "no answer from slurmctld within %d s", deadline_ms / 1000);
	}
	return r < 0 ? r : read_answer(line, length, helper->last_id, ret_result, err);
}
