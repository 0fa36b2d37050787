/* history.c: the events of this dracod, for its user. */
#include "daemon/io/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/logdir.h"
#include "common/parse.h"

#define TAIL_LINES 8

static struct {
	struct events *events;
	char *path;
	int fd;	   /* -1: the file cannot be written */
	int lost;  /* lines that could not be written */
	bool told; /* the user was told of those */
	bool torn; /* the last line is incomplete */
	int error; /* the errno of the last failed write */
	history_fn fn;
	void *arg;
} history = {.fd = -1};

static void read_file(const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	/* Skip a line that a crash has cut off, or that another program wrote. */
	while (file && getline(&line, &size, file) > 0) {
		_cleanup_json_ json_t *object = json_loads(line, 0, NULL);
		struct event event;

		if (event_decode(object, &event) == 0)
			events_restore(history.events, &event);
	}
}

static void open_file(void)
{
	struct stat st;
	char last;

	if (history.fd >= 0)
		close(history.fd);
	history.fd = open(history.path,
		O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (history.fd < 0 || fstat(history.fd, &st) < 0) {
		log_warning("cannot write %s: %s", history.path, strerror(errno));
		return;
	}
	if (st.st_size > 0 && pread(history.fd, &last, 1, st.st_size - 1) == 1 &&
		last != '\n' && write(history.fd, "\n", 1) < 0)
		log_warning("cannot write %s: %s", history.path, strerror(errno));
}

void history_open(const char *path)
{
	_cleanup_free_ char *old = xasprintf("%s.1", path);

	history_close();
	history.events = events_create(HISTORY_KEPT);
	history.path = xstrdup(path);
	read_file(old);
	read_file(path);
	open_file();
}

void history_close(void)
{
	history.events = events_destroy(history.events);
	if (history.fd >= 0)
		close(history.fd);
	history.fd = -1;
	free(history.path);
	history.path = NULL;
	history.lost = history.error = 0;
	history.told = history.torn = false;
}

void history_hand_over(void)
{
	if (history.fd >= 0)
		close(history.fd);
	history.fd = -1;
}

const struct events *history_events(void)
{
	return history.events;
}

void history_listen(history_fn fn, void *arg)
{
	history.fn = fn;
	history.arg = arg;
}

/* A full disk must not stop the daemon; losing a line is the lesser harm. Returns whether the line
 * was written. */
static bool append_line(const char *line, size_t length)
{
	ssize_t n = write(history.fd, line, length);

	history.error = n < 0 ? errno : n < (ssize_t)length ? ENOSPC : 0;
	history.torn = n > 0 ? history.error != 0 : history.torn;
	history.lost += history.error != 0;
	return history.error == 0;
}

/* Tell the user once when lines are lost, and once when lines are written again. */
static void tell_of_loss(void)
{
	int lost = history.lost;

	if (history.error != 0 && !history.told) {
		history.told = true;
		history_note(EVENT_FAILURE, "dracod", NULL,
			"cannot write %s: %s: later events are kept in memory only",
			history.path, strerror(history.error));
	} else if (history.error == 0 && history.told) {
		history.told = false;
		history.lost = 0;
		history_note(EVENT_NOTE, "dracod", NULL,
			"%s can be written again; %d %s missing", history.path, lost,
			lost == 1 ? "line is" : "lines are");
	}
}

static void append(const struct event *event)
{
	_cleanup_json_ json_t *object = event_encode(event);
	_cleanup_free_ char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));
	_cleanup_free_ char *line =
		text ? xasprintf("%s%s\n", history.torn ? "\n" : "", text) : NULL;
	_cleanup_free_ char *old = xasprintf("%s.1", history.path);
	struct stat st;

	if (!line || history.fd < 0 || !append_line(line, strlen(line)))
		return;
	if (fstat(history.fd, &st) == 0 && st.st_size >= HISTORY_FILE_MAX &&
		rename(history.path, old) == 0)
		open_file();
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_repeated(const struct event *event)
{
	const struct event *last = events_last(history.events);

	return last && last->kind == event->kind && is_same(last->subject, event->subject) &&
		is_same(last->name, event->name) && is_same(last->text, event->text);
}

static void add(struct event *event)
{
	const struct event *added;
	struct timespec now;

	log_write(event->kind == EVENT_FAILURE ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
		"%s%s%s: %s", event->subject, event->name ? " " : "",
		event->name ? event->name : "", event->text);
	if (!history.events || is_repeated(event))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	event->time_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	added = events_add(history.events, event);
	append(added);
	if (history.fn)
		history.fn(history.arg, added);
	tell_of_loss();
}

void history_note(
	enum event_kind kind, const char *subject, const char *name, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	add(&(struct event){
		.kind = kind,
		.subject = UNCONST(subject),
		.name = UNCONST(name),
		.text = text,
		.after_ms = -1,
	});
}

void history_phase(const char *subject, const char *name, const char *from, const char *to,
	int64_t after_ms, const char *why)
{
	char spent[FORMAT_MAX];
	_cleanup_free_ char *text = xasprintf("%s -> %s after %s%s%s", from, to,
		format_duration(after_ms, spent), why ? ": " : "", why ? why : "");

	add(&(struct event){
		.kind = EVENT_PHASE,
		.subject = UNCONST(subject),
		.name = UNCONST(name),
		.text = text,
		.from = UNCONST(from),
		.to = UNCONST(to),
		.after_ms = after_ms,
	});
}

void history_failure(
	const char *subject, const char *name, const char *log, const char *format, ...)
{
	_cleanup_free_ char *tail = log ? logdir_tail(log, TAIL_LINES) : NULL;
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	add(&(struct event){
		.kind = EVENT_FAILURE,
		.subject = UNCONST(subject),
		.name = UNCONST(name),
		.text = text,
		.after_ms = -1,
		.log = UNCONST(log),
		.tail = tail,
	});
}
