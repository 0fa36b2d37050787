/* daemon.h: dracod as a whole. */
#ifndef DRACO_DAEMON_DAEMON_H
#define DRACO_DAEMON_DAEMON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct daemon;
struct err;
struct loop;

struct daemon_options {
	const char *name;
	bool exact;	     /* name is that of a state directory: else it is looked for */
	const json_t *slurm; /* of which Slurm, as slurm_site_encode() has it; NULL: not told */
	const char *log_file; /* NULL: standard error */
	int64_t stay_ms;      /* end after so long without cluster and client; 0: never */
	int debug;
	int ready_fd; /* told when dracod serves or cannot; -1: nobody is */
};

/* Make everything and begin to serve. NULL with err. */
struct daemon *daemon_create(const struct daemon_options *options, struct err *err);
struct daemon *daemon_destroy(struct daemon *daemon);

/* In which all of it runs: a test lets other things run there, too. */
struct loop *daemon_loop(struct daemon *daemon);

/* Serve until told to end; 0 or -errno. */
int daemon_run(struct daemon *daemon);

#endif
