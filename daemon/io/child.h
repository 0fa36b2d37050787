/* child.h: the processes that dracod starts, and their ends. */
#ifndef DRACO_DAEMON_IO_CHILD_H
#define DRACO_DAEMON_IO_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/io/execute.h"

struct children;
struct err;
struct loop;
struct child;

/* Called once, from the loop, when the process has ended. status: as from waitpid(2). The child is
 * freed afterwards. */
typedef void (*child_exit_fn)(void *arg, int status);

/* The processes are started by dracod itself or, where the variable DRACO_STARTER is set, by the
 * starter at that socket: starter.h. */
struct children *children_create(struct loop *loop);
struct children *children_destroy(struct children *children); /* forgets them, and kills none */

/* Start a process. NULL with err: it could not be executed. The caller keeps the descriptors.
 *
 * Whatever needs the file system of the program, of its directory or of its log is done by the new
 * process. dracod waits for it for a moment only. If the program then turns out not to be
 * executable, that is the end of the process: child_not_executed(). */
struct child *child_start(struct children *children, const struct child_spec *spec,
	child_exit_fn fn, void *arg, struct err *err);

/* Look after a process that another dracod has started. It must have a session of its own. fn gets
 * CHILD_STATUS_UNKNOWN, as only its parent learns how it ended. NULL: there is no such process. */
struct child *child_adopt(struct children *children, pid_t pid, child_exit_fn fn, void *arg);

#define CHILD_STATUS_UNKNOWN (-1)

pid_t child_pid(const struct child *child);

/* Send a signal to the process, or to its whole group if it has a session of its own. */
void child_signal(struct child *child, int signal_number);

/* Do not call fn any more. The end of the process is still awaited. */
void child_forget(struct child *child);

/* The errno for which the process has not executed its program; 0: it has. */
int child_not_executed(int status);

/* Write the status for a person into buffer: "exited with status 1", "was ended by signal 9
 * (Killed)". Returns buffer. */
#define CHILD_STATUS_MAX 96
char *child_format_status(int status, char buffer[CHILD_STATUS_MAX]);

#endif
