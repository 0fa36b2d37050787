/* logdir.h: the directories with the logs of one start each, and the ends of logs.
 *
 *	BASE/2026-11-25T09:30:00/	daemon.log scheduler.log job-ID.log, and lock while in use;
 *					spawn, where forkserver did not work
 */
#ifndef DRACO_COMMON_LOGDIR_H
#define DRACO_COMMON_LOGDIR_H

#include <stdbool.h>

struct err;

#define LOGDIR_DAEMON	 "daemon.log"
#define LOGDIR_SCHEDULER "scheduler.log"
#define LOGDIR_LOCK	 "lock"	 /* held by the dracod that uses the directory */
#define LOGDIR_SPAWN	 "spawn" /* made when jobs shall not use forkserver any more */

/* Is this the name of such a directory, as logdir_make() gives it? Pure. */
bool logdir_is_stamp(const char *name);

/* Is this the name of a log in it ("NAME.log", "NAME.log.1"), its lock or its mark? Pure. */
bool logdir_is_own(const char *name);

/* Make the directory BASE/TIMESTAMP (0700; "~/" in base is the home directory), with a number
 * behind it when that exists. 0 with *ret_path, which the caller frees. */
int logdir_make(const char *base, char **ret_path, struct err *err);

/* The last lines of a file, at most max_lines and 8 KiB, without trailing newlines and with control
 * characters replaced; NULL when it is empty or cannot be read. The caller frees. */
char *logdir_tail(const char *path, int max_lines);

#endif
