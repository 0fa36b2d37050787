/* append.h: a file that whole lines are appended to, and that is begun anew when it is large.
 *
 * Each call writes with one write(2), so that lines of several processes in one file do not mix. A
 * file that has grown large is renamed to FILE.1 and replaces an older one, so there are two at
 * most. */
#ifndef DRACO_COMMON_APPEND_H
#define DRACO_COMMON_APPEND_H

#include <stdbool.h>
#include <stddef.h>

struct append;
struct err;

/* path: NULL: standard error, which is not begun anew. The file is made, with 0600, by the first
 * write, if not before by append_open(). */
struct append *append_create(const char *path, size_t size_max);
struct append *append_destroy(struct append *file);

/* Open the file, and make it if it does not exist; again: although it is open, since another one
 * may have its name. 0, or -errno with err: it goes on as it was. */
int append_open(struct append *file, bool again, struct err *err);

/* Its path, or "standard error". */
const char *append_path(const struct append *file);

/* The last line of the file is not complete: the next one begins with a newline. */
void append_set_torn(struct append *file);

/* Append lines. *ret_lost: how many of them are not in the file, or not as a whole. 0, or -errno
 * if there are any. */
int append_write(struct append *file, const char *text, size_t length, int *ret_lost);

#endif
