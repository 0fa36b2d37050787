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
	bool exact; /* name is that of a state directory; otherwise it is searched */
	/* The Slurm to serve, as slurm_site_encode() writes it; NULL: not known. */
	const json_t *slurm;
	const char *log_file; /* NULL: standard error */
	int64_t stay_ms;      /* end after so long without a cluster and a client; 0: never */
	int debug;
	int ready_fd; /* gets one line once dracod serves or has failed; -1: none */
};

/* Make all parts and begin to serve. NULL with err. */
struct daemon *daemon_create(const struct daemon_options *options, struct err *err);
struct daemon *daemon_destroy(struct daemon *daemon);

/* The event loop of all parts. A test can add to it. */
struct loop *daemon_loop(struct daemon *daemon);

/* Serve until asked to end. 0 or -errno. */
int daemon_run(struct daemon *daemon);

/* Has it left its cluster to the next dracod? Then the process must exit with DAEMON_LEFT, and
 * without daemon_destroy(), which would end what is left. */
bool daemon_has_left(const struct daemon *daemon);

/* The unit of systemd starts dracod again after this status. */
#define DAEMON_LEFT 85

#endif
