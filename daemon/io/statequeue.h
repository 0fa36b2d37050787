/* statequeue.h: state files (statefile.h) that a thread writes (writer.h).
 *
 * Of each file only the newest content waits. What must be on disk before something else is done
 * is awaited by its mark, without blocking: keep statequeue_mark() after the write, and go on, when
 * the listener is called, once statequeue_is_done() says so. A write that has failed is done, too.
 *
 * Where there are no threads, all is written at once. */
#ifndef DRACO_DAEMON_IO_STATEQUEUE_H
#define DRACO_DAEMON_IO_STATEQUEUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct err;

/* The newest content is written (err is NULL), or cannot be. Called from the loop; from
 * statequeue_write() where there are no threads. */
typedef void (*statequeue_fn)(void *arg, const struct err *err);

/* Replace the content of path as statefile_write() does or, unless it has to be lasting, as
 * statefile_write_passing(). object is taken over. fn may be NULL. */
void statequeue_write(
	const char *path, json_t *object, bool lasting, statequeue_fn fn, void *arg);

/* Remove path, if it exists. */
void statequeue_remove(const char *path);

/* Call no function with this argument any more. */
void statequeue_forget(const void *arg);

/* The mark, never 0, of all that was asked for until now; and is all of that done? */
uint64_t statequeue_mark(void);
bool statequeue_is_done(uint64_t mark);

/* Call now what the loop would call in its next turn, about what is written already. */
void statequeue_tell(void);

/* Loop time since which something waits to be written; 0: nothing does. */
int64_t statequeue_waits_since_ms(void);

/* Call fn, from the loop, whenever something is done; NULL: nothing. */
void statequeue_listen(void (*fn)(void *arg), void *arg);

#endif
