/* slurp.h: reads a small configuration file as a whole. */
#ifndef DRACO_COMMON_SLURP_H
#define DRACO_COMMON_SLURP_H

#include <stddef.h>

struct err;

#define SLURP_MAX (1024 * 1024)

/* Read path into *ret, with a NUL after the content. The caller frees. Never blocks, not even on a
 * pipe; /dev/null is an empty file. 0. -ENOENT without err: there is no file. Otherwise -errno with
 * err, which does not name the path: the file is unreadable, not regular, larger than SLURP_MAX, or
 * writable by every user. */
int slurp(const char *path, char **ret, size_t *ret_size, struct err *err)
	__attribute__((warn_unused_result));

#endif
