/* loop.h: the event loop: timers, descriptors and signals. Wraps libevent. */
#ifndef DRACO_DAEMON_IO_LOOP_H
#define DRACO_DAEMON_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct event_base;
struct loop;
struct loop_prepare;
struct loop_timer;
struct loop_watch;
struct loop_signal;

typedef void (*loop_fn)(void *arg);

struct loop *loop_create(struct err *err);

/* Call it after all sources of the loop are destroyed. Returns NULL, as all destructors do. */
struct loop *loop_destroy(struct loop *loop);

int loop_run(struct loop *loop); /* until loop_exit(); 0 or -errno */
void loop_exit(struct loop *loop);
struct event_base *loop_base(struct loop *loop); /* for bufferevents */

/* The priority, in libevent's sense, of work that waits until nothing else is to be done. */
#define LOOP_LAST 2

/* Milliseconds of a clock that never jumps and also runs while the host is suspended, for waits and
 * ages. */
int64_t loop_now_ms(void);

/* Call fn in loop_run() before each wait for events. It may change all sources. */
struct loop_prepare *loop_prepare_create(struct loop *loop, loop_fn fn, void *arg);
struct loop_prepare *loop_prepare_destroy(struct loop_prepare *prepare);

/* A one-shot timer, stopped at first. Starting a running timer moves its end. */
struct loop_timer *loop_timer_create(struct loop *loop, loop_fn fn, void *arg);
void loop_timer_start(struct loop_timer *timer, int64_t in_ms);
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_is_running(const struct loop_timer *timer);
struct loop_timer *loop_timer_destroy(struct loop_timer *timer);

/* Call fn whenever fd is readable. The caller keeps the descriptor. */
struct loop_watch *loop_watch_create(struct loop *loop, int fd, loop_fn fn, void *arg);
struct loop_watch *loop_watch_destroy(struct loop_watch *watch);

/* Call fn whenever fd is readable, or can be written, or either of them; or never. */
void loop_watch_set_for(struct loop_watch *watch, bool read, bool write);

/* Call fn only when nothing else is to be done. */
void loop_watch_set_last(struct loop_watch *watch);

/* Call fn from the loop after the signal has arrived. */
struct loop_signal *loop_signal_create(struct loop *loop, int number, loop_fn fn, void *arg);
struct loop_signal *loop_signal_destroy(struct loop_signal *signal);

#endif
