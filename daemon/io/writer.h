/* writer.h: threads that do what may wait for a file server, so that the event loop does not.
 *
 * The home of a user is often on a file server, and its log directory on another one. When such a
 * server does not answer, each read and write there waits, for minutes if need be. Each lane below
 * is a thread with a queue, which is begun when it first has work. Jobs of a lane are done in their
 * order, also one that is added again while it is being done. A job is part of the object that it
 * belongs to, and an object has one job, which waits at most once: so the queue is never longer
 * than there are objects.
 *
 * Until writer_begin() a job is done at once, by the caller: while dracod starts, in the tests with
 * a clock of their own, and in all other programs. All functions are for the thread of the loop,
 * except where it says otherwise. */
#ifndef DRACO_DAEMON_IO_WRITER_H
#define DRACO_DAEMON_IO_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/queue.h"

struct err;
struct loop;

enum writer_lane {
	WRITER_STATE, /* writes to the state directory */
	WRITER_LOG,   /* dracod's log, in the state directory or standard error */
	WRITER_LOGS,  /* writes to the log directory of a start */
	WRITER_LOOK,  /* reads of the home and of logs; nobody waits for them for long */
	WRITER_PATH,  /* reads of the directories in PATH, which may be anywhere */
	WRITER_LANES,
};

typedef void (*writer_fn)(void *arg);

struct writer_job {
	enum writer_lane lane;
	writer_fn work; /* in the thread: only files, no log, and nothing that the loop uses */
	writer_fn
		done; /* in the loop, after it; may free the job if it is idle. NULL: nothing */
	void *arg;
	/* The writer's own: */
	TAILQ_ENTRY(writer_job) link;	   /* lane.waiting */
	TAILQ_ENTRY(writer_job) done_link; /* writer.done */
	bool waits, works, is_done;
};

/* Use threads from here on. -errno with err: there are none, and all goes on without. */
int writer_begin(struct loop *loop, struct err *err) __attribute__((warn_unused_result));

#define WRITER_WAIT_MS 20 /* the loop waits no longer for a file system */

#define WRITER_END_MS 3000 /* for writer_end() when dracod ends */

/* Wait until all is written, for limit_ms at most, and use no threads any more. false: some work
 * is not done. Its thread may hang, so from now on nothing is written, and nothing of it freed: the
 * process must end by _exit(). */
bool writer_end(int64_t limit_ms);

/* After a writer_end() that was in vain: wait until the lane has nothing to do, however long that
 * takes. Nothing is told any more. */
void writer_outlast(enum writer_lane lane);

/* Is there a thread for what is to be done, or nobody who does it? Otherwise it is done at once. */
bool writer_is_on(void);

/* Do the work of the job soon: once more if it is being done now, once if it waits already. */
void writer_add(struct writer_job *job);

/* Is the job neither waiting nor being done, and all told? */
bool writer_is_idle(const struct writer_job *job);

/* What work and loop both use is touched only between these two, for a short time, in both. */
void writer_lock(void);
void writer_unlock(void);

/* Wait until the lane has nothing to do, for limit_ms at most, and not at all if the lane has hung
 * for longer than that. Returns whether it has nothing to do. */
bool writer_settle(enum writer_lane lane, int64_t limit_ms);

/* For how long the present work of the lane has lasted, in ms; 0: it has none. */
int64_t writer_age_ms(enum writer_lane lane);

/* Do work in the lane WRITER_LOOK, and wait for it as writer_settle() does. true: it is done, and
 * arg is the caller's again. false: it is not; release is called for arg when it is done, or at
 * once if it is not even begun. */
bool writer_look(writer_fn work, writer_fn release, void *arg, int64_t limit_ms);

/* Do work in the lane, once, and then call done. */
void writer_run(enum writer_lane lane, writer_fn work, writer_fn done, void *arg);

#endif
