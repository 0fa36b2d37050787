/* follow.h: a file from its last lines on, and what is added to it, on standard output. */
#ifndef DRACO_CLIENT_FOLLOW_H
#define DRACO_CLIENT_FOLLOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct err;

/* Write the last lines. -errno with err when the file cannot be read. */
int follow_show(const char *path, int64_t lines, struct err *err);

/* The same, and then what is added, until standard output is not read any more. A file that is
 * not there yet is waited for. When another file takes its name (a log that was begun anew, or
 * a link that points elsewhere), the rest of the old one is written and then the new one; tell
 * says so on standard error. */
int follow_on(const char *path, int64_t lines, bool tell, struct err *err);

/* The last lines as an array of strings; NULL with err. */
json_t *follow_read(const char *path, int64_t lines, struct err *err);

/* Is standard output still read by somebody? Waits for up to wait_ms to find out. */
bool output_is_read(int wait_ms);

#endif
