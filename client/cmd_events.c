/* cmd_events.c: dracoctl events: shows the events from dracod, or without one from its files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "client/ctl.h"
#include "client/follow.h"
#include "client/output.h"
#include "client/request.h"
#include "client/wrap.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/visible.h"

#define COUNT_DEFAULT 50
#define RECONNECT_MS  500
#define SUBJECT_WIDTH 16		  /* at least */
#define TEXT_BEGIN    (8 + 2 + 8 + 2 + 2) /* the column of the text, without the subject */

struct showing {
	struct ctl *ctl;
	json_int_t next;   /* id of the next event to show */
	int subject_width; /* 0: nothing was shown yet */
	int day;	   /* day of the year of the last event */
};

static enum colour kind_colour(const char *kind)
{
	if (strcmp(kind, "failure") == 0)
		return COLOUR_BAD;
	return strcmp(kind, "decision") == 0 ? COLOUR_BUSY : COLOUR_NONE;
}

static char *subject_of(const json_t *event)
{
	const char *name = json_get_text(event, "name", NULL);

	return xasprintf("%s%s%s", json_get_text(event, "subject", ""), name ? " " : "",
		name ? name : "");
}

/* Print a line before the first event of each further day. */
static void show_day(struct showing *showing, const struct tm *when)
{
	time_t now = time(NULL);
	struct tm today;
	char text[32];
	int day = when->tm_year * 1000 + when->tm_yday;

	localtime_r(&now, &today);
	if (!showing->day)
		showing->day = today.tm_year * 1000 + today.tm_yday;
	if (day == showing->day)
		return;
	showing->day = day;
	strftime(text, sizeof(text), "%Y-%m-%d", when);
	printf("%s%s%s\n", output_colour(COLOUR_FAINT), text, output_colour(COLOUR_NONE));
}

/* Print the lines of an event's text, all from the column where the first one begins. */
static void show_lines(char *text, int column)
{
	bool first = true;

	for (char *line; (line = strsep(&text, "\n")); first = false) {
		if (!first)
			printf("%*s", column, "");
		wrap_print(stdout, column, TEXT_BEGIN + 4, line);
	}
}

static void show_for_people(struct showing *showing, const json_t *event)
{
	time_t seconds = (time_t)json_get_time(event, "time");
	const char *kind = json_get_text(event, "kind", "?");
	_cleanup_free_ char *subject = subject_of(event);
	_cleanup_free_ char *text = NULL;
	enum colour colour = kind_colour(kind);
	char clock[16];
	struct tm when;

	localtime_r(&seconds, &when);
	show_day(showing, &when);
	strftime(clock, sizeof(clock), "%H:%M:%S", &when);
	text = xstrdup(json_get_text(event, "text", ""));
	printf("%s  %s%-8s  %-*s  ", clock, colour ? output_colour(colour) : "", kind,
		showing->subject_width, subject);
	show_lines(text, TEXT_BEGIN + showing->subject_width);
	fputs(colour ? output_colour(COLOUR_NONE) : "", stdout);
	if (json_get_text(event, "tail", NULL))
		output_log_tail(stdout, event);
}

/* The id after this one; 1 after an invalid one. */
static json_int_t next_id(json_int_t id)
{
	return id > 0 && id < INT64_MAX ? id + 1 : 1;
}

static void show(struct showing *showing, const json_t *event)
{
	json_int_t id = json_get_integer(event, "id", 0);

	if (!json_is_object(event))
		return;
	if (showing->ctl->json) {
		output_json_line(event);
	} else if (!showing->ctl->quiet ||
		strcmp(json_get_text(event, "kind", ""), "failure") == 0) {
		show_for_people(showing, event);
	}
	showing->next = next_id(id);
}

static void show_list(struct showing *showing, const json_t *events)
{
	const json_t *event;
	size_t i;

	if (!showing->subject_width) {
		showing->subject_width = SUBJECT_WIDTH;
		json_array_foreach (events, i, event) {
			_cleanup_free_ char *subject = subject_of(event);

			if ((int)strlen(subject) > showing->subject_width)
				showing->subject_width = (int)strlen(subject);
		}
		if (!showing->ctl->json && !showing->ctl->quiet && json_array_size(events) > 0)
			printf("%s%-8s  %-8s  %-*s  WHAT%s\n", output_colour(COLOUR_FAINT),
				"TIME", "KIND", showing->subject_width, "SUBJECT",
				output_colour(COLOUR_NONE));
	}
	json_array_foreach (events, i, event)
		show(showing, event);
	fflush(stdout);
}

/* Events from the files. */

static void read_file(const char *path, bool exact, json_t *events)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		_cleanup_json_ json_t *event = json_loads(line, 0, NULL);

		if (json_get_integer(event, "id", 0) > 0)
			json_array_append_new(
				events, exact ? json_incref(event) : visible_value(event));
	}
}

/* Show the last count events that were not shown yet. Returns whether the files have any events. */
static bool show_files(struct showing *showing, int64_t count)
{
	const char *path = showing->ctl->paths.events_file;
	_cleanup_free_ char *old = xasprintf("%s.1", path);
	_cleanup_json_ json_t *events = json_array();
	json_int_t last;
	size_t size;

	read_file(old, showing->ctl->json, events);
	read_file(path, showing->ctl->json, events);
	size = json_array_size(events);
	last = json_get_integer(json_array_get(events, size - 1), "id", 0);
	while (json_array_size(events) > 0 &&
		((int64_t)json_array_size(events) > count ||
			json_get_integer(json_array_get(events, 0), "id", 0) < showing->next))
		json_array_remove(events, 0);
	show_list(showing, events);
	showing->next = next_id(last);
	return size > 0;
}

/* Has one of the files grown since the last call? */
static bool files_have_changed(const struct showing *showing, struct stat *seen)
{
	struct stat now;

	if (stat(showing->ctl->paths.events_file, &now) < 0 ||
		(now.st_size == seen->st_size && now.st_ino == seen->st_ino))
		return false;
	*seen = now;
	return true;
}

/* Events from dracod. */

static int ask(struct showing *showing, struct connection *connection, int64_t count,
	bool follow, struct err *err)
{
	struct refusal refusal = {0};
	bool more = true;

	while (more) {
		_cleanup_json_ json_t *answer = NULL;
		json_t *params = json_pack("{s:I, s:b}", "since",
			showing->next ? showing->next : 1, "follow", follow);
		int r;

		if (!showing->next && count >= 0)
			json_object_set_new(params, "count", json_integer(count));
		r = connection_call(
			connection, "events", params, NULL, NULL, &answer, &refusal, err);
		json_decref(refusal.data);
		if (r < 0)
			return r;
		if (json_get_integer(answer, "lost", 0) > 0 && showing->next)
			fprintf(stderr, "dracoctl: %" JSON_INTEGER_FORMAT " events are lost\n",
				json_get_integer(answer, "lost", 0));
		show_list(showing, json_object_get(answer, "events"));
		showing->next = json_get_integer(answer, "next", showing->next);
		more = json_get_boolean(answer, "more", 0);
	}
	return 0;
}

static bool on_notification(void *arg, const char *method, const json_t *params)
{
	struct showing *showing = arg;

	if (method && strcmp(method, "event") == 0) {
		show(showing, params);
		fflush(stdout);
	}
	return output_is_read(0);
}

static int show_now(struct showing *showing, int64_t count)
{
	struct connection connection;
	struct err err = ERR_INIT;
	int r = connection_open(&connection, showing->ctl, &err);

	if (r == 0) {
		r = ask(showing, &connection, count, false, &err);
		connection_close(&connection);
	} else if (r != -EINVAL && show_files(showing, count)) {
		if (r != -ENOENT)
			fprintf(stderr, "dracoctl: %s\n", err.text);
		return CTL_DONE;
	} else if (r == -ENOENT) {
		_cleanup_free_ char *start = output_command(showing->ctl, "start");

		output_error(showing->ctl, "no cluster \"%s\" has run yet (%s starts one)",
			showing->ctl->name, start);
		return CTL_NOT_RUNNING;
	}
	if (r == 0)
		return CTL_DONE;
	output_error(showing->ctl, "%s", err.text);
	return r == -EINVAL ? CTL_USAGE : CTL_FAILED;
}

static void tell_waiting(const struct showing *showing, const char *why)
{
	if (!showing->ctl->json && !showing->ctl->quiet)
		fprintf(stderr, "dracoctl: %s; waiting for the next dracod\n", why);
}

/* Follow one dracod after another. The files supply the events in between. */
static int follow_dracods(struct showing *showing, int64_t count)
{
	struct stat seen = {0};
	bool told = false;

	do {
		struct connection connection;
		struct err err = ERR_INIT;
		int r = connection_open(&connection, showing->ctl, &err);

		if (r == -EINVAL) {
			output_error(showing->ctl, "%s", err.text);
			return CTL_USAGE;
		}
		if (r == 0)
			r = ask(showing, &connection, count, true, &err);
		if (r == 0) {
			r = connection_listen(&connection, on_notification, showing, &err);
			told = false;
		}
		connection_close(&connection);
		if (r == 0) /* standard output is closed */
			break;
		if (files_have_changed(showing, &seen))
			show_files(showing, showing->next ? INT64_MAX : count);
		if (!told)
			tell_waiting(showing, r == -ENOENT ? "no dracod runs" : err.text);
		told = true;
	} while (output_is_read(RECONNECT_MS));
	return CTL_DONE;
}

int cmd_events(struct ctl *ctl, int argc, char **argv)
{
	struct showing showing = {.ctl = ctl};
	int64_t count = COUNT_DEFAULT;
	struct err err = ERR_INIT;
	bool follow = false;
	int option;

	while ((option = command_option(ctl, argc, argv)) != -1) {
		if (option == COMMAND_OPTION) {
			follow = true;
		} else if (parse_integer(optarg, 0, INT32_MAX, &count, &err) < 0) {
			output_error(ctl, "--lines: %s", err.text);
			return CTL_USAGE;
		}
	}
	command_no_more_arguments(ctl, argc, argv);
	return follow ? follow_dracods(&showing, count) : show_now(&showing, count);
}
