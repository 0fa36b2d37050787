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
	struct strv environment;
	struct strv options; /* further arguments */
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

/* End it by SIGTERM, and after SCHEDULER_STOP_GRACE_MS by SIGKILL. changed() tells when it is
 * STOPPED. */
void scheduler_stop(struct scheduler *scheduler);

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

#endif
