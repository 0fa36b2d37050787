/* starter_msg.h: what dracod and its starter say to each other. Pure.
 *
 * The connection is of type SOCK_SEQPACKET, a message of text each:
 *
 *	start			from dracod, with one end of a socket pair: make a process
 *	signal PID NUMBER	from dracod, to a process that was made so; -PID: to its group
 *	ended PID STATUS	to dracod, as from waitpid(2), before PID is used again
 *
 * The new process and dracod speak by the socket pair. The process writes its pid (an int), or
 * the starter minus an errno. dracod sends a request, with the descriptors, and shuts its side
 * down: a process whose request is not whole does not execute. Then the process closes its
 * side by executing the program, or writes the errno (an int) for which it cannot.
 *
 * A request is a list of strings, each with its NUL: STARTER_PROTOCOL; its flags; the numbers of
 * paths, arguments and variables; those; the directory; the log. */
#ifndef DRACO_DAEMON_IO_STARTER_MSG_H
#define DRACO_DAEMON_IO_STARTER_MSG_H

#include <stddef.h>

#include "common/strv.h"
#include "daemon/io/execute.h"

#define STARTER_PROTOCOL    "draco-starter-1"
#define STARTER_REQUEST_MAX (16 * 1024 * 1024) /* a program has less room for its arguments */
#define STARTER_FDS_MAX	    3
#define STARTER_TEXT_MAX    64 /* of other messages, with a NUL */

struct starter_request {
	struct child_spec spec; /* its pointers are to the lists below, and into the text */
	struct strv paths, argv, envp;
};

/* The text of a request. The descriptors are sent in the order of ret_fds. The caller frees. */
char *starter_msg_encode(const struct child_spec *spec, const struct strv *paths,
	size_t *ret_length, int ret_fds[STARTER_FDS_MAX], size_t *ret_count);

/* 0; -EPROTO: it is of another version; -EBADMSG: it is not whole. *ret must be empty, and is to be
 * finished in each case. */
int starter_msg_decode(const char *text, size_t length, const int *fds, size_t count,
	struct starter_request *ret);

void starter_request_finish(struct starter_request *request);

#endif
