/* follow.h: prints the last lines of a file, and lines that are added to it. */
#ifndef DRACO_CLIENT_FOLLOW_H
#define DRACO_CLIENT_FOLLOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct err;

/* Print the last lines. 0, or -errno with err: the file is unreadable. */
int follow_show(const char *path, int64_t lines, struct err *err);

/* Print the last lines, then added ones, until standard output is closed. Waits for a file that
 * does not exist yet.
 *
 * If the path names another file later (a new log, or a link with a new target), the rest of the
 * old file is printed, then the new file. tell: report that on standard error. */
int follow_on(const char *path, int64_t lines, bool tell, struct err *err);

/* The last lines as an array of strings. NULL with err. */
json_t *follow_read(const char *path, int64_t lines, struct err *err);

/* Does another program still read standard output? Waits up to wait_ms to find out. */
bool output_is_read(int wait_ms);

#endif
