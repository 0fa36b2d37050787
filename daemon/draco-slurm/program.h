/* program.h: runs another program to its end, or to a deadline. */
#ifndef DRACO_DAEMON_DRACO_SLURM_PROGRAM_H
#define DRACO_DAEMON_DRACO_SLURM_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct strv;

#define PROGRAM_TEXT_MAX (64 * 1024)

struct program {
	/* What to run. */
	const char *path, *name;
	const struct strv *arguments; /* behind the name */
	const struct strv *environment;
	const char *directory; /* where it can be entered; else "/" */
	const char *input;
	int64_t deadline_ms;
	/* In the new process, before the program: may change what it inherits. NULL: nothing. */
	void (*prepare)(const void *arg);
	const void *prepare_arg;
	/* Is what it has written to standard error so far a reason to end it? NULL: never. */
	bool (*enough)(const char *words);

	/* What became of it. */
	char out[PROGRAM_TEXT_MAX], words[PROGRAM_TEXT_MAX]; /* what it wrote; more is lost */
	bool ended;   /* by itself, with status as of waitpid(2): else by us */
	bool stopped; /* because of its words */
	int status;
};

/* Run it in a process group of its own, which is killed at the deadline; it also dies with this
 * process. A negative errno with err when it could not be executed: then nothing has run. */
int program_run(struct program *program, struct err *err) __attribute__((warn_unused_result));

#endif
