/* capture.h: runs a short command and keeps its output. */
#ifndef DRACO_DAEMON_IO_CAPTURE_H
#define DRACO_DAEMON_IO_CAPTURE_H

#include <stdint.h>

struct capture;
struct child_spec;
struct children;
struct err;
struct loop;

/* Called once, from the loop. text: standard output and error together, cut at 64 KiB, borrowed.
 * status: as from waitpid(2). timed_out: the command was killed at its deadline. */
typedef void (*capture_fn)(void *arg, int status, int timed_out, const char *text);

/* Start the command of spec, whose descriptors are set here. NULL with err: it cannot be executed,
 * and fn is not called. */
struct capture *capture_start(struct loop *loop, struct children *children,
	const struct child_spec *spec, int64_t deadline_ms, capture_fn fn, void *arg,
	struct err *err);

/* Kill the command and forget it; only before fn was called. Returns NULL. */
struct capture *capture_cancel(struct capture *capture);

#endif
