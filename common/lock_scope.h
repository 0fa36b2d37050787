/* lock_scope.h: tells from its file system who can see the lock of a file. */
#ifndef DRACO_COMMON_LOCK_SCOPE_H
#define DRACO_COMMON_LOCK_SCOPE_H

enum lock_scope {
	LOCK_SCOPE_UNKNOWN, /* not known: a free lock proves nothing on another host */
	LOCK_SCOPE_HOST,    /* the programs of one host only */
	LOCK_SCOPE_ALL,	    /* all programs that can see the file */
};

/* The scope for a type of file system and its mount options, separated by commas, as in
 * /proc/self/mountinfo. Pure. */
enum lock_scope lock_scope_judge(const char *type, const char *options);

/* The scope for an open file. ret_type gets the file system's type; "?": not known. */
#define LOCK_SCOPE_TYPE_MAX 64
enum lock_scope lock_scope_of(int fd, char ret_type[LOCK_SCOPE_TYPE_MAX]);

/* The scope's name in files: "all", "host", "unknown". An undefined name counts as "unknown". */
const char *lock_scope_name(enum lock_scope scope);
enum lock_scope lock_scope_find(const char *name);

#endif
