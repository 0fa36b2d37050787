/* runlog.h: the log directory of the present start: marked as in use, with dracod's own log in
 * it, and found from the state directory by the link "logs"; and the end of those of earlier
 * starts. */
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

/* A start has made directory: use it instead of the one before, and remove the directories
 * beside it in which nothing was written for retention_ms (0: never) in the background. What
 * fails is logged. */
void runlog_begin(struct runlog *runlog, const char *directory, int64_t retention_ms);

#endif
