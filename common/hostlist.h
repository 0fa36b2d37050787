/* hostlist.h: expands Slurm's lists of hosts, such as "n[1-3,07],m5". Pure. */
#ifndef DRACO_COMMON_HOSTLIST_H
#define DRACO_COMMON_HOSTLIST_H

#include <stddef.h>

struct strv;

/* Add the single names of the list, at most limit of them. 0, or -EINVAL if the text has another
 * form, or -E2BIG; then ret has the names before that. */
int hostlist_expand(const char *text, size_t limit, struct strv *ret)
	__attribute__((warn_unused_result));

#endif
