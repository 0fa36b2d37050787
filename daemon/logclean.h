/* logclean.h: removes old log directories of earlier starts.
 *
 * It may take long on a slow file system, so a process of its own does it (dracod --clean-logs). */
#ifndef DRACO_DAEMON_LOGCLEAN_H
#define DRACO_DAEMON_LOGCLEAN_H

#include <stdint.h>
#include <time.h>

struct err;

/* In seconds. A dracod touches the lock of its log directory this often: hosts that cannot see the
 * lock judge by the file's time. */
#define LOGCLEAN_TOUCH_S 21600

struct logclean {
	int64_t directories; /* removed */
	int64_t files, bytes;
	int64_t in_use;	   /* old, but kept: a cluster uses them */
	int64_t foreign;   /* old, but kept: something in them is not draco's */
	int64_t clusters;  /* whose state was removed: see stateclean.h */
	int64_t failed;	   /* could not be removed, or not completely */
	char problem[256]; /* the first problem; "": none */
};

/* Remove old log directories from base. A directory is removed if its name is one of
 * logdir_make()'s, it belongs to this user, nothing was written in it for retention_s, it holds
 * nothing but logs, and no running dracod of any host uses it. Symbolic links are neither followed
 * nor removed.
 *
 * 0 with *ret, or -errno with err: base cannot be read. A base that does not exist counts as
 * empty. */
int logclean(const char *base, time_t now, int64_t retention_s, struct logclean *ret,
	struct err *err);

/* The program "dracod --clean-logs": run logclean() with low priority and print one line of JSON
 * about it. state: clean this directory by stateclean(), too; NULL: none. Returns an exit
 * status. */
int logclean_main(const char *base, const char *state, int64_t retention_s);

/* Read the output of logclean_main(). -EPROTO: it is something else. */
int logclean_read(const char *text, struct logclean *ret);

#endif
