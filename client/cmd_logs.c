/* cmd_logs.c: dracoctl logs: the end of one of the cluster's logs, and new lines as they come. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/follow.h"
#include "client/log_find.h"
#include "client/output.h"
#include "client/where.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/parse.h"

#define LINES_DEFAULT 50

enum option_index {
	OPTION_FOLLOW,
	OPTION_LINES,
	OPTION_LIST
}; /* the order in the table of commands */

struct wish {
	const char *log;
	int64_t lines;
	bool follow;
	bool list;
};

/* The log is known, but nothing was written to it yet. */
static int say_missing(const struct ctl *ctl, const struct wish *wish, const char *path)
{
	bool daemon = strcmp(wish->log, "daemon") == 0;
	bool scheduler = strcmp(wish->log, "scheduler") == 0;

	output_error(ctl, "%s%s has no log yet (%s); -f waits for it",
		daemon || scheduler ? "" : "job ",
		daemon		    ? "dracod"
			: scheduler ? "the Dask scheduler"
				    : wish->log,
		path);
	return daemon ? CTL_NOT_RUNNING : CTL_FAILED;
}

static int show_json(const struct ctl *ctl, const struct wish *wish, const char *path)
{
	_cleanup_json_ json_t *object = NULL;
	struct err err = ERR_INIT;
	json_t *lines = follow_read(path, wish->lines, &err);

	if (!lines && err.code == -ENOENT)
		return say_missing(ctl, wish, path);
	if (!lines) {
		output_error(ctl, "%s", err.text);
		return CTL_FAILED;
	}
	object = json_pack(
		"{s:s, s:o, s:o}", "log", wish->log, "path", json_text(path), "lines", lines);
	output_json(object);
	return CTL_DONE;
}

static int show(const struct ctl *ctl, const struct wish *wish, const char *path)
{
	struct err err = ERR_INIT;
	int r;

	if (ctl->json)
		return show_json(ctl, wish, path);
	if (wish->follow)
		r = follow_on(path, wish->lines, !ctl->quiet, &err);
	else
		r = follow_show(path, wish->lines, &err);
	if (r == 0)
		return CTL_DONE;
	if (r == -ENOENT)
		return say_missing(ctl, wish, path);
	output_error(ctl, "%s", err.text);
	return CTL_FAILED;
}

static void print_list(const struct ctl *ctl, const json_t *list)
{
	_cleanup_free_ char *logs = output_command(ctl, "logs JOB");
	static const char *const titles[] = {"LOG", "SIZE", "CHANGED", "FILE"};
	struct table table = {.columns = 4};
	size_t earlier = json_array_size(json_object_get(list, "earlier"));
	const json_t *log;
	size_t i;

	json_array_foreach (json_object_get(list, "logs"), i, log) {
		json_int_t bytes = json_get_integer(log, "bytes", 0);
		char when[OUTPUT_TIME_MAX];

		table_add(&table, COLOUR_NONE, xstrdup(json_get_text(log, "name", "")));
		table_add(&table, COLOUR_NONE,
			bytes < 10240
				? xasprintf("%" JSON_INTEGER_FORMAT " B", bytes)
				: xasprintf("%" JSON_INTEGER_FORMAT " KiB", bytes / 1024));
		table_add(&table, COLOUR_NONE,
			xstrdup(output_time(
				(time_t)json_get_integer(log, "changed", 0), when)));
		table_add(&table, COLOUR_NONE, xstrdup(json_get_text(log, "path", "")));
	}
	table_print(&table, titles);
	if (earlier > 0)
		printf("\n%zu other start%s beside %s; %s finds their jobs, too.\n", earlier,
			earlier == 1 ? " has its logs" : "s have their logs",
			json_get_text(list, "directory", ""), logs);
}

static int show_list(struct ctl *ctl)
{
	_cleanup_json_ json_t *list = log_list(ctl);

	if (!list) {
		_cleanup_free_ char *start = output_command(ctl, "start");

		output_error(
			ctl, "no cluster \"%s\" has run yet (%s starts one)", ctl->name, start);
		return CTL_NOT_RUNNING;
	}
	if (ctl->json)
		output_json(list);
	else
		print_list(ctl, list);
	return CTL_DONE;
}

/* Returns an exit status. */
static int read_options(struct ctl *ctl, int argc, char **argv, struct wish *ret)
{
	struct err err = ERR_INIT;
	int option;

	while ((option = command_option(ctl, argc, argv)) != -1) {
		switch (option - COMMAND_OPTION) {
		case OPTION_FOLLOW:
			ret->follow = true;
			break;
		case OPTION_LIST:
			ret->list = true;
			break;
		case OPTION_LINES:
			if (parse_integer(optarg, 0, INT64_MAX, &ret->lines, &err) == 0)
				break;
			output_error(ctl, "--lines: %s", err.text);
			return CTL_USAGE;
		}
	}
	if (optind < argc && !ret->list)
		ret->log = argv[optind++];
	command_no_more_arguments(ctl, argc, argv);
	if (ctl->json && ret->follow) {
		output_error(ctl, "--json and --follow cannot be combined");
		return CTL_USAGE;
	}
	if (where_find(ctl, &err) < 0) {
		output_error(ctl, "%s", err.text);
		return CTL_USAGE;
	}
	return CTL_DONE;
}

int cmd_logs(struct ctl *ctl, int argc, char **argv)
{
	struct wish wish = {.log = "daemon", .lines = LINES_DEFAULT};
	_cleanup_free_ char *path = NULL;
	struct err err = ERR_INIT;
	int status = read_options(ctl, argc, argv, &wish);

	if (status != CTL_DONE)
		return status;
	if (wish.list)
		return show_list(ctl);
	path = log_find(ctl, wish.log, &err);
	if (path)
		return show(ctl, &wish, path);
	output_error(ctl, "%s", err.text);
	return err.code == -ESRCH ? CTL_NOT_RUNNING : CTL_FAILED;
}
