/* starter.h: starts processes by a process that systemd runs for dracod, outside dracod's sandbox.
 *
 * A connection to the socket of draco-starter.socket is one starter (starter_main.h), which ends
 * with it. The next connection is a new process, so a starter that was killed, or that hangs, is
 * replaced at the next start. */
#ifndef DRACO_DAEMON_IO_STARTER_H
#define DRACO_DAEMON_IO_STARTER_H

#include <sys/types.h>

struct child_spec;
struct err;
struct loop;
struct starter;
struct strv;

/* The variable that the unit of dracod sets: the path of the socket. */
#define STARTER_VARIABLE "DRACO_STARTER"

struct starter_ops {
	void (*ended)(void *arg, pid_t pid, int status);
	/* Nothing is told of the processes so far any more, and no signal sent to them. */
	void (*lost)(void *arg);
};

struct starter *starter_create(
	struct loop *loop, const char *path, const struct starter_ops *ops, void *arg);
struct starter *starter_destroy(struct starter *starter);

/* Make a process for the program. It is waited for, for STARTER_WAIT_MS at most. *ret_report is
 * closed by the other side when the process has executed the program, after an int, the errno, when
 * it cannot. Returns the pid, or -errno with err. */
pid_t starter_start(struct starter *starter, const struct child_spec *spec,
	const struct strv *paths, int *ret_report, struct err *err);

/* Send a signal to a process, or to the group -pid. It may have ended. */
void starter_signal(struct starter *starter, pid_t pid, int signal_number);

#endif
