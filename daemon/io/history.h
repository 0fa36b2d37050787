/* history.h: what happened in dracod and why, for its user (dracoctl events).
 *
 * One for the process, as the log: whatever changes a phase, decides or fails notes it here.
 * Each event is a line of the log, too. The last HISTORY_KEPT are in memory, and all of the
 * last days in a file of the state directory, from which the next dracod goes on. */
#ifndef DRACO_DAEMON_IO_HISTORY_H
#define DRACO_DAEMON_IO_HISTORY_H

#include <stdint.h>

#include "daemon/io/events.h"

#define HISTORY_KEPT	 1000
#define HISTORY_FILE_MAX (1024 * 1024) /* then FILE becomes FILE.1, and that one goes */

/* Read the events of the dracod before, and append to the file from now on. Where that cannot
 * be, it is logged, and the events are in memory only. Before this, events are only logged. */
void history_open(const char *path);
void history_close(void);

/* The file belongs to another dracod: remember what happens from now on, but do not write it. */
void history_hand_over(void);

/* The ring; NULL before history_open(). */
const struct events *history_events(void);

/* Be told of each new event, as soon as it is there; fn NULL ends that. fn must not note any
 * itself. */
typedef void (*history_fn)(void *arg, const struct event *event);
void history_listen(history_fn fn, void *arg);

/* Note an event about subject ("job") and which of them (name; may be NULL). The same words
 * about the same thing twice in a row are noted once (and logged twice): what is retried does
 * not push out all else. */
void history_note(enum event_kind kind, const char *subject, const char *name,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* subject went from one phase to another, in which it had spent after_ms; why may be NULL. */
void history_phase(const char *subject, const char *name, const char *from, const char *to,
	int64_t after_ms, const char *why);

/* As history_note() of an EVENT_FAILURE, with the path and the end of a log that tells more
 * (NULL or a file that is not there: none). */
void history_failure(const char *subject, const char *name, const char *log, const char *format,
	...) __attribute__((format(printf, 4, 5)));

#endif
