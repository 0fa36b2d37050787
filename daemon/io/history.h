/* history.h: the events of this dracod, for its user (dracoctl events).
 *
 * Like the log, the process has one history. Each change of a phase, decision and failure is noted
 * here, and each event is also a line of the log. The last HISTORY_KEPT events are in memory. All
 * events of the last days are in a file of the state directory, which the next dracod continues. */
#ifndef DRACO_DAEMON_IO_HISTORY_H
#define DRACO_DAEMON_IO_HISTORY_H

#include <stdint.h>

#include "daemon/io/events.h"

#define HISTORY_KEPT	 1000
#define HISTORY_FILE_MAX (1024 * 1024) /* FILE then becomes FILE.1, and replaces an older one */

/* Read the events of the earlier dracod, and append new ones to the file. An error is logged, and
 * the events stay in memory only. Before this call events are only logged. */
void history_open(const char *path);
void history_close(void);

/* Another dracod owns the file now: keep new events in memory, and do not write them. */
void history_hand_over(void);

/* The ring; NULL: before history_open(). Borrowed. */
const struct events *history_events(void);

/* Call fn for each new event at once; NULL: for none. fn must not note events itself. */
typedef void (*history_fn)(void *arg, const struct event *event);
void history_listen(history_fn fn, void *arg);

/* Note an event. subject: the kind of object ("job"). name: which one; may be NULL. If the same
 * text about the same object is noted twice in a row, it becomes one event and two lines of the
 * log. So retries do not displace all other events. */
void history_note(enum event_kind kind, const char *subject, const char *name,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Note that the object has changed its phase. after_ms: the time that it spent in the phase from.
 * why may be NULL. */
void history_phase(const char *subject, const char *name, const char *from, const char *to,
	int64_t after_ms, const char *why);

/* As history_phase(), of a job in a partition, which only the journal is told. */
void history_job_phase(const char *name, const char *partition, const char *from,
	const char *to, int64_t after_ms, const char *why);

/* Note an EVENT_FAILURE as history_note() does, with the path and the end of a log with details.
 * NULL, or a file that does not exist: none. */
void history_failure(const char *subject, const char *name, const char *log, const char *format,
	...) __attribute__((format(printf, 4, 5)));

#endif
