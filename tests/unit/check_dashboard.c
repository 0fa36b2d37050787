/* check_dashboard.c: tests of daemon/dask/dashboard.c and the port that it takes. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/settings.h"
#include "daemon/dask/dashboard.h"

START_TEST(stable_port)
{
	bool taken[65536] = {false};
	int twice = 0;

	for (unsigned uid = 0; uid < 1000; uid++) {
		int port = dashboard_stable_port(10000 + uid, "default");

		ck_assert_int_ge(port, 10000);
		ck_assert_int_lt(port, 20000);
		ck_assert_int_eq(port, dashboard_stable_port(10000 + uid, "default"));
		twice += taken[port];
		taken[port] = true;
	}
	ck_assert_int_lt(twice, 150); /* of 1000 users; by chance alone it would be 49 */
	ck_assert_int_ne(
		dashboard_stable_port(1000, "default"), dashboard_stable_port(1000, "other"));
}
END_TEST

/* Listen at a port of the loopback interface, at any one for 0; returns the socket. */
static int occupy(int port, int *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)); /* as tornado does */
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	getsockname(fd, (struct sockaddr *)&address, &length);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static struct settings settings_with(const char *address, int port, const char *mode)
{
	struct settings settings;
	char text[16];

	settings_init(&settings);
	snprintf(text, sizeof(text), "%d", port);
	ck_assert_int_eq(settings_set(&settings, SETTING_DASHBOARD, mode, "test", NULL), 0);
	ck_assert_int_eq(
		settings_set(&settings, SETTING_DASHBOARD_ADDRESS, address, "test", NULL), 0);
	ck_assert_int_eq(settings_set(&settings, SETTING_DASHBOARD_PORT, port ? text : "auto",
				 "test", NULL),
		0);
	return settings;
}

/* Of a range the first free one from a place of this cluster's own. Without any, none beyond it:
 * whoever gives a range may have opened these ports only. */
START_TEST(range_of_ports)
{
	struct dashboard dashboard = {0};
	struct settings settings;
	int port, fd = occupy(0, &port), next, second;
	_cleanup_free_ char *pair = xasprintf("%d-%d", port, port + 1), *why = NULL;
	struct err err = ERR_INIT;

	settings_init(&settings);
	ck_assert_int_eq(
		settings_set(&settings, SETTING_DASHBOARD_PORT, pair, "test", NULL), 0);
	ck_assert_int_eq(dashboard_plan(&dashboard, &settings, "default", "/s", NULL), 0);
	ck_assert_int_gt(dashboard.port, port);
	ck_assert_int_eq(dashboard.wanted, dashboard.port == port + 1 ? port + 1 : port);
	if (dashboard.port != port + 1) /* another program has it */
		second = -1;
	else
		second = occupy(port + 1, &next);
	ck_assert_int_eq(
		dashboard_plan(&dashboard, &settings, "default", "/s", &err), -EADDRINUSE);
	why = xasprintf(
		"dashboard_port %s: all ports from %d to %d of 127.0.0.1 are in use: give "
		"a range of more ports, or another one",
		pair, port, port + 1);
	ck_assert_str_eq(err.text, why);
	dashboard_finish(&dashboard);
	settings_finish(&settings);
	if (second >= 0)
		close(second);
	close(fd);
}
END_TEST

START_TEST(taken_port)
{
	struct dashboard dashboard = {0};
	struct settings settings;
	int port, fd = occupy(0, &port);
	char *note, *url, *expected;

	settings = settings_with("127.0.0.1", port, "on");
	ck_assert_int_eq(dashboard_plan(&dashboard, &settings, "default", "/s", NULL), 0);
	ck_assert_int_gt(dashboard.port, port);
	ck_assert_int_eq(dashboard.wanted, port);
	ck_assert_ptr_null(dashboard.socket);
	ck_assert_ptr_null(dashboard_url(&dashboard)); /* not served yet */
	dashboard_set(&dashboard, dashboard.port, false);
	note = dashboard_note(&dashboard, "/usr/bin/python3");
	expected =
		xasprintf("port %d is taken by another program, so the dashboard is at port %d",
			port, dashboard.port);
	ck_assert_str_eq(note, expected);
	url = dashboard_url(&dashboard);
	free(expected);
	expected = xasprintf("http://127.0.0.1:%d/status", dashboard.port);
	ck_assert_str_eq(url, expected);
	free(expected);
	free(url);
	free(note);
	close(fd);
	ck_assert_int_eq(dashboard_plan(&dashboard, &settings, "default", "/s", NULL), 0);
	ck_assert_int_eq(dashboard.port, port);
	dashboard_set(&dashboard, port, false);
	ck_assert_ptr_null(dashboard_note(&dashboard, NULL));
	dashboard_finish(&dashboard);
	settings_finish(&settings);
}
END_TEST

/* Connections of an earlier dashboard that are still closing do not move the next one. */
START_TEST(closing_connections)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct dashboard dashboard = {0};
	struct settings settings;
	int port, server = occupy(0, &port), client = socket(AF_INET, SOCK_STREAM, 0), accepted;

	address.sin_port = htons((uint16_t)port);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	accepted = accept(server, NULL, NULL);
	close(accepted); /* the server's end first: it stays in TIME_WAIT */
	close(client);
	close(server);
	settings = settings_with("127.0.0.1", port, "on");
	ck_assert_int_eq(dashboard_plan(&dashboard, &settings, "default", "/s", NULL), 0);
	ck_assert_int_eq(dashboard.port, port);
	dashboard_finish(&dashboard);
	settings_finish(&settings);
}
END_TEST

START_TEST(foreign_address)
{
	struct settings settings = settings_with("192.0.2.77", 0, "on");
	struct dashboard dashboard = {0};
	struct err err = ERR_INIT;

	ck_assert_int_eq(
		dashboard_plan(&dashboard, &settings, "default", "/s", &err), -EADDRNOTAVAIL);
	ck_assert_str_eq(
		err.text, "dashboard_address: 192.0.2.77 is not an address of this host");
	dashboard_finish(&dashboard);
	settings_finish(&settings);
}
END_TEST

static const struct {
	const char *address, *mode;
	bool missing;
	const char *url;    /* NULL: none; up to the port */
	const char *socket; /* in the report */
	const char *note;   /* a part of it; NULL: none */
} rows[] = {
	{"127.0.0.1", "on", false, "http://127.0.0.1:", NULL, NULL},
	{"0.0.0.0", "on", false, "http://127.0.0.1:", NULL, NULL},
	{"127.0.0.2", "on", false, "http://127.0.0.2:", NULL, NULL},
	{"127.0.0.1", "on", true, NULL, NULL, "/usr/bin/python3 has no bokeh"},
	{"127.0.0.1", "socket", false, NULL, "/no/such/socket", NULL},
	{"127.0.0.1", "socket", true, NULL, NULL, "/usr/bin/python3 has no bokeh"},
	{"127.0.0.1", "off", true, NULL, NULL, "is switched off"},
};

START_TEST(report)
{
	struct settings settings = settings_with(rows[_i].address, 0, rows[_i].mode);
	struct dashboard dashboard = {0};
	const char *url, *note;
	char name[32];
	json_t *object;

	/* The port of a name that others have, too, may be taken. */
	snprintf(name, sizeof(name), "unit-%d", (int)getpid());
	ck_assert_int_eq(
		dashboard_plan(&dashboard, &settings, name, "/no/such/socket", NULL), 0);
	dashboard_set(&dashboard, dashboard.port, rows[_i].missing);
	object = dashboard_report(&dashboard, "/usr/bin/python3");
	ck_assert_str_eq(json_get_text(object, "mode", ""), rows[_i].mode);
	url = json_get_text(object, "url", NULL);
	ck_assert_int_eq(!url, !rows[_i].url);
	if (url)
		ck_assert_int_eq(strncmp(url, rows[_i].url, strlen(rows[_i].url)), 0);
	ck_assert_int_eq(json_is_integer(json_object_get(object, "port")), url != NULL);
	ck_assert_str_eq(json_get_text(object, "socket", "none"),
		rows[_i].socket ? rows[_i].socket : "none");
	note = json_get_text(object, "note", NULL);
	ck_assert_int_eq(!note, !rows[_i].note);
	if (note)
		ck_assert_ptr_nonnull(strstr(note, rows[_i].note));
	json_decref(object);
	dashboard_finish(&dashboard);
	settings_finish(&settings);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("dashboard");
	TCase *all = tcase_create("dashboard");

	tcase_add_test(all, stable_port);
	tcase_add_test(all, range_of_ports);
	tcase_add_test(all, taken_port);
	tcase_add_test(all, closing_connections);
	tcase_add_test(all, foreign_address);
	tcase_add_loop_test(all, report, 0, LENGTH(rows));
	suite_add_tcase(suite, all);
	return suite;
}
