/* cmd_list.c: dracoctl list: all clusters of this user, of each name, Slurm and host.
 *
 * For each dracod a process of its own asks, all at the same time. So a dracod that hangs, or a
 * host that is gone, does not delay the others. */
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
#include "common/clock.h"
#include "common/instances.h"
#include "common/json.h"

#define PATIENCE_MS 3000
#define ANSWER_MAX  (512 * 1024)
#define TRIES	    2

struct asked {
	const struct instance *instance;
	pid_t pid; /* the asking process; 0: it has ended */
	int fd;
	char *text; /* its output so far */
	size_t length;
};

static int ask_status(struct ctl *ctl, json_t **ret, struct err *err)
{
	struct connection connection;
	struct refusal refusal = {0};
	int r = connection_open(&connection, ctl, err);

	if (r < 0)
		return r;
	r = connection_call(&connection, "status", NULL, NULL, NULL, ret, &refusal, err);
	json_decref(refusal.data);
	connection_close(&connection);
	return r;
}

/* {cluster, scheduler} of the status, or {error, code}. Runs in the asking process. */
static json_t *ask(const struct ctl *ctl, const char *name)
{
	struct ctl own = {.name = name, .json = ctl->json, .command = ctl->command};
	_cleanup_json_ json_t *status = NULL;
	struct err err = ERR_INIT;
	int r = paths_init(&own.paths, name, &err);

	for (int i = 0; r == 0 && i < TRIES; i++) {
		r = ask_status(&own, &status, &err);
		if (r != -ECONNRESET && r != -EPIPE) /* it ends at this moment */
			break;
		r = i < TRIES - 1 ? 0 : r;
	}
	if (r < 0)
		return json_pack("{s:o, s:i}", "error", json_text(err.text), "code", r);
	return json_pack("{s:O?, s:O?}", "cluster", json_object_get(status, "cluster"),
		"scheduler", json_object_get(status, "scheduler"));
}

static void begin(const struct ctl *ctl, struct asked *asked)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return;
	asked->pid = fork();
	if (asked->pid == 0) {
		json_t *answer = ask(ctl, asked->instance->name);
		FILE *file = fdopen(pair[1], "w");

		if (file) {
			json_dumpf(answer, file, JSON_COMPACT);
			fclose(file);
		}
		_exit(0);
	}
	close(pair[1]);
	asked->fd = pair[0];
}

static void end(struct asked *asked)
{
	if (asked->pid > 0) {
		kill(asked->pid, SIGKILL);
		waitpid(asked->pid, NULL, 0);
		close(asked->fd);
	}
	asked->pid = 0;
}

/* Read the next part of the output. Returns false at its end. */
static bool read_more(struct asked *asked)
{
	ssize_t n;

	asked->text = xrealloc(asked->text, asked->length + BUFSIZ + 1);
	n = read(asked->fd, asked->text + asked->length, BUFSIZ);
	if (n > 0)
		asked->length += (size_t)n;
	asked->text[asked->length] = '\0';
	return n > 0 && asked->length < ANSWER_MAX;
}

static void collect(struct asked *asked, size_t count)
{
	struct pollfd *ready = xcalloc(count + 1, sizeof(*ready));
	int64_t until = clock_now_ms() + PATIENCE_MS;
	size_t open;

	do {
		int64_t left = until - clock_now_ms();

		open = 0;
		for (size_t i = 0; i < count; i++) {
			ready[i] = (struct pollfd){
				.fd = asked[i].pid > 0 ? asked[i].fd : -1, .events = POLLIN};
			open += asked[i].pid > 0;
		}
		if (open == 0 || left <= 0 || poll(ready, count, (int)left) == 0)
			break;
		for (size_t i = 0; i < count; i++)
			if (ready[i].fd >= 0 && ready[i].revents && !read_more(&asked[i]))
				end(&asked[i]);
	} while (open > 0);
	free(ready);
}

static bool is_worth_a_look(const struct instance *instance)
{
	return instance->alive || instance->host || instance->remembers;
}

/* The state of a dracod that did not answer; NULL: there is nothing to list. */
static const char *judge(const struct instance *instance, json_int_t code)
{
	if (instance->alive)
		return instance->elsewhere ? "elsewhere" : "unknown";
	if (instance->remembers)
		return "killed";
	return instance->elsewhere && code != -ENOENT ? "elsewhere" : NULL;
}

static bool has_left_cluster(const char *name)
{
	struct paths paths = {0};
	bool has = paths_init(&paths, name, NULL) == 0 && seek_left_cluster(&paths);

	paths_finish(&paths);
	return has;
}

static char *note_on(const struct instance *instance, const char *state, const json_t *answer)
{
	const char *error = json_get_text(answer, "error", "");

	if (strcmp(state, "killed") == 0 && has_left_cluster(instance->name))
		return xasprintf(
			"dracod was killed, and its cluster goes on: dracoctl --name %s "
			"status starts dracod again",
			instance->name);
	if (strcmp(state, "killed") == 0)
		return xasprintf(
			"dracod ended without cleaning up, jobs may remain: dracoctl --name %s "
			"start%s%s ends them",
			instance->name, instance->record.site.cluster ? " in Slurm " : "",
			instance->record.site.cluster ? instance->record.site.cluster : "");
	if (!answer)
		return xasprintf("no answer within %d s", PATIENCE_MS / 1000);
	return xstrndup(error, strcspn(error, "\n"));
}

/* One line of the list; NULL: none. instance: its directory, seen after it was asked. The caller
 * owns it. */
static json_t *describe(const struct asked *asked, const struct instance *instance)
{
	_cleanup_json_ json_t *answer = asked->text ? json_loads(asked->text, 0, NULL) : NULL;
	const json_t *cluster = json_object_get(answer, "cluster");
	const json_t *scheduler = json_object_get(answer, "scheduler");
	const char *state = json_get_text(cluster, "state", NULL);
	_cleanup_free_ char *note = NULL;

	if (!state)
		state = judge(instance, json_get_integer(answer, "code", 0));
	if (!state)
		return NULL;
	note = cluster ? xstrdup("") : note_on(instance, state, answer);
	return json_pack("{s:s, s:o, s:o, s:s, s:I, s:I, s:o, s:o, s:o}", "name",
		instance->name, "slurm", json_text(instance->record.site.cluster), "host",
		json_text(instance->host), "state", state, "workers",
		json_get_integer(cluster, "workers", 0), "jobs",
		json_get_integer(cluster, "jobs", 0), "address",
		json_text(json_get_text(scheduler, "address", NULL)), "dashboard",
		json_text(json_get_text(scheduler, "dashboard", NULL)), "note",
		json_text(*note ? note : NULL));
}

static json_t *find_all(const struct ctl *ctl)
{
	_cleanup_free_ char *root = paths_state_root();
	struct instances instances = {0}, after = {0};
	json_t *list = json_array();
	struct asked *asked;
	size_t count = 0;

	if (root)
		where_read(ctl, root, NULL, &instances);
	asked = xcalloc(instances.count + 1, sizeof(*asked));
	for (size_t i = 0; i < instances.count; i++) {
		if (!is_worth_a_look(&instances.items[i]))
			continue;
		asked[count].instance = &instances.items[i];
		begin(ctl, &asked[count++]);
	}
	collect(asked, count);
	/* One that was about to end when it was found may have ended by now. */
	if (count > 0)
		instances_read(root, NULL, &after);
	for (size_t i = 0; i < count; i++) {
		const struct instance *now = instances_find(&after, asked[i].instance->name);
		json_t *line;

		end(&asked[i]);
		line = describe(&asked[i], now ? now : asked[i].instance);
		if (line)
			json_array_append_new(list, line);
		free(asked[i].text);
	}
	free(asked);
	instances_finish(&instances);
	instances_finish(&after);
	return list;
}

static enum colour state_colour(const char *state)
{
	if (strcmp(state, "running") == 0)
		return COLOUR_GOOD;
	if (strcmp(state, "stopped") == 0)
		return COLOUR_FAINT;
	return strcmp(state, "failed") == 0 || strcmp(state, "killed") == 0 ? COLOUR_BAD
									    : COLOUR_BUSY;
}

static void print_list(const json_t *list)
{
	static const char *const titles[] = {
		"NAME", "SLURM", "HOST", "STATE", "WORKERS", "JOBS", "NOTE"};
	struct table table = {.columns = 7};
	const json_t *line;
	size_t i;

	json_array_foreach (list, i, line) {
		const char *state = json_get_text(line, "state", "?");

		table_add(&table, COLOUR_NONE, xstrdup(json_get_text(line, "name", "?")));
		table_add(&table, COLOUR_NONE, xstrdup(json_get_text(line, "slurm", "?")));
		table_add(&table, COLOUR_NONE, xstrdup(json_get_text(line, "host", "?")));
		table_add(&table, state_colour(state), xstrdup(state));
		table_add(&table, COLOUR_NONE,
			xasprintf(
				"%" JSON_INTEGER_FORMAT, json_get_integer(line, "workers", 0)));
		table_add(&table, COLOUR_NONE,
			xasprintf("%" JSON_INTEGER_FORMAT, json_get_integer(line, "jobs", 0)));
		table_add(&table, COLOUR_NONE, xstrdup(json_get_text(line, "note", "")));
	}
	table_print(&table, titles);
}

int cmd_list(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *list = NULL;

	while (command_option(ctl, argc, argv) != -1)
		;
	command_no_more_arguments(ctl, argc, argv);
	list = find_all(ctl);
	if (ctl->json)
		output_json(list);
	else if (json_array_size(list) > 0)
		print_list(list);
	else if (!ctl->quiet)
		printf("You have no clusters (dracoctl start starts one).\n");
	return CTL_DONE;
}
