/* trust.h: checks that a directory, a socket or a file is this user's own, before a program sends
 * anything to it or follows its content.
 *
 * Paths are absolute. Each function describes a fault in one line, which names the path. The
 * results are:
 *
 *	0	   this user's own (or a descriptor)
 *	-ENOENT	   it does not exist (err has no text)
 *	-EPERM	   not to be trusted: another user owns it, can write to it, or serves it
 *	another	   it cannot be examined, or it is of the wrong kind
 *
 * The directories above must belong to root or to this user; those down to the home directory may
 * belong to anybody. Only a sticky one, such as /tmp, may be writable by all users. A directory
 * may be writable by a group: files of a member belong to that member, so they are noticed. A link
 * on the way must belong to root or to this user. */
#ifndef DRACO_COMMON_TRUST_H
#define DRACO_COMMON_TRUST_H

#include <jansson.h>

struct err;

/* Larger than any file that dracod writes for clients. */
#define TRUST_FILE_MAX (64 * 1024)

/* A directory that holds secrets: a real directory (no link) of this user, closed to all others. */
int trust_directory(const char *path, struct err *err) __attribute__((warn_unused_result));

/* A socket of this user in such a directory. Only trust_connect() can tell which user serves it. */
int trust_socket(const char *path, struct err *err) __attribute__((warn_unused_result));

/* Connect to such a socket, and check that a process of this user serves it. Nothing has been sent
 * when this returns. Returns the descriptor, blocking. -ENOENT: also if no process serves it any
 * more. */
int trust_connect(const char *path, struct err *err) __attribute__((warn_unused_result));

/* A file of this user in such a directory: regular, no link, and not writable by others. */
int trust_file(const char *path, struct err *err) __attribute__((warn_unused_result));

/* Read a JSON object of at most TRUST_FILE_MAX bytes from such a file. Never blocks, not even on a
 * pipe. -EBADMSG: the content is damaged. */
int trust_load(const char *path, json_t **ret, struct err *err)
	__attribute__((warn_unused_result));

#endif
