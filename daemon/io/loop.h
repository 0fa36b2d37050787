/* loop.h: the event loop: timers, readable descriptors and signals. Wraps libevent. */
#ifndef DRACO_DAEMON_IO_LOOP_H
#define DRACO_DAEMON_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct event_base;
struct loop;
struct loop_timer;
struct loop_watch;
struct loop_signal;

typedef void (*loop_fn)(void *arg);

struct loop *loop_create(struct err *err);

/* After all that is on it. Returns NULL, as the other destructors. */
struct loop *loop_destroy(struct loop *loop);

int loop_run(struct loop *loop); /* until loop_exit(); 0 or -errno */
void loop_exit(struct loop *loop);
struct event_base *loop_base(struct loop *loop); /* for connections */

/* The priority, in libevent's sense, of what may wait until nothing else is to be done. */
#define LOOP_LAST 2

/* Milliseconds that pass steadily, also while the machine sleeps: for waits and ages. */
int64_t loop_now_ms(void);

/* A one-shot timer, not running at first. Starting a running one moves it. */
struct loop_timer *loop_timer_create(struct loop *loop, loop_fn fn, void *arg);
void loop_timer_start(struct loop_timer *timer, int64_t in_ms);
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_is_running(const struct loop_timer *timer);
struct loop_timer *loop_timer_destroy(struct loop_timer *timer);

/* Call fn whenever fd can be read. The descriptor stays the caller's. */
struct loop_watch *loop_watch_create(struct loop *loop, int fd, loop_fn fn, void *arg);
struct loop_watch *loop_watch_destroy(struct loop_watch *watch);

/* Call it only when nothing else is to be done. */
void loop_watch_set_last(struct loop_watch *watch);

/* Call fn, in the loop, after the signal came. */
struct loop_signal *loop_signal_create(struct loop *loop, int number, loop_fn fn, void *arg);
struct loop_signal *loop_signal_destroy(struct loop_signal *signal);

#endif
