/* runlog.h: the log directory of the present start. It is marked as in use, and it contains
 * dracod's own log. The link "logs" in the state directory points to it. Also removes the
 * directories of earlier starts. */
#ifndef DRACO_DAEMON_RUNLOG_H
#define DRACO_DAEMON_RUNLOG_H

#include <stdint.h>

struct children;
struct loop;
struct paths;
struct runlog;

struct runlog *runlog_create(
	struct loop *loop, struct children *children, const struct paths *paths);
struct runlog *runlog_destroy(struct runlog *runlog);

/* A start has made directory: use it in place of the one before. In the background, remove the
 * directories beside it in which nothing was written for retention_ms (0: never). Errors are
 * logged. */
void runlog_begin(struct runlog *runlog, const char *directory, int64_t retention_ms);

#endif
