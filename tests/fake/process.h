/* process.h: the programs that dracod starts in the fake world. None is a process. Each is a part
 * of this program behind child.h, with all that a process has: arguments, variables, descriptors, a
 * pid, and an end that dracod is told of. */
#ifndef DRACO_TESTS_FAKE_PROCESS_H
#define DRACO_TESTS_FAKE_PROCESS_H

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "common/strv.h"
#include "daemon/io/child.h"
#include "daemon/policy/memory_use.h"

struct loop;
struct loop_timer;
struct process;

struct process_ops {
	/* A signal has arrived. NULL: SIGTERM ends the program. SIGKILL is never reported. */
	void (*signalled)(struct process *process, int signal_number);
	/* The program ends: release everything that belongs to it. */
	void (*ended)(struct process *process);
};

struct process {
	TAILQ_ENTRY(process) link; /* list of all programs */
	pid_t pid;
	struct strv arguments, environment;
	int stdout_fd, stderr_fd, extra_fd; /* the program's own; -1: none */
	const struct process_ops *ops;	    /* NULL: SIGTERM ends it */
	bool ended;			    /* dracod will be told soon */
	int status;			    /* as from waitpid(2) */
	struct loop_timer *tell;
	child_exit_fn fn; /* NULL: dracod has forgotten it */
	void *arg;
};

/* End the program with a status as from waitpid(2): a signal's number, or EXITED(N). */
#define EXITED(status) ((status) << 8)
void process_end(struct process *process, int status);

/* The value of a variable in the program's environment; NULL: not set. */
const char *process_variable(const struct process *process, const char *name);

/* The argument after this one; NULL: none. */
const char *process_argument(const struct process *process, const char *before);

void process_say(int fd, const char *text);

/* How many programs with this name ("draco-slurm", "dask_scheduler", "python", "dracod") were
 * started. */
int process_count(const char *name);

/* What the kernel says of the memory of each program (all zero: nothing), and how many it has
 * killed for memory. */
extern struct memory_use process_memory;
extern int64_t process_kills;

/* Programs started from now on run in loop. */
void processes_begin(struct loop *loop);
void processes_end(void);   /* ends all silently, before the loop is destroyed */
void processes_leave(void); /* dracod is killed: it is told of no end any more */
void processes_free(void);  /* call it after dracod was destroyed */

#endif
