/* methods.c: the requests of the control socket, each carried out on the cluster. */
#include "daemon/methods.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/paths.h"
#include "common/queue.h"
#include "common/rpc.h"
#include "daemon/cluster.h"
#include "daemon/control.h"
#include "daemon/followers.h"
#include "daemon/jobs.h"
#include "daemon/leases.h"
#include "daemon/loop.h"
#include "daemon/methods_ask.h"
#include "daemon/methods_size.h"
#include "daemon/plan.h"
#include "daemon/report.h"
#include "daemon/start_request.h"

#define PROGRESS_INTERVAL_MS 100
#define PROGRESS_TICK_MS     1000

/* A request whose work takes time. */
struct waiter {
	TAILQ_ENTRY(waiter) link; /* methods.waiters */
	struct client *client;
	json_t *id;
	enum rpc_method_id method;
	bool progress;
	bool bound;   /* a start that ends with its connection */
	char *told;   /* the last progress message */
	bool pending; /* a start that begins when the stop under way is done */
	struct cluster_request request; /* of a pending start */
	json_t *extra;			/* members to add to the answer of a start */
};

struct methods {
	struct cluster *cluster;
	const struct paths *paths;
	struct plans *plans;
	struct followers *followers;
	struct leases *leases;
	TAILQ_HEAD(, waiter) waiters;
	struct loop_timer *serve; /* looks at the waiters, once after any number of changes */
	bool soon;		  /* that is planned */
	struct client *begun_by;  /* whose start the cluster is; NULL: it has left */
	bool unkept;		  /* it ends with begun_by's connection */
	bool ending;		  /* dracod ends: nothing is started any more */
	void (*shutdown)(void *arg);
	void *arg;
};

static void waiter_free(struct methods *methods, struct waiter *waiter)
{
	TAILQ_REMOVE(&methods->waiters, waiter, link);
	json_decref(waiter->id);
	json_decref(waiter->extra);
	cluster_request_finish(&waiter->request);
	free(waiter->told);
	free(waiter);
}

static struct waiter *wait_for(struct methods *methods, struct client *client,
	const struct rpc_message *message, enum rpc_method_id method)
{
	struct waiter *waiter = xcalloc(1, sizeof(*waiter));

	waiter->client = client;
	waiter->id = json_incref(message->id);
	waiter->method = method;
	waiter->progress = json_get_boolean(message->params, "progress", 0);
	waiter->bound = json_get_boolean(message->params, "bound", 0);
	TAILQ_INSERT_TAIL(&methods->waiters, waiter, link);
	loop_timer_start(methods->serve, 0);
	return waiter;
}

/* hello */

static void do_hello(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	json_int_t protocol = json_get_integer(message->params, "protocol", 0);
	_cleanup_free_ char *text = NULL;

	if (protocol != RPC_PROTOCOL) {
		text = xasprintf("this dracod is of version " PACKAGE_VERSION
				 " (protocol %d), and the program that asks of version %s "
				 "(protocol %d): use the same version of both",
			RPC_PROTOCOL, json_get_text(message->params, "version", "?"),
			(int)protocol);
		client_refuse(client, message->id, RPC_WRONG_VERSION, text, NULL);
		return;
	}
	client_set_greeted(client);
	client_reply(client, message->id,
		json_pack("{s:i, s:s, s:s, s:i}", "protocol", RPC_PROTOCOL, "version",
			PACKAGE_VERSION, "name", methods->paths->name, "pid", (int)getpid()));
}

/* start */

/* The cluster is this waiter's from now on. */
static void begun(struct methods *methods, const struct waiter *waiter)
{
	methods->begun_by = waiter->client;
	methods->unkept = waiter->bound;
}

/* A start of another client waits for the cluster; NULL: none. */
static const struct waiter *other_start(
	const struct methods *methods, const struct client *client)
{
	const struct waiter *waiter;

	TAILQ_FOREACH (waiter, &methods->waiters, link)
		if (waiter->method == RPC_START && waiter->client != client)
			return waiter;
	return NULL;
}

static void do_start(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	struct cluster *cluster = methods->cluster;
	_cleanup_json_ json_t *limits = NULL;
	struct cluster_request request;
	struct err err = ERR_INIT;
	struct waiter *waiter;

	if (methods->ending) {
		client_refuse(client, message->id, RPC_CANCELLED, "dracod ends", NULL);
		return;
	}
	if (!start_request_make(client, message, &request, &limits))
		return;
	start_request_log_limits(limits);
	switch (cluster->state) {
	case CLUSTER_STOPPED:
	case CLUSTER_FAILED:
		if (cluster_start(cluster, &request, &err) < 0) {
			client_refuse(client, message->id, RPC_FAILED, err.text, NULL);
			break;
		}
		waiter = wait_for(methods, client, message, RPC_START);
		begun(methods, waiter);
		waiter->extra = json_pack("{s:b, s:O}", "joined", 0, "limits", limits);
		break;
	case CLUSTER_STARTING:
	case CLUSTER_RUNNING:
		waiter = wait_for(methods, client, message, RPC_START);
		waiter->extra = json_pack("{s:b, s:O, s:o}", "joined", 1, "limits", limits,
			"differences",
			start_request_differences(
				&cluster->request.settings, &request.settings));
		break;
	case CLUSTER_STOPPING:
		waiter = wait_for(methods, client, message, RPC_START);
		waiter->pending = true;
		waiter->request = request;
		waiter->extra = json_pack("{s:b, s:O}", "joined", 0, "limits", limits);
		return;
	}
	cluster_request_finish(&request);
}

/* The others */

static void do_status(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	json_t *status = report_status(methods->cluster);

	json_object_set_new(status, "attached", leases_report(methods->leases));
	json_object_set_new(
		json_object_get(status, "daemon"), "log", json_text(methods->paths->log_file));
	client_reply(client, message->id, status);
}

/* Starts that wait for a stop, of one client or of all (NULL), do not begin any more. Returns
 * whether there were any. */
static bool cancel_pending(
	struct methods *methods, const struct client *client, const char *why)
{
	struct waiter *waiter, *next;
	bool any = false;

	TAILQ_FOREACH_SAFE (waiter, &methods->waiters, link, next) {
		if (!waiter->pending || (client && waiter->client != client))
			continue;
		client_refuse(waiter->client, waiter->id, RPC_CANCELLED, why, NULL);
		waiter_free(methods, waiter);
		any = true;
	}
	return any;
}

static void do_stop(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	bool own = json_get_boolean(message->params, "own", 0);
	bool kept = json_get_boolean(message->params, "alone", 0) &&
		(leases_count(methods->leases, client) > 0 || other_start(methods, client));
	bool cancelled = cancel_pending(
		methods, own ? client : NULL, "the cluster was stopped before it started");

	if (kept || (own && methods->begun_by != client)) {
		client_reply(
			client, message->id, json_pack("{s:b}", "kept", cancelled ? 0 : 1));
		return;
	}
	cluster_stop(methods->cluster, "asked by a client");
	wait_for(methods, client, message, RPC_STOP);
}

static void do_shutdown(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	wait_for(methods, client, message, RPC_SHUTDOWN);
	methods->shutdown(methods->arg);
}

static void do_ask(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	methods_ask_request(methods->cluster, methods->plans, methods->paths, client, message);
}

static void do_events(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	followers_request(methods->followers, client, message);
}

static void do_size(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	methods_size_request(methods->cluster, client, message);
}

static void do_attach(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	if (!leases_request(methods->leases, client, message))
		return;
	if (methods->begun_by == client)
		methods->unkept = false;
	cluster_set_attached(methods->cluster, leases_count(methods->leases, NULL));
}

static void (*const handlers[RPC_METHOD_COUNT])(
	struct methods *methods, struct client *client, const struct rpc_message *message) = {
	[RPC_HELLO] = do_hello,
	[RPC_START] = do_start,
	[RPC_STATUS] = do_status,
	[RPC_STOP] = do_stop,
	[RPC_SHUTDOWN] = do_shutdown,
	[RPC_ENVIRONMENT] = do_ask,
	[RPC_LOGS] = do_ask,
	[RPC_PLAN] = do_ask,
	[RPC_SCRIPT] = do_ask,
	[RPC_EVENTS] = do_events,
	[RPC_SCALE] = do_size,
	[RPC_ADAPT] = do_size,
	[RPC_PAUSE] = do_size,
	[RPC_RESUME] = do_size,
	[RPC_RETIRE] = do_size,
	[RPC_ATTACH] = do_attach,
};

void methods_request(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	int method = rpc_method_find(message->method);
	struct err err = ERR_INIT;

	if (message->kind != RPC_REQUEST)
		return; /* a client has nothing to notify of */
	if (method < 0) {
		_cleanup_free_ char *text =
			xasprintf("there is no method \"%s\"", message->method);

		client_refuse(client, message->id, RPC_METHOD_NOT_FOUND, text, NULL);
	} else if (!client_has_greeted(client) && !rpc_methods[method].before_hello) {
		client_refuse(client, message->id, RPC_HELLO_FIRST,
			"the first request of a connection must be \"hello\"", NULL);
	} else if (rpc_check_params(&rpc_methods[method], message->params, &err) < 0) {
		client_refuse(client, message->id, RPC_INVALID_PARAMS, err.text, NULL);
	} else {
		leases_touch(methods->leases, client);
		handlers[method](methods, client, message);
	}
}

/* Who began the cluster is gone. Without having used it: then nobody wants it, but for another one who
 * waits for it, whose it becomes. */
static void starter_gone(struct methods *methods)
{
	const struct waiter *other = other_start(methods, methods->begun_by);

	methods->begun_by = NULL;
	if (methods->unkept && other)
		begun(methods, other);
	else if (methods->unkept && leases_count(methods->leases, NULL) == 0)
		cluster_stop(methods->cluster, "who started it has gone");
}

void methods_client_gone(struct methods *methods, struct client *client)
{
	struct waiter *waiter, *next;

	plans_client_gone(methods->plans, client);
	followers_client_gone(methods->followers, client);
	TAILQ_FOREACH_SAFE (waiter, &methods->waiters, link, next)
		if (waiter->client == client)
			waiter_free(methods, waiter);
	leases_client_gone(methods->leases, client);
	cluster_set_attached(methods->cluster, leases_count(methods->leases, NULL));
	if (methods->begun_by == client)
		starter_gone(methods);
}

static void tell_progress(struct methods *methods, struct waiter *waiter)
{
	json_t *progress = report_progress(methods->cluster);
	const char *message = json_get_text(progress, "message", "");

	if (!waiter->progress || (waiter->told && strcmp(waiter->told, message) == 0)) {
		json_decref(progress);
		return;
	}
	xreplace(&waiter->told, message);
	json_object_set_new(
		progress, "joined", json_boolean(json_get_boolean(waiter->extra, "joined", 0)));
	client_notify(waiter->client, "progress", progress);
}

/* A start that waited for a stop can begin. */
static void begin_pending(struct methods *methods, struct waiter *waiter)
{
	struct err err = ERR_INIT;

	waiter->pending = false;
	if (methods->cluster->state == CLUSTER_STARTING) {
		loop_timer_start(methods->serve, 0);
		return; /* another one was first: join it */
	}
	if (cluster_start(methods->cluster, &waiter->request, &err) < 0) {
		client_refuse(waiter->client, waiter->id, RPC_FAILED, err.text, NULL);
		waiter_free(methods, waiter);
		return;
	}
	begun(methods, waiter);
}

static void serve_start(struct methods *methods, struct waiter *waiter)
{
	struct cluster *cluster = methods->cluster;
	json_t *status;

	switch (cluster->state) {
	case CLUSTER_RUNNING:
		status = report_status(cluster);
		json_object_update(status, waiter->extra);
		client_reply(waiter->client, waiter->id, status);
		waiter_free(methods, waiter);
		return;
	case CLUSTER_FAILED:
		client_refuse(waiter->client, waiter->id, RPC_FAILED, cluster->failure.text,
			report_failure(cluster));
		waiter_free(methods, waiter);
		return;
	case CLUSTER_STOPPED:
		client_refuse(waiter->client, waiter->id, RPC_CANCELLED,
			"the cluster was stopped while it started", NULL);
		waiter_free(methods, waiter);
		return;
	case CLUSTER_STARTING:
	case CLUSTER_STOPPING:
		tell_progress(methods, waiter);
	}
}

/* The answer to a stop. */
static json_t *describe_end(const struct cluster *cluster)
{
	return json_pack("{s:s, s:I}", "state", cluster_state_name(cluster->state),
		"unconfirmed",
		(json_int_t)(cluster->unconfirmed + jobs_count(cluster->jobs).alive));
}

static void serve_stop(struct methods *methods, struct waiter *waiter)
{
	struct cluster *cluster = methods->cluster;

	if (cluster->state == CLUSTER_STOPPED || cluster->state == CLUSTER_FAILED) {
		client_reply(waiter->client, waiter->id, describe_end(cluster));
		waiter_free(methods, waiter);
	} else {
		tell_progress(methods, waiter);
	}
}

static void serve(void *arg)
{
	struct methods *methods = arg;
	enum cluster_state state = methods->cluster->state;
	struct waiter *waiter, *next;

	methods->soon = false;
	/* First those for whom a stop or start is over, then those who begin a new one. */
	TAILQ_FOREACH_SAFE (waiter, &methods->waiters, link, next) {
		if (waiter->method == RPC_START && !waiter->pending)
			serve_start(methods, waiter);
		else if (waiter->method == RPC_STOP)
			serve_stop(methods, waiter);
		else if (waiter->method == RPC_SHUTDOWN)
			tell_progress(methods, waiter);
	}
	TAILQ_FOREACH_SAFE (waiter, &methods->waiters, link, next)
		if (waiter->pending && state != CLUSTER_STOPPING)
			begin_pending(methods, waiter);
	/* Some of what is told depends on the time alone. */
	if (!TAILQ_EMPTY(&methods->waiters) && !methods->soon)
		loop_timer_start(methods->serve, PROGRESS_TICK_MS);
}

void methods_cluster_changed(struct methods *methods)
{
	if (TAILQ_EMPTY(&methods->waiters))
		return;
	if (methods->cluster->state != CLUSTER_STARTING)
		loop_timer_start(methods->serve, 0);
	else if (!methods->soon)
		loop_timer_start(methods->serve, PROGRESS_INTERVAL_MS);
	methods->soon = true;
}

void methods_begin_shutdown(struct methods *methods)
{
	methods->ending = true;
	cancel_pending(methods, NULL, "dracod ends");
}

void methods_finish_shutdown(struct methods *methods)
{
	struct waiter *waiter, *next;

	serve(methods);
	TAILQ_FOREACH_SAFE (waiter, &methods->waiters, link, next) {
		if (waiter->method == RPC_SHUTDOWN)
			client_reply(
				waiter->client, waiter->id, describe_end(methods->cluster));
		else
			client_refuse(
				waiter->client, waiter->id, RPC_CANCELLED, "dracod ends", NULL);
		waiter_free(methods, waiter);
	}
}

struct methods *methods_create(struct loop *loop, struct cluster *cluster,
	const struct paths *paths, void (*shutdown)(void *arg), void *arg)
{
	struct methods *methods = xcalloc(1, sizeof(*methods));

	methods->cluster = cluster;
	methods->paths = paths;
	methods->plans = plans_create(cluster->slurm);
	methods->followers = followers_create();
	methods->leases = leases_create();
	TAILQ_INIT(&methods->waiters);
	methods->serve = loop_timer_create(loop, serve, methods);
	methods->shutdown = shutdown;
	methods->arg = arg;
	return methods;
}

struct methods *methods_destroy(struct methods *methods)
{
	if (!methods)
		return NULL;
	while (!TAILQ_EMPTY(&methods->waiters))
		waiter_free(methods, TAILQ_FIRST(&methods->waiters));
	loop_timer_destroy(methods->serve);
	plans_destroy(methods->plans);
	followers_destroy(methods->followers);
	leases_destroy(methods->leases);
	free(methods);
	return NULL;
}
