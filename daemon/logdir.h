/* logdir.h: the directory with the logs of one start, and the ends of logs. */
#ifndef DRACO_DAEMON_LOGDIR_H
#define DRACO_DAEMON_LOGDIR_H

#include <stddef.h>

struct err;

/* Make the directory BASE/TIMESTAMP (0700; "~/" in base is the home directory), with a number behind
 * it when that exists. 0 with *ret_path, which the caller frees. */
int logdir_make(const char *base, char **ret_path, struct err *err);

/* The last lines of a file, at most max_lines and 8 KiB, without trailing newlines and with control
 * characters replaced; NULL when it is empty or cannot be read. The caller frees. */
char *logdir_tail(const char *path, int max_lines);

#endif
