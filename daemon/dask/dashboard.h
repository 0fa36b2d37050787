/* dashboard.h: the address of Dask's dashboard.
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
	int port;      /* the planned port, with mode on; later the actual one */
	int wanted;    /* the port of first choice */
	char *socket;  /* path, with mode socket */
	bool known;    /* the scheduler has reported, and missing is valid */
	bool missing;  /* the scheduler's Python has no usable bokeh */
};

/* The preferred port of a user's cluster with this name. It is always the same. Pure. */
int dashboard_stable_port(unsigned uid, const char *name);

/* Decide the address by the settings. The port is the preferred one if that is free at this moment,
 * otherwise the next free one. 0, or -errno with err. dashboard_finish() frees. */
int dashboard_plan(struct dashboard *dashboard, const struct settings *settings,
	const char *name, const char *socket, struct err *err)
	__attribute__((warn_unused_result));
void dashboard_finish(struct dashboard *dashboard);

/* The scheduler serves the dashboard at this port (0: none). missing: it has no bokeh. */
void dashboard_set(struct dashboard *dashboard, int port, bool missing);

/* The dashboard's URL on this host; NULL: none. The caller frees. */
char *dashboard_url(const struct dashboard *dashboard);

bool dashboard_is_loopback(const struct dashboard *dashboard);

/* A remark for a person: why there is no dashboard, or that its port was taken. NULL: none. python
 * is the scheduler's. The caller frees. */
char *dashboard_note(const struct dashboard *dashboard, const char *python);

/* {mode, url, address, port, wanted_port, socket, note} */
json_t *dashboard_report(const struct dashboard *dashboard, const char *python);

#endif
