/* lock_scope.h: by whom the lock of a file is seen, according to the file system that it is on. */
#ifndef DRACO_COMMON_LOCK_SCOPE_H
#define DRACO_COMMON_LOCK_SCOPE_H

enum lock_scope {
	LOCK_SCOPE_UNKNOWN, /* nobody can tell: a free lock proves nothing on another host */
	LOCK_SCOPE_HOST,    /* by the programs of one host only */
	LOCK_SCOPE_ALL,	    /* by everybody who sees the file */
};

/* By the file system's type and the options of its mount, separated by commas, as
 * /proc/self/mountinfo has them. Pure. */
enum lock_scope lock_scope_judge(const char *type, const char *options);

/* Of an open file. ret_type is the file system's type, "?" where it is not known. */
#define LOCK_SCOPE_TYPE_MAX 64
enum lock_scope lock_scope_of(int fd, char ret_type[LOCK_SCOPE_TYPE_MAX]);

/* For files: "all", "host", "unknown". A name that there is not is "unknown". */
const char *lock_scope_name(enum lock_scope scope);
enum lock_scope lock_scope_find(const char *name);

#endif
