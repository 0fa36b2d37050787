/* slurp.h: a small file of somebody's configuration, read as a whole. */
#ifndef DRACO_COMMON_SLURP_H
#define DRACO_COMMON_SLURP_H

#include <stddef.h>

struct err;

#define SLURP_MAX (1024 * 1024)

/* Read path into *ret, ended by a NUL besides; the caller frees. Never waits, as a pipe would
 * make it; /dev/null is an empty file. 0; -ENOENT without err when there is none; else a
 * negative errno with err, which does not name the path: not readable, no regular file, larger
 * than SLURP_MAX, open to the writing of every user. */
int slurp(const char *path, char **ret, size_t *ret_size, struct err *err)
	__attribute__((warn_unused_result));

#endif
