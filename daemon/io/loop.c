/* loop.c: the event loop: timers, descriptors and signals. Wraps libevent. */
#include "daemon/io/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/queue.h"

#define PRIORITIES (LOOP_LAST + 1) /* the one in the middle is the default */

struct loop {
	struct event_base *base;
	TAILQ_HEAD(, loop_prepare) prepares;
	bool exiting;
};

struct loop_prepare {
	TAILQ_ENTRY(loop_prepare) link; /* loop.prepares */
	struct loop *loop;
	loop_fn fn;
	void *arg;
};

/* Timers, watches and signals are all one event with a function. The types differ only for the
 * compiler. */
struct source {
	struct event *event;
	loop_fn fn;
	void *arg;
};

struct loop_timer {
	struct source source;
};

struct loop_watch {
	struct source source;
};

struct loop_signal {
	struct source source;
};

struct loop *loop_create(struct err *err)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));

	TAILQ_INIT(&loop->prepares);
	loop->base = event_base_new();
	if (!loop->base || event_base_priority_init(loop->base, PRIORITIES) < 0) {
		err_set(err, -EIO, "cannot make an event loop: %s", strerror(errno));
		return loop_destroy(loop);
	}
	return loop;
}

struct loop *loop_destroy(struct loop *loop)
{
	if (loop && loop->base) {
		/* A bufferevent with a pending callback is freed only after its turn. */
		event_base_loop(loop->base, EVLOOP_NONBLOCK);
		event_base_free(loop->base);
	}
	free(loop);
	return NULL;
}

int loop_run(struct loop *loop)
{
	struct loop_prepare *prepare, *next;
	int r = 0;

	loop->exiting = false;
	while (!loop->exiting && r >= 0) {
		TAILQ_FOREACH_SAFE (prepare, &loop->prepares, link, next)
			prepare->fn(prepare->arg);
		r = event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
	}
	return r < 0 ? -EIO : 0;
}

void loop_exit(struct loop *loop)
{
	loop->exiting = true;
	event_base_loopbreak(loop->base);
}

struct loop_prepare *loop_prepare_create(struct loop *loop, loop_fn fn, void *arg)
{
	struct loop_prepare *prepare = xcalloc(1, sizeof(*prepare));

	prepare->loop = loop;
	prepare->fn = fn;
	prepare->arg = arg;
	TAILQ_INSERT_TAIL(&loop->prepares, prepare, link);
	return prepare;
}

struct loop_prepare *loop_prepare_destroy(struct loop_prepare *prepare)
{
	if (prepare)
		TAILQ_REMOVE(&prepare->loop->prepares, prepare, link);
	free(prepare);
	return NULL;
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

int64_t loop_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct source *source = arg;

	(void)fd;
	(void)what;
	source->fn(source->arg);
}

static void source_init(
	struct source *source, struct loop *loop, int fd, short what, loop_fn fn, void *arg)
{
	source->fn = fn;
	source->arg = arg;
	source->event = event_new(loop->base, fd, what, on_event, source);
	if (!source->event)
		abort(); /* only if memory is exhausted */
}

struct loop_timer *loop_timer_create(struct loop *loop, loop_fn fn, void *arg)
{
	struct loop_timer *timer = xcalloc(1, sizeof(*timer));

	source_init(&timer->source, loop, -1, 0, fn, arg);
	return timer;
}

void loop_timer_start(struct loop_timer *timer, int64_t in_ms)
{
	struct timeval wait;

	if (in_ms < 0)
		in_ms = 0;
	wait.tv_sec = in_ms / 1000;
	wait.tv_usec = in_ms % 1000 * 1000;
	evtimer_add(timer->source.event, &wait);
}

void loop_timer_stop(struct loop_timer *timer)
{
	evtimer_del(timer->source.event);
}

bool loop_timer_is_running(const struct loop_timer *timer)
{
	return evtimer_pending(timer->source.event, NULL);
}

struct loop_timer *loop_timer_destroy(struct loop_timer *timer)
{
	if (timer)
		event_free(timer->source.event);
	free(timer);
	return NULL;
}

struct loop_watch *loop_watch_create(struct loop *loop, int fd, loop_fn fn, void *arg)
{
	struct loop_watch *watch = xcalloc(1, sizeof(*watch));

	source_init(&watch->source, loop, fd, EV_READ | EV_PERSIST, fn, arg);
	event_add(watch->source.event, NULL);
	return watch;
}

void loop_watch_set_for(struct loop_watch *watch, bool read, bool write)
{
	struct event *event = watch->source.event;
	short what = (short)((read ? EV_READ : 0) | (write ? EV_WRITE : 0));

	if ((event_get_events(event) & (EV_READ | EV_WRITE)) == what &&
		!event_pending(event, EV_READ | EV_WRITE, NULL) == !what)
		return;
	event_del(event);
	event_assign(event, event_get_base(event), event_get_fd(event),
		(short)(what | EV_PERSIST), on_event, &watch->source);
	if (what)
		event_add(event, NULL);
}

void loop_watch_set_last(struct loop_watch *watch)
{
	event_priority_set(watch->source.event, LOOP_LAST);
}

struct loop_watch *loop_watch_destroy(struct loop_watch *watch)
{
	if (watch)
		event_free(watch->source.event);
	free(watch);
	return NULL;
}

struct loop_signal *loop_signal_create(struct loop *loop, int number, loop_fn fn, void *arg)
{
	struct loop_signal *signal = xcalloc(1, sizeof(*signal));

	source_init(&signal->source, loop, number, EV_SIGNAL | EV_PERSIST, fn, arg);
	event_add(signal->source.event, NULL);
	return signal;
}

struct loop_signal *loop_signal_destroy(struct loop_signal *signal)
{
	if (signal)
		event_free(signal->source.event);
	free(signal);
	return NULL;
}
