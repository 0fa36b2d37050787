/* cmd_dashboard.c: dracoctl dashboard: the dashboard's URL, and how to reach it from another
 * machine. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/ask.h"
#include "client/ctl.h"
#include "client/need.h"
#include "client/output.h"
#include "client/request.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/rendezvous.h"

/* USER@HOST of dracod's host, for ssh. The caller frees. */
static char *own_login(const char *host)
{
	const struct passwd *user = getpwuid(getuid());

	return user ? xasprintf("%s@%s", user->pw_name, host) : xstrdup(host);
}

/* The ssh command that forwards the dashboard to the same port of the user's own machine. The
 * caller frees. */
static char *ssh_command(const json_t *dashboard, const char *host, int port)
{
	const char *socket = json_get_text(dashboard, "socket", NULL);
	const char *address = json_get_text(dashboard, "address", "127.0.0.1");
	_cleanup_free_ char *login = own_login(rendezvous_is_host(host) ? host : "localhost");

	if (socket)
		return xasprintf("ssh -N -L %d:%s %s", port, socket, login);
	if (strcmp(address, "0.0.0.0") == 0)
		address = "127.0.0.1";
	return xasprintf("ssh -N -L %d:%s:%d %s", port, address, port, login);
}

/* The dashboard's path on a JupyterHub whose server runs on dracod's host. The caller frees. */
static char *hub_path(const json_t *dashboard, int port)
{
	const char *prefix = getenv("JUPYTERHUB_SERVICE_PREFIX");

	if (json_get_text(dashboard, "socket", NULL))
		return NULL; /* the hub's proxy only knows ports */
	return xasprintf("%sproxy/%d/status", prefix && *prefix ? prefix : "/", port);
}

static void print_line(const char *label, const char *text)
{
	printf("%s%-11s%s %s\n", output_colour(COLOUR_FAINT), label, output_colour(COLOUR_NONE),
		text);
}

static void print_way(const char *place, const char *ssh, const char *local, const char *hub,
	const char *note)
{
	print_line("dashboard", place);
	print_line("remotely", ssh);
	printf("%-11s then open %s\n", "", local);
	if (hub)
		print_line("JupyterHub", hub);
	if (note)
		print_line("note", note);
}

static void print_json(
	const json_t *dashboard, const char *ssh, const char *local, const char *hub)
{
	_cleanup_json_ json_t *answer = json_deep_copy(dashboard);

	json_object_set_new(answer, "ssh", json_text(ssh));
	json_object_set_new(answer, "ssh_url", json_text(local));
	json_object_set_new(answer, "jupyter_path", json_text(hub));
	output_json(answer);
}

static int show(const struct ctl *ctl, const json_t *status)
{
	const json_t *dashboard = json_object_get(status, "dashboard");
	const char *url = json_get_text(dashboard, "url", NULL);
	const char *socket = json_get_text(dashboard, "socket", NULL);
	const char *note = json_get_text(dashboard, "note", NULL);
	int port = (int)json_get_integer(
		dashboard, "port", json_get_integer(dashboard, "wanted_port", 0));
	_cleanup_free_ char *ssh = NULL, *hub = NULL, *local = NULL;

	if (!url && !socket) {
		output_error(ctl, "there is no dashboard%s: %s", note ? "" : " yet",
			note ? note : "the Dask scheduler is not running");
		return CTL_FAILED;
	}
	ssh = ssh_command(dashboard,
		json_get_text(json_object_get(status, "daemon"), "host", "localhost"), port);
	hub = hub_path(dashboard, port);
	local = xasprintf("http://127.0.0.1:%d/status", port);
	if (ctl->json)
		print_json(dashboard, ssh, local, hub);
	else
		print_way(url ? url : socket, ssh, local, hub, note);
	return CTL_DONE;
}

int cmd_dashboard(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *status = NULL;
	struct refusal refusal = {0};
	struct connection connection;
	struct err err = ERR_INIT;
	int r;

	while (command_option(ctl, argc, argv) != -1)
		;
	command_no_more_arguments(ctl, argc, argv);
	r = connection_need(&connection, ctl);
	if (r != CTL_DONE)
		return r;
	r = connection_ask(&connection, ctl, "status", NULL, &status, &refusal, &err);
	connection_close(&connection);
	json_decref(refusal.data);
	if (r < 0) {
		output_error(ctl, "%s", err.text);
		return CTL_FAILED;
	}
	if (!json_is_object(json_object_get(status, "dashboard"))) {
		_cleanup_free_ char *start = output_command(ctl, "start");

		output_error(
			ctl, "no cluster \"%s\" is running (%s starts one)", ctl->name, start);
		return CTL_NOT_RUNNING;
	}
	return show(ctl, status);
}
