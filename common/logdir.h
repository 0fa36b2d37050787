/* logdir.h: the log directories, one for each start, and the last lines of logs.
 *
 * BASE/2026-11-25T09:30:00/ holds daemon.log, scheduler.log and job-ID.log. While it is in use it
 * also holds lock, and after a failure of forkserver, spawn. */
#ifndef DRACO_COMMON_LOGDIR_H
#define DRACO_COMMON_LOGDIR_H

#include <stdbool.h>

struct err;

#define LOGDIR_DAEMON	 "daemon.log"
#define LOGDIR_SCHEDULER "scheduler.log"
#define LOGDIR_LOCK	 "lock"	 /* locked by the dracod that uses the directory */
#define LOGDIR_SPAWN	 "spawn" /* exists when jobs must not use forkserver any more */

/* Is this the name of a log directory from logdir_make()? Pure. */
bool logdir_is_stamp(const char *name);

/* Is this the name of a file in such a directory: a log ("NAME.log", "NAME.log.1"), the lock or the
 * mark? Pure. */
bool logdir_is_own(const char *name);

/* Make the directory BASE/TIMESTAMP (0700), with a number behind it if that exists. "~/" in base is
 * the home directory. 0 with *ret_path, which the caller frees, or -errno with err. */
int logdir_make(const char *base, char **ret_path, struct err *err);

/* The last lines of a file: at most max_lines and 8 KiB, without newlines at the end, and with
 * control characters replaced. NULL: the file is empty or unreadable. The caller frees. */
char *logdir_tail(const char *path, int max_lines);

#endif
