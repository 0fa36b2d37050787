/* execute.h: a new process becomes the program that it was made for. */
#ifndef DRACO_DAEMON_IO_EXECUTE_H
#define DRACO_DAEMON_IO_EXECUTE_H

#include <stdbool.h>
#include <sys/types.h>

struct strv;

struct child_spec {
	char *const *argv;     /* argv[0] is the path, or a name to be searched */
	const char *search;    /* where: a value of PATH; NULL: argv[0] is the path */
	char *const *envp;     /* NULL: dracod's own */
	const char *directory; /* working directory; NULL: dracod's own */
	bool root_else;	       /* "/", should that be none */
	const char *log;  /* standard output and error are appended to this file; NULL: no */
	int stdout_fd;	  /* -1: /dev/null. Standard input is always /dev/null */
	int stderr_fd;	  /* -1: /dev/null */
	int extra_fd;	  /* becomes descriptor 3; -1: none */
	bool own_session; /* setsid(): no signal to dracod's terminal or group reaches it */
	bool die_with_us; /* SIGKILL when dracod dies */
};

#define EXECUTE_FDS 4 /* the program has descriptors below this one */

/* The paths that the program may have. Reads no file system. */
void execute_paths(const struct child_spec *spec, struct strv *ret);

/* Try the paths in turn, as execvp(3) does; they take the place of argv[0]. parent: the process
 * that has made this one. Only async-signal-safe calls. Returns an errno, or does not return. */
int execute(const struct child_spec *spec, char *const *paths, char **argv, pid_t parent);

#endif
