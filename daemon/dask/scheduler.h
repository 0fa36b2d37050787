/* scheduler.h: the Dask scheduler as a supervised process.
 *
 *	STOPPED -> STARTING -> UP -> (exit) -> BACKOFF -> STARTING; STOPPING -> STOPPED
 */
#ifndef DRACO_DAEMON_DASK_SCHEDULER_H
#define DRACO_DAEMON_DASK_SCHEDULER_H

#include <jansson.h>
#include <stdint.h>

#include "common/settings.h"
#include "common/strv.h"

struct children;
struct err;
struct loop;
struct memory_use;
struct paths;
struct scheduler;

#define SCHEDULER_STOP_GRACE_MS 6000 /* after this it is killed */

enum scheduler_state {
	SCHEDULER_STOPPED,
	SCHEDULER_STARTING, /* the process runs; its preload has not said hello */
	SCHEDULER_UP,
	SCHEDULER_BACKOFF,  /* it has ended by itself and will be started again */
	SCHEDULER_STOPPING, /* it was asked to end */
};

struct scheduler_ops {
	/* The state has changed. */
	void (*changed)(void *arg);
	/* It has failed too often, or was never UP, and is STOPPED now. Its log has details. */
	void (*failed)(void *arg, const struct err *err);
};

struct scheduler_spec {
	char *python; /* a command for argv_split() */
	char *cluster_id;
	char *host; /* the IPv4 address to listen at */
	int port;
	bool tls; /* the environment contains the certificate's variables */
	enum dashboard_mode dashboard;
	char *dashboard_address; /* "ADDRESS:PORT", with DASHBOARD_ON */
	char *dashboard_socket;	 /* path, with DASHBOARD_SOCKET */
	char *log_path;
	char *directory; /* its working directory */
	int64_t timeout_ms;
	int64_t silence_ms; /* an adopted one may be silent for so long; 0: without limit */
	struct strv environment;
	struct strv options; /* further arguments */
	bool fair_share;     /* between programs */
};

void scheduler_spec_finish(struct scheduler_spec *spec);

/* preload is the path of draco_scheduler.py, which connects to the dask_socket of paths. All
 * arguments must outlive the result. */
struct scheduler *scheduler_create(struct loop *loop, struct children *children,
	const char *preload, const struct paths *paths, const struct scheduler_ops *ops,
	void *arg);
struct scheduler *scheduler_destroy(struct scheduler *scheduler); /* kills the process */

/* Start it, and take over the contents of spec. It must be STOPPED. */
void scheduler_start(struct scheduler *scheduler, struct scheduler_spec *spec);

/* Go on with a process that another dracod has started from such a spec, whose contents are taken
 * over. It is UP, since this loop time, and its preload has time to connect. Returns false, with
 * nothing changed, if there is no such process. It must be STOPPED. */
bool scheduler_adopt(
	struct scheduler *scheduler, struct scheduler_spec *spec, int pid, int64_t since_ms);

/* End it by SIGTERM, and after SCHEDULER_STOP_GRACE_MS by SIGKILL. changed() tells when it is
 * STOPPED. */
void scheduler_stop(struct scheduler *scheduler);

/* Kill the process, which is then started again as after a crash. why: "has not answered ...". */
void scheduler_kill(struct scheduler *scheduler, const char *why);

/* A preload has said hello. 0: the scheduler is UP. -EPERM with err: the preload belongs to another
 * process. */
int scheduler_hello(struct scheduler *scheduler, const json_t *hello, struct err *err);

/* The preload's connection has ended. */
void scheduler_lost(struct scheduler *scheduler);

enum scheduler_state scheduler_state(const struct scheduler *scheduler);
const char *scheduler_state_name(enum scheduler_state state);
int64_t scheduler_since_ms(
	const struct scheduler *scheduler); /* loop time at which the state began */
const char *scheduler_address(
	const struct scheduler *scheduler); /* "tls://HOST:PORT"; "" if none */
const char *scheduler_log_path(
	const struct scheduler *scheduler); /* NULL before the first start */
const char *scheduler_distributed(
	const struct scheduler *scheduler);	      /* its version; "" if none */
int scheduler_pid(const struct scheduler *scheduler); /* 0: none */

/* Look at its memory, and at what is left for it. When the kernel ends it for memory, its failure
 * tells what was seen last. Borrowed; all zero: nothing is known. */
const struct memory_use *scheduler_look(struct scheduler *scheduler);
const struct memory_use *scheduler_memory(const struct scheduler *scheduler); /* seen last */

/* The cgroup of the systemd unit that holds the process alone, seen last. NULL: there is none. */
const char *scheduler_unit_directory(const struct scheduler *scheduler);

/* How the kernel has ended the last process for memory, for a person. NULL: it did not. */
const char *scheduler_memory_end(const struct scheduler *scheduler);

#endif
