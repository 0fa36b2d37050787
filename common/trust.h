/* trust.h: whether a directory, a socket or a file is this user's own, before anything is sent
 * to it or done as it says.
 *
 * Paths are absolute. Each function says what is wrong in one line, which names the path. A
 * result means:
 *
 *	0	   this user's own
 *	-ENOENT	   not there (no text)
 *	-EPERM	   not to be trusted: somebody else owns it, can write it, or serves it
 *	another	   cannot be looked at, or is not what it should be
 *
 * The directories above may belong to root or to this user, and down to the home directory to
 * anybody; every user may write to them only where they are sticky, as /tmp is. A group may:
 * what a member of it can put there belongs to that member, and is noticed. A link on the way
 * must belong to root or to this user. */
#ifndef DRACO_COMMON_TRUST_H
#define DRACO_COMMON_TRUST_H

#include <jansson.h>

struct err;

/* More than dracod ever writes to a file that a client reads. */
#define TRUST_FILE_MAX (64 * 1024)

/* A directory that holds secrets: a real one (no link), of this user, closed to all others. */
int trust_directory(const char *path, struct err *err) __attribute__((warn_unused_result));

/* A socket of this user in such a directory. Who serves it, only trust_connect() can tell. */
int trust_socket(const char *path, struct err *err) __attribute__((warn_unused_result));

/* Connect to such a socket, and see that a process of this user serves it: the descriptor,
 * blocking. Nothing has been sent. -ENOENT also when nobody serves it any more. */
int trust_connect(const char *path, struct err *err) __attribute__((warn_unused_result));

/* A file of this user in such a directory: no link, regular, not for others to write. */
int trust_file(const char *path, struct err *err) __attribute__((warn_unused_result));

/* Read a JSON object of at most TRUST_FILE_MAX bytes from such a file; never waits, as a pipe
 * would make it. -EBADMSG: it is damaged. */
int trust_load(const char *path, json_t **ret, struct err *err)
	__attribute__((warn_unused_result));

#endif
