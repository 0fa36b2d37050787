/* fuzz_answers.c: dracoctl and what a dracod sends it, which may be damaged, of another version
 * or hostile: no answer may crash it or reach the terminal as anything but text.
 *
 * The first line of an input is the command, as in command_lines[]; the others are what dracod
 * sends. Requests are numbered from 1, and the first is "hello". After the last line the
 * connection is closed. */
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/caller.h"
#include "client/ctl.h"
#include "client/follow.h"
#include "client/launch.h"
#include "client/reach.h"
#include "client/request.h"
#include "client/start_wait.h"
#include "client/wrap.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/line.h"
#include "common/rpc.h"

#define NOW	 1796000000
#define WORD_MAX 8

const char fuzz_name[] = "answers";
const char *const fuzz_words[] = {"cluster", "scheduler", "slurm", "size", "jobs", "attached",
	"dashboard", "notices", "warnings", "failure", "excluded_nodes", "differences",
	"limits", "milestones", "candidates", "events", "running", "starting", "failed",
	"stopped", "fixed", "adaptive", "paused", "ready", "pending", "gone", "skipped",
	"progress", "event", "message", "reason", "why", "error", "code", "data", "log", "tail",
	"id", "result", "since", "until", "start", "time", "phase", "phase_s", "idle_s",
	"bytes", "start_time", "end_time", "predicted_start", "DASK_SCHEDULER_ADDRESS",
	"LD_PRELOAD", "A B", "x;id", "\n", NULL};

static const char *const command_lines[] = {"status", "status --json", "status --quiet",
	"start", "start --json", "start --dry-run", "stop", "stop --json", "shutdown",
	"scale 4", "scale --json --memory 64GiB", "adapt --maximum 8", "pause", "resume",
	"retire 42", "retire --force 42", "env", "env --format csh", "env --format fish",
	"env --format json", "script", "script --json", "dashboard", "dashboard --json",
	"events", "events --json", "events -f", "events --file", "version", "version --json"};

/* What dracod sends, and how far it was read. */
static const uint8_t *sent;
static size_t sent_size, sent_at;
static bool is_there;	 /* whether a dracod serves at all */
static bool is_terminal; /* whether standard output is one, as far as dracoctl knows */

int __wrap_seek_dracod(struct channel *channel, const struct paths *paths, struct err *err);
bool __wrap_seek_left_cluster(const struct paths *paths);
bool __wrap_connection_renew(struct connection *connection, struct ctl *ctl, int r);
void __wrap_channel_close(struct channel *channel);
int __wrap_channel_write(
	struct channel *channel, const char *text, size_t length, struct err *err);
bool __wrap_channel_wait(struct channel *channel, int timeout_ms);
long __wrap_channel_read(void *arg, char *bytes, size_t size);
int __wrap_launch_connect(
	struct connection *connection, struct ctl *ctl, bool *ret_launched, struct err *err);
int __wrap_start_connect(struct connection *connection, struct ctl *ctl, json_t **ret_limits,
	bool *ret_launched);
int __wrap_caller_settings(
	const struct ctl *ctl, struct settings *ret, struct settings_report *ret_report);
json_t *__wrap_caller_params(const struct ctl *ctl);
bool __wrap_output_is_read(int wait_ms);
time_t __wrap_time(time_t *ret);
int __wrap_isatty(int fd);
int __real_isatty(int fd);

/* What the linker puts in the place of the functions that go outside. */

int __wrap_seek_dracod(struct channel *channel, const struct paths *paths, struct err *err)
{
	(void)paths;
	(void)err;
	*channel = (struct channel)CHANNEL_INIT;
	return is_there ? 0 : -ENOENT;
}

bool __wrap_connection_renew(struct connection *connection, struct ctl *ctl, int r)
{
	(void)connection;
	(void)ctl;
	(void)r;
	return false;
}

bool __wrap_seek_left_cluster(const struct paths *paths)
{
	(void)paths;
	return false;
}

void __wrap_channel_close(struct channel *channel)
{
	*channel = (struct channel)CHANNEL_INIT;
}

int __wrap_channel_write(
	struct channel *channel, const char *text, size_t length, struct err *err)
{
	struct rpc_message message;

	(void)channel;
	(void)err;
	fuzz_require(length < LINE_LIMIT && strlen(text) == length);
	fuzz_require(rpc_parse(text, length, &message, NULL) == 0);
	fuzz_require(message.kind == RPC_REQUEST && rpc_method_find(message.method) >= 0);
	rpc_message_finish(&message);
	return 0;
}

bool __wrap_channel_wait(struct channel *channel, int timeout_ms)
{
	(void)channel;
	(void)timeout_ms;
	return true;
}

long __wrap_channel_read(void *arg, char *bytes, size_t size)
{
	size_t some = sent_size - sent_at;

	(void)arg;
	if (some > size)
		some = size;
	if (some > 0)
		memcpy(bytes, sent + sent_at, some);
	sent_at += some;
	return (long)some;
}

int __wrap_launch_connect(
	struct connection *connection, struct ctl *ctl, bool *ret_launched, struct err *err)
{
	*ret_launched = false;
	return connection_open(connection, ctl, err);
}

int __wrap_start_connect(
	struct connection *connection, struct ctl *ctl, json_t **ret_limits, bool *ret_launched)
{
	struct err err = ERR_INIT;

	*ret_limits = NULL;
	*ret_launched = false;
	return connection_open(connection, ctl, &err) == 0 ? CTL_DONE : CTL_FAILED;
}

int __wrap_caller_settings(
	const struct ctl *ctl, struct settings *ret, struct settings_report *ret_report)
{
	(void)ctl;
	settings_init(ret);
	*ret_report = (struct settings_report){0};
	return CTL_DONE;
}

json_t *__wrap_caller_params(const struct ctl *ctl)
{
	(void)ctl;
	return json_object();
}

bool __wrap_output_is_read(int wait_ms)
{
	(void)wait_ms;
	return sent_at < sent_size;
}

time_t __wrap_time(time_t *ret)
{
	if (ret)
		*ret = NOW;
	return NOW;
}

int __wrap_isatty(int fd)
{
	return is_terminal ? fd == STDOUT_FILENO : __real_isatty(fd);
}

/* What dracoctl prints, into memory. */
struct output {
	FILE *real, *file;
	char *text;
	size_t size;
};

static FILE *capture(struct output *output, FILE *real)
{
	output->real = real;
	output->file = open_memstream(&output->text, &output->size);
	fuzz_require(output->file != NULL);
	return output->file;
}

static FILE *release(struct output *output)
{
	fclose(output->file);
	return output->real;
}

/* Broken between words, it is the same text. */
static void check_wrapped(const char *text)
{
	_cleanup_free_ char *wrapped = wrap_text(text, 40, 4, 8);
	const char *a = text, *b = wrapped;

	for (;;) {
		a += strspn(a, " \n");
		b += strspn(b, " \n");
		if (!*a || *a != *b)
			break;
		a++;
		b++;
	}
	fuzz_require(!*a && !*b);
}

/* exact: it need not be fit for a terminal. */
static void check_output(const struct output *output, const struct ctl *ctl, bool exact)
{
	if (ctl->json && output->size > 0) { /* one value, or one a line */
		json_t *value = json_loadb(output->text, output->size,
			JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, NULL);

		fuzz_require(value);
		json_decref(value);
	} else {
		check_wrapped(output->text);
	}
	fuzz_require(exact || fuzz_is_harmless(output->text, output->size));
}

static int split(char *line, char *words[WORD_MAX])
{
	int count = 0;

	while (count < WORD_MAX - 1 && (words[count] = strsep(&line, " ")))
		count++;
	words[count] = NULL;
	return count;
}

static void run(struct ctl *ctl, const char *command, bool terminal)
{
	_cleanup_free_ char *line = xstrdup(command), *file = NULL;
	struct output out = {0}, errors = {0};
	char *words[WORD_MAX];
	int count = split(line, words), status;

	is_there = strcmp(command, "events --file") != 0;
	if (!is_there) {
		count = 1;
		words[1] = NULL;
		file = fuzz_file(sent, sent_size); /* the events that the last one wrote */
		ctl->paths.events_file = file;
	}
	ctl->command = command_find(ctl, words[0]);
	optind = 0;
	is_terminal = terminal;
	stdout = capture(&out, stdout);
	stderr = capture(&errors, stderr);
	status = ctl->command->run(ctl, count, words);
	is_terminal = false;
	stdout = release(&out);
	stderr = release(&errors);
	fuzz_require(status >= CTL_DONE && status <= CTL_NOT_RUNNING);
	if (status == CTL_DONE)
		fuzz_took();
	/* Programs are given JSON, and the script, as they are. */
	check_output(&out, ctl,
		!terminal &&
			(ctl->json || strcmp(command, "script") == 0 ||
				strcmp(command, "env --format json") == 0));
	check_output(&errors, &(struct ctl){0}, false);
	free(out.text);
	free(errors.text);
}

static const char *find_command(const uint8_t *line, size_t length)
{
	for (size_t i = 0; i < sizeof(command_lines) / sizeof(command_lines[0]); i++)
		if (strlen(command_lines[i]) == length &&
			memcmp(command_lines[i], line, length) == 0)
			return command_lines[i];
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
	const char *command = newline ? find_command(data, (size_t)(newline - data)) : NULL;
	char nowhere[] = "/nonexistent/draco";
	struct ctl ctl = {
		.name = PATHS_NAME_DEFAULT, .paths = {.name = nowhere, .daemon_file = nowhere}};

	if (!command)
		return 0;
	setenv("NO_COLOR", "1", 1);
	setenv("TERM", "dumb", 1);
	ctl.paths.events_file = nowhere;
	sent = newline + 1;
	sent_size = size - (size_t)(newline + 1 - data);
	sent_at = 0;
	run(&ctl, command, size % 2 == 0);
	json_decref(ctl.settings);
	return 0;
}
