/* events.c: a ring of the last events, and their JSON. Pure. */
#include "daemon/io/events.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/visible.h"

struct events {
	struct event *ring;
	size_t capacity;
	size_t used;
	size_t oldest; /* index */
	int64_t next;
};

static const char *const kind_names[EVENT_KINDS] = {
	[EVENT_PHASE] = "phase",
	[EVENT_DECISION] = "decision",
	[EVENT_FAILURE] = "failure",
	[EVENT_NOTE] = "note",
};

const char *event_kind_name(enum event_kind kind)
{
	return kind_names[kind];
}

int event_kind_find(const char *name)
{
	for (int i = 0; name && i < EVENT_KINDS; i++)
		if (strcmp(kind_names[i], name) == 0)
			return i;
	return -ENOENT;
}

void event_finish(struct event *event)
{
	free(event->subject);
	free(event->name);
	free(event->text);
	free(event->from);
	free(event->to);
	free(event->log);
	free(event->tail);
	*event = (struct event){0};
}

static void set_text(json_t *object, const char *name, const char *text)
{
	if (text)
		json_object_set_new(object, name, json_text(text));
}

json_t *event_encode(const struct event *event)
{
	json_t *object = json_pack("{s:I, s:f, s:s, s:o}", "id", (json_int_t)event->id, "time",
		(double)event->time_ms / 1000, "kind", event_kind_name(event->kind), "subject",
		json_text(event->subject));

	set_text(object, "name", event->name);
	set_text(object, "text", event->text);
	set_text(object, "from", event->from);
	set_text(object, "to", event->to);
	if (event->after_ms >= 0)
		json_object_set_new(
			object, "after_s", json_real((double)event->after_ms / 1000));
	set_text(object, "log", event->log);
	set_text(object, "tail", event->tail);
	return object;
}

/* Read a number of seconds as milliseconds; -1: it is none. */
static int64_t get_ms(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	double seconds = json_number_value(value);

	if (!json_is_number(value) || !(seconds >= 0 && seconds < 1e12))
		return -1;
	return (int64_t)(seconds * 1000 + 0.5);
}

/* Copy text. Cut it, and make control characters visible, which could disturb a terminal or a
 * line. */
static char *clean_text(const char *text, bool one_line)
{
	_cleanup_free_ char *cut = NULL;

	if (!text)
		return NULL;
	cut = xstrndup(text, EVENT_TEXT_MAX);
	for (char *c = cut; *c && one_line; c++)
		if (*c == '\n' || *c == '\t')
			*c = ' ';
	return visible_text(cut, one_line ? "" : "\n\t");
}

/* Copy a text from a file, which somebody may have edited. */
static char *copy_text(const json_t *object, const char *name)
{
	return clean_text(json_get_text(object, name, NULL),
		strcmp(name, "tail") != 0 && strcmp(name, "text") != 0);
}

int event_decode(const json_t *object, struct event *ret)
{
	int kind = event_kind_find(json_get_text(object, "kind", NULL));

	*ret = (struct event){
		.id = json_get_integer(object, "id", 0),
		.time_ms = get_ms(object, "time"),
		.after_ms = get_ms(object, "after_s"),
	};
	if (kind < 0 || ret->id < 1 || ret->id > INT64_MAX / 2 || ret->time_ms < 0 ||
		!json_is_string(json_object_get(object, "subject")) ||
		!json_is_string(json_object_get(object, "text"))) {
		*ret = (struct event){0};
		return -EPROTO;
	}
	ret->kind = (enum event_kind)kind;
	ret->subject = copy_text(object, "subject");
	ret->name = copy_text(object, "name");
	ret->text = copy_text(object, "text");
	ret->from = copy_text(object, "from");
	ret->to = copy_text(object, "to");
	ret->log = copy_text(object, "log");
	ret->tail = copy_text(object, "tail");
	return 0;
}

struct events *events_create(size_t capacity)
{
	struct events *events = xcalloc(1, sizeof(*events));

	events->ring = xcalloc(capacity, sizeof(*events->ring));
	events->capacity = capacity;
	events->next = 1;
	return events;
}

struct events *events_destroy(struct events *events)
{
	if (!events)
		return NULL;
	for (size_t i = 0; i < events->capacity; i++)
		event_finish(&events->ring[i]);
	free(events->ring);
	free(events);
	return NULL;
}

static struct event *at(const struct events *events, size_t i)
{
	return &events->ring[(events->oldest + i) % events->capacity];
}

/* The empty place for a new event. In a full ring it replaces the oldest. */
static struct event *make_room(struct events *events)
{
	struct event *place;

	if (events->used == events->capacity) {
		events->oldest = (events->oldest + 1) % events->capacity;
		events->used--;
	}
	place = at(events, events->used++);
	event_finish(place);
	return place;
}

/* The end of a log is worth more than its beginning. */
static const char *cut_tail(const char *tail)
{
	size_t length = tail ? strlen(tail) : 0;
	const char *line;

	if (length <= EVENT_TEXT_MAX)
		return tail;
	tail += length - EVENT_TEXT_MAX;
	line = strchr(tail, '\n');
	return line && line[1] ? line + 1 : tail;
}

const struct event *events_add(struct events *events, const struct event *event)
{
	struct event *place = make_room(events);

	*place = (struct event){
		.id = events->next++,
		.time_ms = event->time_ms,
		.kind = event->kind,
		.subject = clean_text(event->subject, true),
		.name = clean_text(event->name, true),
		.text = clean_text(event->text ? event->text : "", false),
		.from = clean_text(event->from, true),
		.to = clean_text(event->to, true),
		.after_ms = event->after_ms,
		.log = clean_text(event->log, true),
		.tail = clean_text(cut_tail(event->tail), false),
	};
	return place;
}

int events_restore(struct events *events, struct event *event)
{
	if (event->id < events->next) {
		event_finish(event);
		return 0;
	}
	events->next = event->id + 1;
	*make_room(events) = *event;
	*event = (struct event){0};
	return 1;
}

const struct event *events_last(const struct events *events)
{
	return events->used > 0 ? at(events, events->used - 1) : NULL;
}

int64_t events_next(const struct events *events)
{
	return events->next;
}

/* The position of the first requested event. */
static size_t find_first(const struct events *events, int64_t since, int64_t count)
{
	size_t first = 0;

	while (first < events->used && at(events, first)->id < since)
		first++;
	if (count >= 0 && (uint64_t)count < events->used - first)
		first = events->used - (size_t)count;
	return first;
}

json_t *events_list(const struct events *events, int64_t since, int64_t count, size_t max_bytes)
{
	int64_t oldest = events->used > 0 ? at(events, 0)->id : events->next;
	json_t *list = json_array();
	int64_t next = events->next;
	size_t bytes = 0, i;

	if (since > events->next || since < 1)
		since = 1;
	for (i = find_first(events, since, count); i < events->used; i++) {
		json_t *object = event_encode(at(events, i));

		bytes += json_dumpb(object, NULL, 0, JSON_COMPACT) + 1;
		if (bytes > max_bytes && json_array_size(list) > 0) {
			next = at(events, i)->id;
			json_decref(object);
			break;
		}
		json_array_append_new(list, object);
	}
	return json_pack("{s:o, s:I, s:b, s:I}", "events", list, "next", (json_int_t)next,
		"more", i < events->used, "lost",
		(json_int_t)(count < 0 && oldest > since ? oldest - since : 0));
}
