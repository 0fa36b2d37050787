/* process.h: the programs that dracod starts in the fake world. None is a process: each is a
 * part of this program, behind child.h, and has what a process would have: arguments,
 * variables, descriptors, a pid, and an end that dracod is told of. */
#ifndef DRACO_TESTS_FAKE_PROCESS_H
#define DRACO_TESTS_FAKE_PROCESS_H

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "common/strv.h"
#include "daemon/io/child.h"

struct loop;
struct loop_timer;
struct process;

struct process_ops {
	/* A signal came; without this function SIGTERM ends it. SIGKILL is not told. */
	void (*signalled)(struct process *process, int signal_number);
	/* It ends now: let go of whatever belongs to it. */
	void (*ended)(struct process *process);
};

struct process {
	TAILQ_ENTRY(process) link; /* all of them */
	pid_t pid;
	struct strv arguments, environment;
	int stdout_fd, stderr_fd, extra_fd; /* its own; -1: none */
	const struct process_ops *ops;	    /* NULL: those above */
	bool ended;			    /* dracod is being told */
	int status;			    /* of its end, as of waitpid(2) */
	struct loop_timer *tell;
	child_exit_fn fn; /* NULL: forgotten */
	void *arg;
};

/* End it, with a status as of waitpid(2): a number of a signal, or EXITED(N). */
#define EXITED(status) ((status) << 8)
void process_end(struct process *process, int status);

/* What the variable is in the process's environment; NULL: not there. */
const char *process_variable(const struct process *process, const char *name);

/* The argument behind this one; NULL: it is not there. */
const char *process_argument(const struct process *process, const char *before);

void process_say(int fd, const char *text);

/* How many programs of this name ("draco-slurm", "dask_scheduler", "python", "dracod") were
 * started. */
int process_count(const char *name);

/* The programs of now run in loop. */
void processes_begin(struct loop *loop);
void processes_end(void);  /* all of them, without a word; before the loop is destroyed */
void processes_free(void); /* after dracod has been destroyed */

#endif
