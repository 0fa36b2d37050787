/* capture.h: run a short command and keep what it prints. */
#ifndef DRACO_DAEMON_IO_CAPTURE_H
#define DRACO_DAEMON_IO_CAPTURE_H

#include <stdint.h>

struct capture;
struct child_spec;
struct children;
struct err;
struct loop;

/* Told once, from the loop: the output (standard output and error together, cut at 64 KiB,
 * borrowed) and the status as of waitpid(2); timed_out when it was ended for that. */
typedef void (*capture_fn)(void *arg, int status, int timed_out, const char *text);

/* Start the command of spec (whose descriptors are set here). NULL, with err and fn not called,
 * when it cannot be executed. */
struct capture *capture_start(struct loop *loop, struct children *children,
	const struct child_spec *spec, int64_t deadline_ms, capture_fn fn, void *arg,
	struct err *err);

/* Kill it and forget it; not after fn was called. Returns NULL. */
struct capture *capture_cancel(struct capture *capture);

#endif
