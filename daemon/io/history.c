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
#include "common/append.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/log.h"
#include "common/parse.h"
#include "daemon/io/lines.h"
#include "daemon/io/tail.h"

#define TAIL_LINES 8

static struct {
	struct events *events;
	char *path;
	struct lines *lines; /* NULL: the file is not written */
	int lost;	     /* lines that could not be written */
	bool told;	     /* the user was told of those */
	int error;	     /* of the last write; -EBUSY: too many lines wait for it */
	bool adding;	     /* add() tells of a loss */
	history_fn fn;
	void *arg;
} history;

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

static void tell_of_loss(void);

static void on_written(void *arg, int error, int lost)
{
	(void)arg;
	history.error = error;
	history.lost += lost;
	if (!history.adding)
		tell_of_loss();
}

/* Does the file end within a line, after a crash? */
static bool is_torn(void)
{
	_cleanup_close_ int fd =
		open(history.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	char last = '\n';

	return fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 &&
		pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

static void open_file(void)
{
	struct append *file = append_create(history.path, HISTORY_FILE_MAX);
	struct err err = ERR_INIT;

	if (append_open(file, false, &err) < 0) {
		log_warning("%s: events are kept in memory only", err.text);
		append_destroy(file);
		return;
	}
	if (is_torn())
		append_set_torn(file);
	history.lines = lines_create(file, WRITER_STATE, on_written, NULL);
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
	history.lines = lines_close(history.lines);
	free(history.path);
	history.path = NULL;
	history.lost = history.error = 0;
	history.told = false;
}

void history_hand_over(void)
{
	history.lines = lines_close(history.lines);
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

/* Tell the user once when lines are lost, and once when lines are written again. */
static void tell_of_loss(void)
{
	int lost = history.lost;

	if (history.error != 0 && !history.told) {
		history.told = true;
		history_note(EVENT_FAILURE, "dracod", NULL,
			"cannot write %s: %s: later events are kept in memory only",
			history.path,
			history.error == -EBUSY ? "its file system does not answer"
						: strerror(-history.error));
	} else if (history.error == 0 && (history.told || lost > 0)) {
		history.told = false;
		history.lost = 0;
		history_note(EVENT_NOTE, "dracod", NULL,
			"%s can be written again; %d %s missing", history.path, lost,
			lost == 1 ? "line is" : "lines are");
	}
}

/* A full disk, or a file server that is away, must not stop the daemon; losing a line is the lesser
 * harm. */
static void append(const struct event *event)
{
	_cleanup_json_ json_t *object = event_encode(event);
	_cleanup_free_ char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));
	_cleanup_free_ char *line = text ? xasprintf("%s\n", text) : NULL;

	if (!line || !history.lines || lines_put(history.lines, line, strlen(line)))
		return;
	history.error = -EBUSY;
	history.lost++;
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

static void log_event(const struct event *event, const char *partition)
{
	bool is_job = strcmp(event->subject, "job") == 0;
	const struct log_field fields[] = {
		{LOG_FIELD_KIND, event_kind_name(event->kind)},
		{LOG_FIELD_SUBJECT, event->subject},
		{"DRACO_JOB", is_job ? event->name : NULL},
		{"DRACO_PHASE", event->to},
		{"DRACO_PARTITION", partition},
		{NULL, NULL},
	};

	log_write_fields(event->kind == EVENT_FAILURE ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
		fields, "%s%s%s: %s", event->subject, event->name ? " " : "",
		event->name ? event->name : "", event->text);
}

/* partition: of the job in the event; NULL: it is not known. */
static void add(struct event *event, const char *partition)
{
	const struct event *added;
	struct timespec now;

	log_event(event, partition);
	if (!history.events || is_repeated(event))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	event->time_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	added = events_add(history.events, event);
	history.adding = true;
	append(added);
	if (history.fn)
		history.fn(history.arg, added);
	history.adding = false;
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
	add(
		&(struct event){
			.kind = kind,
			.subject = UNCONST(subject),
			.name = UNCONST(name),
			.text = text,
			.after_ms = -1,
		},
		NULL);
}

static void note_phase(const char *subject, const char *name, const char *partition,
	const char *from, const char *to, int64_t after_ms, const char *why)
{
	char spent[FORMAT_MAX];
	_cleanup_free_ char *text = xasprintf("%s -> %s after %s%s%s", from, to,
		format_duration(after_ms, spent), why ? ": " : "", why ? why : "");

	add(
		&(struct event){
			.kind = EVENT_PHASE,
			.subject = UNCONST(subject),
			.name = UNCONST(name),
			.text = text,
			.from = UNCONST(from),
			.to = UNCONST(to),
			.after_ms = after_ms,
		},
		partition);
}

void history_phase(const char *subject, const char *name, const char *from, const char *to,
	int64_t after_ms, const char *why)
{
	note_phase(subject, name, NULL, from, to, after_ms, why);
}

void history_job_phase(const char *name, const char *partition, const char *from,
	const char *to, int64_t after_ms, const char *why)
{
	note_phase("job", name, partition, from, to, after_ms, why);
}

void history_failure(
	const char *subject, const char *name, const char *log, const char *format, ...)
{
	_cleanup_free_ char *tail = log ? tail_read(log, TAIL_LINES) : NULL;
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	add(
		&(struct event){
			.kind = EVENT_FAILURE,
			.subject = UNCONST(subject),
			.name = UNCONST(name),
			.text = text,
			.after_ms = -1,
			.log = UNCONST(log),
			.tail = tail,
		},
		NULL);
}
