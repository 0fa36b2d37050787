/* events.h: a ring of the last events, and their JSON. Pure.
 *
 *	{"id": 17, "time": 1764030000.123, "kind": "phase", "subject": "job", "name": "42_0",
 *	 "text": "pending -> starting after 3.2 s: n1", "from": "pending", "to": "starting",
 *	 "after_s": 3.2}
 *
 * id grows by one with each event, also from one dracod to the next. name, from, to, after_s, log
 * and tail are optional. */
#ifndef DRACO_DAEMON_IO_EVENTS_H
#define DRACO_DAEMON_IO_EVENTS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum event_kind {
	EVENT_PHASE,	/* a job, the cluster or the scheduler went from one phase to another */
	EVENT_DECISION, /* dracod has decided something; the text says why */
	EVENT_FAILURE,	/* something has failed */
	EVENT_NOTE,	/* any other fact that explains the others */
	EVENT_KINDS,
};

const char *event_kind_name(enum event_kind kind);
int event_kind_find(const char *name); /* -ENOENT if unknown */

#define EVENT_TEXT_MAX 1024 /* bytes of text and of tail; longer ones are cut */

struct event {
	int64_t id;	 /* 1, 2, ... */
	int64_t time_ms; /* since the epoch */
	enum event_kind kind;
	char *subject;	  /* "job", "cluster", "scheduler", "slurm", "dracod" */
	char *name;	  /* its name; NULL: there is only one */
	char *text;	  /* for a person, one line */
	char *from, *to;  /* with EVENT_PHASE; otherwise NULL */
	int64_t after_ms; /* time spent in from; -1: no EVENT_PHASE */
	char *log;	  /* path of a log with details; NULL: none */
	char *tail;	  /* the end of that log; NULL: none */
};

void event_finish(struct event *event);
json_t *event_encode(const struct event *event);

/* Read an event. 0 with *ret, which event_finish() frees. -EPROTO: object is no event, and *ret is
 * empty. */
int event_decode(const json_t *object, struct event *ret) __attribute__((warn_unused_result));

struct events;

/* A ring of the last capacity events. The first event gets the id 1. */
struct events *events_create(size_t capacity);
struct events *events_destroy(struct events *events);

/* Add a copy of event under the next id. Its texts are cut to EVENT_TEXT_MAX, and control
 * characters are replaced. The result stays valid until it drops out of the ring. */
const struct event *events_add(struct events *events, const struct event *event);

/* Take over an event of an earlier dracod with its id, which must be greater than all ids in the
 * ring. Returns whether it was added. event is empty afterwards. */
int events_restore(struct events *events, struct event *event);

/* The last event; NULL: none. */
const struct event *events_last(const struct events *events);

/* The id of the next event. */
int64_t events_next(const struct events *events);

/* {events: [...], next, more, lost}: the last count events whose ids are at least since, oldest
 * first, in about max_bytes of JSON at most.
 *
 * next is the value of since for the next call. more tells whether further events exist already.
 * lost is the number of events from since on that have dropped out of the ring. If since is greater
 * than the next id, it comes from another history and counts as 1. */
json_t *events_list(
	const struct events *events, int64_t since, int64_t count, size_t max_bytes);

#endif
