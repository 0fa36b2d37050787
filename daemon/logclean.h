/* logclean.h: removing the log directories of earlier starts that are older than the retention.
 *
 * May take its time on a slow file system: a process of its own does it (dracod --clean-logs). */
#ifndef DRACO_DAEMON_LOGCLEAN_H
#define DRACO_DAEMON_LOGCLEAN_H

#include <stdint.h>
#include <time.h>

struct err;

/* Who uses a directory touches its lock so often: it shows life by its time, where other hosts see
 * no locks. */
#define LOGCLEAN_TOUCH_S 21600

struct logclean {
	int64_t directories; /* removed */
	int64_t files, bytes;
	int64_t in_use;	   /* old, but kept: a cluster uses them */
	int64_t foreign;   /* old, but kept: something in them is not draco's */
	int64_t failed;	   /* could not be removed, or not completely */
	char problem[256]; /* the first of those; "" without any */
};

/* Remove from base each directory whose name is one of logdir_make()'s, which is this user's,
 * in which nothing was written for retention_s, in which there is nothing but logs, and which
 * no running dracod of any host uses. Symbolic links are neither followed nor removed. -errno
 * with err when base cannot be read; a base that does not exist is empty. */
int logclean(const char *base, time_t now, int64_t retention_s, struct logclean *ret,
	struct err *err);

/* As the program "dracod --clean-logs": logclean() with low priority, and one line of JSON
 * about it on standard output. Returns an exit status. */
int logclean_main(const char *base, int64_t retention_s);

/* What logclean_main() printed, read again; anything else is -EPROTO. */
int logclean_read(const char *text, struct logclean *ret);

#endif
