/* dashboard.h: where Dask's dashboard is served, and whether it is.
 *
 *	on	at a TCP port, by default of the loopback interface
 *	socket	at a Unix socket in the runtime directory, which no other user can open
 *	off	nowhere: no port and no socket
 */
#ifndef DRACO_DAEMON_DASK_DASHBOARD_H
#define DRACO_DAEMON_DASK_DASHBOARD_H

#include <jansson.h>
#include <stdbool.h>

#include "common/settings.h"

struct err;

struct dashboard {
	enum dashboard_mode mode;
	char *address; /* IPv4 */
	int port;      /* where it shall be, with mode on; then where it is */
	int wanted;    /* the port that was the first choice */
	char *socket;  /* path, with mode socket */
	bool known;    /* the scheduler has told about it: */
	bool missing;  /* ... that the scheduler's Python has no usable bokeh */
};

/* The port that belongs to a user's cluster of this name, the same every time. Pure. */
int dashboard_stable_port(unsigned uid, const char *name);

/* Decide by the settings: the port is free at this moment, or the next one that is. 0, or a
 * negative errno with err. dashboard_finish() frees. */
int dashboard_plan(struct dashboard *dashboard, const struct settings *settings,
	const char *name, const char *socket, struct err *err)
	__attribute__((warn_unused_result));
void dashboard_finish(struct dashboard *dashboard);

/* The scheduler serves it at this port (0: none), with or without bokeh. */
void dashboard_set(struct dashboard *dashboard, int port, bool missing);

/* The address for a browser on this host; NULL when there is none. The caller frees. */
char *dashboard_url(const struct dashboard *dashboard);

bool dashboard_is_loopback(const struct dashboard *dashboard);

/* What a person should know: why there is none, a port that was taken; NULL when there is nothing.
 * python is the scheduler's. The caller frees. */
char *dashboard_note(const struct dashboard *dashboard, const char *python);

/* {mode, url, address, port, wanted_port, socket, note} */
json_t *dashboard_report(const struct dashboard *dashboard, const char *python);

#endif
