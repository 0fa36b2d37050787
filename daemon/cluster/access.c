/* access.c: access to the cluster: its certificate and its dashboard. Part of the cluster. */
#include "daemon/cluster/access.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "common/paths.h"
#include "common/settings.h"
#include "common/strv.h"
#include "common/tls_fix.h"
#include "daemon/cluster/model.h"
#include "daemon/dask/scheduler.h"
#include "daemon/io/loop.h"
#include "daemon/io/tls.h"

#define MEND_DEADLINE_MS 10000

int cluster_access_begin(struct cluster *cluster, const struct settings *settings,
	const char *id, struct err *err)
{
	struct cluster_access *access = &cluster->access;
	int64_t started_ms = loop_now_ms();
	int r;

	cluster_access_end(cluster);
	xreplace(&access->interface, NULL);
	if (settings->security == SECURITY_NONE)
		return 0;
	r = tls_create(access->tls_directory, id, &access->tls, err);
	if (r < 0)
		return r;
	log_info("tls: made the certificate %s in %" PRId64 " ms", tls_certificate(access->tls),
		loop_now_ms() - started_ms);
	return 0;
}

int cluster_access_adopt(struct cluster *cluster, struct err *err)
{
	struct cluster_access *access = &cluster->access;

	if (cluster->request.settings.security == SECURITY_NONE)
		return 0;
	access->tls = tls_adopt(access->tls_directory, cluster->id);
	if (!access->tls)
		return err_set(
			err, -ENOENT, "its certificate in %s is gone", access->tls_directory);
	return 0;
}

void cluster_access_end(struct cluster *cluster)
{
	cluster->access.tls = tls_destroy(cluster->access.tls);
	dashboard_finish(&cluster->access.dashboard);
}

static void add_to_environment(void *arg, const char *name, const char *value)
{
	strv_addf(arg, "%s=%s", name, value);
}

void cluster_access_workers(const struct cluster *cluster, struct strv *environment)
{
	if (cluster->access.tls)
		tls_environment(
			cluster->access.tls, TLS_SERVERS, add_to_environment, environment);
}

static void add_to_object(void *arg, const char *name, const char *value)
{
	json_object_set_new(arg, name, json_text(value));
}

void cluster_access_variables(const struct cluster *cluster, json_t *object)
{
	_cleanup_free_ char *url = dashboard_url(&cluster->access.dashboard);

	tls_environment(cluster->access.tls, TLS_CLIENTS, add_to_object, object);
	if (cluster->access.tls && cluster->access.needs_tls_fix) {
		_cleanup_json_ json_t *list =
			json_pack("[o]", json_text(tls_fix(cluster->access.tls)));
		_cleanup_free_ char *value = json_dumps(list, JSON_COMPACT | JSON_ENSURE_ASCII);

		add_to_object(object, TLS_FIX_VARIABLE, value);
	}
	/* Otherwise Dask shows a link made of the scheduler's address, and no dashboard listens
	 * there. */
	add_to_object(object, "DASK_DISTRIBUTED__DASHBOARD__LINK", url ? url : "");
}

const char *cluster_access_worker_interface(const struct cluster *cluster)
{
	return cluster->access.interface_named ? cluster->access.interface : NULL;
}

int cluster_access_plan(struct cluster *cluster, struct err *err)
{
	struct cluster_access *access = &cluster->access;

	return dashboard_plan(&access->dashboard, &cluster->request.settings, cluster->name,
		access->paths->http_socket, err);
}

void cluster_access_scheduler(const struct cluster *cluster, struct scheduler_spec *spec)
{
	const struct cluster_access *access = &cluster->access;
	const struct dashboard *dashboard = &access->dashboard;

	cluster_access_workers(cluster, &spec->environment); /* scheduler and workers agree */
	spec->tls = access->tls != NULL;
	spec->dashboard = dashboard->mode;
	spec->dashboard_socket = dashboard->socket ? xstrdup(dashboard->socket) : NULL;
	if (dashboard->mode == DASHBOARD_ON)
		spec->dashboard_address =
			xasprintf("%s:%d", dashboard->address, dashboard->port);
}

void cluster_access_hello(struct cluster *cluster, const json_t *hello)
{
	dashboard_set(&cluster->access.dashboard,
		(int)json_get_integer(hello, "dashboard_port", 0),
		!json_get_boolean(hello, "dashboard", 0));
	cluster->access.needs_tls_fix = json_get_boolean(hello, "needs_tls_fix", 0);
}

static void on_mended(void *arg, const json_t *result, const struct err *err)
{
	(void)arg;
	if (!result)
		log_warning("dashboard: its socket cannot be made again: %s", err->text);
}

void cluster_access_mend(struct cluster *cluster)
{
	struct dashboard *dashboard = &cluster->access.dashboard;
	const char *path = cluster->access.paths->http_socket;

	if (!dashboard->socket || !dashboard->known ||
		scheduler_state(cluster->scheduler) != SCHEDULER_UP ||
		(strcmp(dashboard->socket, path) == 0 && access(path, F_OK) == 0))
		return;
	if (cluster->ops->ask_scheduler(cluster->arg, "serve",
		    json_pack("{s:s}", "socket", path), MEND_DEADLINE_MS, on_mended,
		    cluster) < 0)
		return; /* no preload is connected; its next hello comes back to this */
	if (strcmp(dashboard->socket, path) != 0)
		unlink(dashboard->socket);
	xreplace(&dashboard->socket, path);
}

static json_t *warnings(const struct cluster *cluster)
{
	const struct dashboard *dashboard = &cluster->access.dashboard;
	const char *address = scheduler_address(cluster->scheduler);
	json_t *list = json_array();

	if (cluster->request.settings.security == SECURITY_NONE)
		json_array_append_new(list,
			json_sprintf(
				"security is none: everyone who reaches %s can run programs "
				"as you and read your data",
				*address ? address : "the scheduler"));
	/* Without an address it is not planned yet. */
	if (dashboard->address && dashboard->mode == DASHBOARD_ON &&
		!dashboard_is_loopback(dashboard))
		json_array_append_new(list,
			json_sprintf(
				"dashboard_address is %s: everyone who reaches it can read the "
				"dashboard",
				dashboard->address));
	return list;
}

void cluster_access_report(const struct cluster *cluster, json_t *object)
{
	const struct cluster_access *access = &cluster->access;
	bool active = cluster_is_up(cluster);
	bool open = cluster->request.settings.security == SECURITY_NONE;

	json_object_set_new(object, "security",
		json_text(!active      ? NULL
				: open ? "none"
				       : "tls"));
	json_object_set_new(object, "interface", json_text(active ? access->interface : NULL));
	json_object_set_new(object, "dashboard",
		active && access->dashboard.address
			? dashboard_report(&access->dashboard, cluster->python)
			: json_null());
	json_object_set_new(object, "warnings", active ? warnings(cluster) : json_array());
}
