/* events.h: what happened and why: the last events in a ring, and their JSON. Pure.
 *
 *	{"id": 17, "time": 1764030000.123, "kind": "phase", "subject": "job", "name": "42_0",
 *	 "text": "pending -> starting after 3.2 s: n1", "from": "pending", "to": "starting",
 *	 "after_s": 3.2}
 *
 * id counts on by one, also from one dracod to the next. name, from, to, after_s, log and tail
 * are left out where there is none. */
#ifndef DRACO_DAEMON_IO_EVENTS_H
#define DRACO_DAEMON_IO_EVENTS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum event_kind {
	EVENT_PHASE,	/* a job, the cluster or the scheduler went from one phase to another */
	EVENT_DECISION, /* dracod decided something: the text says why */
	EVENT_FAILURE,	/* something did not work */
	EVENT_NOTE,	/* anything else that explains the others */
	EVENT_KINDS,
};

const char *event_kind_name(enum event_kind kind);
int event_kind_find(const char *name); /* -ENOENT if unknown */

#define EVENT_TEXT_MAX 1024 /* bytes of text and of tail; more is cut */

struct event {
	int64_t id;	 /* 1, 2, ... */
	int64_t time_ms; /* since the epoch */
	enum event_kind kind;
	char *subject;	  /* "job", "cluster", "scheduler", "slurm", "dracod" */
	char *name;	  /* which of them; NULL where there is only one */
	char *text;	  /* for a person, one line */
	char *from, *to;  /* of a phase; else NULL */
	int64_t after_ms; /* spent in from; -1: not a phase */
	char *log;	  /* path of a log that tells more; NULL: none */
	char *tail;	  /* its end; NULL: none */
};

void event_finish(struct event *event);
json_t *event_encode(const struct event *event);

/* 0 with *ret, which event_finish() frees; -EPROTO when object is no event, *ret is empty then. */
int event_decode(const json_t *object, struct event *ret) __attribute__((warn_unused_result));

struct events;

/* A ring that keeps the last capacity events; the first gets id 1. */
struct events *events_create(size_t capacity);
struct events *events_destroy(struct events *events);

/* Add a copy of event, with texts cut to EVENT_TEXT_MAX and control characters replaced, and
 * with the next id; returns it, valid until it falls out of the ring. */
const struct event *events_add(struct events *events, const struct event *event);

/* Take over an event of an earlier dracod, with its id, which must be greater than those
 * before; returns whether it was. event is empty after it. */
int events_restore(struct events *events, struct event *event);

/* The last event; NULL when there is none. */
const struct event *events_last(const struct events *events);

/* The id that the next event gets. */
int64_t events_next(const struct events *events);

/* Events with an id of at least since, of those only the last count, the oldest first, about
 * max_bytes of JSON at the most: {events: [...], next, more, lost}. next is the since to go on
 * with and more tells whether there are others already; lost is the number of events that were
 * there once, from since on, and have fallen out of the ring. since behind the next id means
 * another history: it counts as 1. */
json_t *events_list(
	const struct events *events, int64_t since, int64_t count, size_t max_bytes);

#endif
