/* statequeue.c: state files that a thread writes, each with a place for its newest content. */
#include "daemon/io/statequeue.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "daemon/io/loop.h"
#include "daemon/io/statefile.h"
#include "daemon/io/writer.h"

/* What was asked for, of one file. */
struct wish {
	uint64_t first;	  /* mark of the first request that is not done; 0: there is none */
	int64_t since_ms; /* loop time of that request */
};

struct place {
	TAILQ_ENTRY(place) link; /* places */
	char *path;
	struct writer_job job;
	statequeue_fn fn; /* NULL: nobody listens */
	void *arg;
	/* Under the lock: */
	struct wish waiting, working;
	char *text;	/* the content that waits; NULL: the file is to be removed */
	bool lasting;	/* that content is */
	bool written;	/* something to tell */
	struct err err; /* of the last write */
};

/* dracod has less than ten such files. */
static TAILQ_HEAD(, place) places = TAILQ_HEAD_INITIALIZER(places);
static uint64_t marks = 1;
static void (*listener)(void *arg);
static void *listener_arg;

static void work(void *arg)
{
	struct place *place = arg;
	_cleanup_free_ char *text = NULL;
	struct err err = ERR_INIT;
	bool lasting, any;

	writer_lock();
	any = place->waiting.first != 0;
	text = TAKE_PTR(place->text);
	lasting = place->lasting;
	place->working = place->waiting;
	place->waiting = (struct wish){0};
	writer_unlock();
	if (!any) /* this was asked for when the work before had not yet taken the content */
		return;
	if (text)
		statefile_write_text(place->path, text, lasting, &err);
	else
		statefile_remove(place->path);
	writer_lock();
	place->working = (struct wish){0};
	place->written = true;
	place->err = err;
	writer_unlock();
}

static void done(void *arg)
{
	struct place *place = arg;
	struct err err;
	bool written;

	writer_lock();
	err = place->err;
	written = place->written;
	place->written = false;
	writer_unlock();
	if (written && place->fn)
		place->fn(place->arg, err.code ? &err : NULL);
	if (listener)
		listener(listener_arg);
}

void statequeue_tell(void)
{
	struct place *place;

	TAILQ_FOREACH (place, &places, link)
		done(place);
}

static struct place *find(const char *path)
{
	struct place *place;

	TAILQ_FOREACH (place, &places, link)
		if (strcmp(place->path, path) == 0)
			return place;
	place = xcalloc(1, sizeof(*place));
	place->path = xstrdup(path);
	place->job = (struct writer_job){
		.lane = WRITER_STATE, .work = work, .done = done, .arg = place};
	TAILQ_INSERT_TAIL(&places, place, link);
	return place;
}

static void put(struct place *place, char *text, bool lasting)
{
	char *old;

	writer_lock();
	old = place->text;
	place->text = text;
	place->lasting = lasting;
	marks++;
	if (!place->waiting.first)
		place->waiting = (struct wish){marks, loop_now_ms()};
	writer_unlock();
	free(old);
	writer_add(&place->job);
}

void statequeue_write(
	const char *path, json_t *object, bool lasting, statequeue_fn fn, void *arg)
{
	struct err err = ERR_INIT;
	struct place *place;
	int r;

	if (writer_is_on()) {
		place = find(path);
		place->fn = fn;
		place->arg = arg;
		put(place, statefile_text(object), lasting);
		json_decref(object);
		return;
	}
	r = lasting ? statefile_write(path, object, &err)
		    : statefile_write_passing(path, object, &err);
	if (fn)
		fn(arg, r < 0 ? &err : NULL);
}

void statequeue_remove(const char *path)
{
	if (writer_is_on())
		put(find(path), NULL, false);
	else
		statefile_remove(path);
}

void statequeue_forget(const void *arg)
{
	struct place *place;

	TAILQ_FOREACH (place, &places, link)
		if (place->arg == arg)
			place->fn = NULL;
}

uint64_t statequeue_mark(void)
{
	return marks;
}

bool statequeue_is_done(uint64_t mark)
{
	const struct place *place;
	bool is_done = true;

	writer_lock();
	TAILQ_FOREACH (place, &places, link)
		is_done &= (!place->waiting.first || place->waiting.first > mark) &&
			(!place->working.first || place->working.first > mark);
	writer_unlock();
	return is_done;
}

int64_t statequeue_waits_since_ms(void)
{
	const struct place *place;
	int64_t since_ms = 0;

	writer_lock();
	TAILQ_FOREACH (place, &places, link) {
		const struct wish *wish =
			place->working.first ? &place->working : &place->waiting;

		if (wish->first && (!since_ms || wish->since_ms < since_ms))
			since_ms = wish->since_ms;
	}
	writer_unlock();
	return since_ms;
}

void statequeue_listen(void (*fn)(void *arg), void *arg)
{
	listener = fn;
	listener_arg = arg;
}
