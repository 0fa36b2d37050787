/* outside.c: access for this user's programs on other hosts with the same home: dracod's own port,
 * and connect.json. Follows the cluster, and hands connected clients to control.c. */
#include "daemon/control/outside.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "common/paths.h"
#include "common/rpc.h"
#include "common/settings.h"
#include "daemon/cluster/model.h"
#include "daemon/control/control.h"
#include "daemon/dask/scheduler.h"
#include "daemon/io/instance.h"
#include "daemon/io/remote.h"
#include "daemon/io/statefile.h"
#include "daemon/io/statequeue.h"
#include "daemon/io/tls.h"

struct outside {
	struct loop *loop;
	const struct paths *paths;
	struct control *control;
	struct remote *remote; /* NULL: there is no port */
	char *why;	       /* why there is no port */
	char *scheduler;       /* the scheduler's address in connect.json; NULL: no such file */
};

struct outside *outside_create(
	struct loop *loop, const struct paths *paths, struct control *control)
{
	struct outside *outside = xcalloc(1, sizeof(*outside));

	outside->loop = loop;
	outside->paths = paths;
	outside->control = control;
	statefile_remove(paths->connect_file); /* left by a dracod that crashed */
	return outside;
}

static void on_connect(void *arg, struct bufferevent *connection, const char *peer)
{
	struct outside *outside = arg;

	control_admit(outside->control, connection, peer);
}

static void open_port(struct outside *outside, struct cluster *cluster)
{
	const struct settings *settings = &cluster->request.settings;
	const struct tls *tls = cluster->access.tls;
	struct remote_place place = {.address = cluster->address, .name = cluster->name};
	struct err err = ERR_INIT;

	xreplace(&outside->why, NULL);
	if (!tls || !settings->remote_port) {
		xreplace(&outside->why, tls ? "remote_port is none" : "security is none");
		return;
	}
	/* The scheduler may not listen yet. */
	place.not_port = atoi(strrchr(outside->scheduler, ':') + 1);
	place.certificate = tls_certificate(tls);
	place.key = tls_key(tls);
	settings_ports(settings, SETTING_REMOTE_PORT, &place.first, &place.last);
	outside->remote = remote_create(outside->loop, &place, on_connect, outside, &err);
	if (outside->remote) {
		log_info("remote: listening at %s, port %d", cluster->address,
			remote_port(outside->remote));
		return;
	}
	xreplace(&outside->why, err.text);
	cluster_notice(cluster,
		"remote_port: %s: draco's programs on other hosts cannot reach this cluster",
		err.text);
}

static void on_written(void *arg, const struct err *err)
{
	struct cluster *cluster = arg;

	if (err)
		cluster_notice(cluster, "%s: other hosts cannot reach this cluster", err->text);
}

static void write_file(struct outside *outside, struct cluster *cluster)
{
	const struct tls *tls = cluster->access.tls;
	const char *certificate = tls ? tls_certificate(tls) : NULL;
	json_t *object = instance_describe();

	json_object_set_new(object, "protocol", json_integer(RPC_PROTOCOL));
	json_object_set_new(object, "scheduler", json_text(outside->scheduler));
	json_object_set_new(object, "daemon",
		outside->remote
			? json_sprintf("%s:%d", cluster->address, remote_port(outside->remote))
			: json_null());
	json_object_set_new(object, "no_daemon", json_text(outside->why));
	json_object_set_new(object, "ca", json_text(certificate));
	json_object_set_new(object, "certificate", json_text(certificate));
	json_object_set_new(object, "key", json_text(tls ? tls_key(tls) : NULL));
	statequeue_write(outside->paths->connect_file, object, true, on_written, cluster);
}

static void end(struct outside *outside)
{
	outside->remote = remote_destroy(outside->remote);
	if (outside->scheduler)
		statequeue_remove(outside->paths->connect_file);
	xreplace(&outside->scheduler, NULL);
}

void outside_update(struct outside *outside, struct cluster *cluster)
{
	const char *scheduler = scheduler_address(cluster->scheduler);
	bool first = !outside->scheduler;

	if (cluster_is_down(cluster)) {
		end(outside);
		return;
	}
	if (!*scheduler || (!first && strcmp(scheduler, outside->scheduler) == 0))
		return;
	/* Set first: a notice calls this function again. */
	xreplace(&outside->scheduler, scheduler);
	if (first)
		open_port(outside, cluster);
	write_file(outside, cluster);
}

struct outside *outside_destroy(struct outside *outside)
{
	if (!outside)
		return NULL;
	end(outside);
	free(outside->why);
	free(outside);
	return NULL;
}
