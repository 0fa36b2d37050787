/* jobscript_fixture.h: what the tests that run the job script share: bash runs it, with a
 * stand-in for Python that does what a test tells it by the variable STAND_IN. */
#ifndef DRACO_TESTS_JOBSCRIPT_FIXTURE_H
#define DRACO_TESTS_JOBSCRIPT_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/dask/jobscript.h"

#define PATIENCE_MS 120000

/* Waits to be ended: notes each signal, and ends with status 5. */
#define UNTIL_TERMINATED                                               \
	"trap 'echo TERM >>\"$TEST/signals\"; kill $!; exit 5' TERM\n" \
	"touch \"$TEST/ready\"\n"                                      \
	"sleep 300 & wait\n"

extern char *directory;	     /* of the test; TEST in the script */
extern char *temporary;	     /* TMPDIR of the job */
extern struct jobscript job; /* a right one; a test changes it before start() */

void jobscript_setup(void);
void jobscript_teardown(void);

/* A program in the directory; returns its path. The caller frees. */
char *put_program(const char *where, const char *name, const char *text);

/* Start the script as Slurm does, with the variables (NULL ends them) besides the usual ones. */
pid_t start(const char *const *variables);
#define START(...) start((const char *const[]){__VA_ARGS__, NULL})

/* The path of a file in the test's directory, and its content. The caller frees. */
char *in_directory(const char *name);
char *content(const char *name);
bool exists(const char *name);
void check_content(const char *name, const char *expected);

/* The output of the script holds this text. */
void check_said(const char *expected);

void pause_a_little(void);
int64_t now_ms(void);
void wait_for_file(const char *name);

/* The pid of the stand-in, as soon as it has noted that. */
pid_t stand_in_pid(void);

int count_entries(const char *path);

/* The script ends with the status as a shell has it (128 + signal; -1: any), and TMPDIR is
 * empty. */
void check_end(pid_t pid, int expected);

#endif
