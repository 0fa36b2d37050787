/* program.h: runs another program until it ends, or until a deadline. */
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
	/* Input of program_run(). */
	const char *path, *name;
	const struct strv *arguments; /* after the name */
	const struct strv *environment;
	const char *directory; /* the working directory if it can be entered, otherwise "/" */
	const char *input;
	size_t out_max; /* bytes of standard output; 0: PROGRAM_TEXT_MAX */
	int64_t deadline_ms;
	/* Called in the new process before the program starts, to change inherited state; NULL:
	 * nothing. */
	void (*prepare)(const void *arg);
	const void *prepare_arg;
	/* Called with standard error so far. Returns whether to end the program now. NULL:
	 * never. */
	bool (*enough)(const char *words);

	/* Output of program_run(). */
	char *out;		      /* standard output */
	bool truncated;		      /* ... of which the rest is missing */
	char words[PROGRAM_TEXT_MAX]; /* standard error, truncated */
	size_t out_used, out_size;    /* of out: without its NUL, and allocated */
	bool ended;		      /* it ended by itself; status as from waitpid(2) */
	bool stopped;		      /* it was ended because of enough() */
	int status;
};

/* The program in the first absolute directory of path that has it. One below the directory avoid
 * (NULL: none) counts only if there is no other. NULL: none. The caller frees. */
char *program_find(const char *name, const char *path, const char *avoid);

/* Run the program in a process group of its own. The group is killed at the deadline; the program
 * also dies with this process. -errno with err: it could not be executed, and nothing has run. Call
 * program_finish() in both cases. */
int program_run(struct program *program, struct err *err) __attribute__((warn_unused_result));
void program_finish(struct program *program);

#endif
