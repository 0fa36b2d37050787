/* dashboard.c: the address of Dask's dashboard. */
#include "daemon/dask/dashboard.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "common/paths.h"
#include "common/port.h"

/* Below the scheduler's ports (common/port.c) and the ports of outgoing connections. */
#define PORT_FIRST 10000
#define PORT_COUNT 10000

static const char *const mode_names[] = {
	[DASHBOARD_ON] = "on",
	[DASHBOARD_SOCKET] = "socket",
	[DASHBOARD_OFF] = "off",
};

/* FNV-1a */
static uint32_t hash(uint32_t state, const void *data, size_t length)
{
	const unsigned char *byte = data;

	for (size_t i = 0; i < length; i++)
		state = (state ^ byte[i]) * 16777619u;
	return state;
}

int dashboard_stable_port(unsigned uid, const char *name)
{
	unsigned char bytes[] = {uid & 0xff, uid >> 8 & 0xff, uid >> 16 & 0xff, uid >> 24};
	uint32_t state = hash(2166136261u, bytes, sizeof(bytes));

	if (strcmp(name, PATHS_NAME_DEFAULT) != 0)
		state = hash(state, name, strlen(name));
	return PORT_FIRST + (int)((state ^ state >> 16) % PORT_COUNT);
}

/* A free port: of the range from *wanted to last, which *wanted is set to; or *wanted, or else the
 * next one. */
static int choose_port(
	const char *address, int last, const char *name, int *wanted, struct err *err)
{
	int port;

	if (last <= *wanted)
		return port_next(address, *wanted, err);
	port = port_choose_in(address, *wanted, last, name, err);
	if (port > 0)
		*wanted = port;
	return port;
}

int dashboard_plan(struct dashboard *dashboard, const struct settings *settings,
	const char *name, const char *socket, struct err *err)
{
	int first, last, wanted, port = 0;

	dashboard_finish(dashboard);
	settings_ports(settings, SETTING_DASHBOARD_PORT, &first, &last);
	wanted = first ? first : dashboard_stable_port(getuid(), name);
	if (settings->dashboard == DASHBOARD_ON) {
		port = choose_port(settings->dashboard_address, last, name, &wanted, err);
		if (port < 0) {
			if (port == -EADDRINUSE)
				err_prefix(err, "dashboard_port %s", settings->dashboard_port);
			else
				err_prefix(err, "dashboard_address");
			return port;
		}
	}
	dashboard->mode = settings->dashboard;
	dashboard->address = xstrdup(settings->dashboard_address);
	dashboard->port = port;
	dashboard->wanted = wanted;
	if (dashboard->mode == DASHBOARD_SOCKET)
		dashboard->socket = xstrdup(socket);
	return 0;
}

void dashboard_finish(struct dashboard *dashboard)
{
	if (dashboard->socket)
		unlink(dashboard->socket);
	free(dashboard->socket);
	free(dashboard->address);
	*dashboard = (struct dashboard){.mode = DASHBOARD_OFF};
}

void dashboard_set(struct dashboard *dashboard, int port, bool missing)
{
	dashboard->known = true;
	dashboard->missing = missing;
	if (dashboard->mode != DASHBOARD_ON)
		return;
	dashboard->port = port;
	if (port != dashboard->wanted)
		log_warning("dashboard: port %d is taken, so it is at port %d",
			dashboard->wanted, port);
}

bool dashboard_is_loopback(const struct dashboard *dashboard)
{
	return strncmp(dashboard->address, "127.", 4) == 0;
}

static bool is_served(const struct dashboard *dashboard)
{
	return dashboard->known && !dashboard->missing;
}

char *dashboard_url(const struct dashboard *dashboard)
{
	const char *address = dashboard->address;

	if (!is_served(dashboard) || dashboard->mode != DASHBOARD_ON || !dashboard->port)
		return NULL;
	if (strcmp(address, "0.0.0.0") == 0)
		address = "127.0.0.1";
	return xasprintf("http://%s:%d/status", address, dashboard->port);
}

char *dashboard_note(const struct dashboard *dashboard, const char *python)
{
	if (dashboard->mode == DASHBOARD_OFF)
		return xstrdup("it is switched off (setting dashboard)");
	if (!dashboard->known)
		return NULL;
	if (dashboard->missing)
		return xasprintf(
			"%s has no bokeh that fits its distributed (pip install bokeh there, then "
			"stop and start)",
			python ? python : "the scheduler's Python");
	if (dashboard->mode != DASHBOARD_ON)
		return NULL;
	if (dashboard->port != dashboard->wanted)
		return xasprintf(
			"port %d is taken by another program, so the dashboard is at port %d",
			dashboard->wanted, dashboard->port);
	return NULL;
}

json_t *dashboard_report(const struct dashboard *dashboard, const char *python)
{
	_cleanup_free_ char *url = dashboard_url(dashboard);
	_cleanup_free_ char *note = dashboard_note(dashboard, python);
	bool served = is_served(dashboard);

	return json_pack("{s:s, s:o, s:o, s:o, s:i, s:o, s:o}", "mode",
		mode_names[dashboard->mode], "url", json_text(url), "address",
		json_text(url ? dashboard->address : NULL), "port",
		url ? json_integer(dashboard->port) : json_null(), "wanted_port",
		dashboard->wanted, "socket", json_text(served ? dashboard->socket : NULL),
		"note", json_text(note));
}
