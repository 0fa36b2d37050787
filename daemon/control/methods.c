/* methods.c: the requests of the control socket, each carried out on the cluster. */
#include "daemon/control/methods.h"

#include <errno.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/paths.h"
#include "common/rpc.h"
#include "daemon/cluster/adopt.h"
#include "daemon/cluster/cluster.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/record.h"
#include "daemon/cluster/shares.h"
#include "daemon/control/control.h"
#include "daemon/control/deferred.h"
#include "daemon/control/followers.h"
#include "daemon/control/greetings.h"
#include "daemon/control/leases.h"
#include "daemon/control/methods_ask.h"
#include "daemon/control/methods_size.h"
#include "daemon/control/plan.h"
#include "daemon/control/report.h"
#include "daemon/control/start_request.h"
#include "daemon/control/waiters.h"
#include "daemon/policy/demand.h"
#include "daemon/slurm/binding.h"

struct methods {
	struct cluster *cluster;
	const struct paths *paths;
	const struct binding *binding;
	struct plans *plans;
	struct greetings *greetings;
	struct followers *followers;
	struct leases *leases;
	struct waiters *waiters;
	struct deferred *deferred;
	bool ending; /* dracod is about to end: nothing may be started */
	const struct methods_ops *ops;
	void *arg;
};

static void do_hello(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	json_int_t protocol = json_get_integer(message->params, "protocol", 0);
	_cleanup_free_ char *text = NULL;

	if (protocol != RPC_PROTOCOL) {
		text = xasprintf("this dracod is of version " PACKAGE_VERSION
				 " (protocol %d), and the program that asks has version %s "
				 "(protocol %d): use the same version of both",
			RPC_PROTOCOL, json_get_text(message->params, "version", "?"),
			(int)protocol);
		client_refuse(client, message->id, RPC_WRONG_VERSION, text, NULL);
		return;
	}
	client_set_program(client, json_get_text(message->params, "client", ""));
	greetings_add(methods->greetings, client, message);
}

static void do_start(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	struct cluster *cluster = methods->cluster;
	_cleanup_json_ json_t *limits = NULL, *mistakes = NULL;
	struct cluster_request request;
	struct err err = ERR_INIT;

	if (methods->ending) {
		client_refuse(client, message->id, RPC_CANCELLED, "dracod ends", NULL);
		return;
	}
	if (!start_request_make(client, message, methods->paths, &request, &limits, &mistakes))
		return;
	start_request_log_limits(limits);
	if (cluster->state != CLUSTER_STARTING && cluster->state != CLUSTER_RUNNING &&
		!start_request_check_slurm(client, message, methods->binding, &request)) {
		cluster_request_finish(&request);
		return;
	}
	switch (cluster->state) {
	case CLUSTER_STOPPED:
	case CLUSTER_FAILED:
		if (cluster_start(cluster, &request, &err) < 0) {
			client_refuse(client, message->id, RPC_FAILED, err.text, NULL);
			break;
		}
		waiters_begun(methods->waiters, client, message);
		waiters_add(methods->waiters, client, message,
			json_pack("{s:b, s:O, s:O}", "joined", 0, "limits", limits, "mistakes",
				mistakes));
		break;
	case CLUSTER_STARTING:
		if (cluster_adopt_text(cluster)) /* it asks again, as its dracod was killed */
			waiters_claim(methods->waiters, client, message);
		/* fall through */
	case CLUSTER_RUNNING:
		start_request_renew_token(message, methods->binding, cluster);
		cluster_someone_comes(cluster);
		waiters_add(methods->waiters, client, message,
			json_pack("{s:b, s:O, s:O, s:o}", "joined", 1, "limits", limits,
				"mistakes", mistakes, "differences",
				start_request_differences(
					&cluster->request.settings, &request.settings)));
		break;
	case CLUSTER_STOPPING:
		waiters_add_pending(methods->waiters, client, message, &request,
			json_pack("{s:b, s:O, s:O}", "joined", 0, "limits", limits, "mistakes",
				mistakes));
		break;
	}
	cluster_request_finish(&request);
}

static void do_status(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	json_t *status = report_status(methods->cluster);

	json_object_set_new(status, "attached",
		leases_report(
			methods->leases, json_object_get(methods->cluster->load, "programs")));
	json_object_set_new(json_object_get(status, "slurm"), "cluster",
		json_text(binding_cluster(methods->binding)));
	json_object_set_new(
		json_object_get(status, "daemon"), "log", json_text(methods->paths->log_file));
	client_reply(client, message->id, status);
}

/* Another program than client that uses the cluster, for a person; NULL: none. The caller frees. */
static char *other_user(const struct methods *methods, const struct client *client)
{
	_cleanup_free_ char *others = leases_others(methods->leases, client);

	if (waiters_has_other_start(methods->waiters, client))
		return xstrdup("another program waits for it");
	return others ? xasprintf("%s %s attached to it", others,
				leases_count(methods->leases, client) > 1 ? "are" : "is")
		      : NULL;
}

static void do_stop(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	bool own = json_get_boolean(message->params, "own", 0);
	const json_t *clients = json_object_get(message->params, "clients");
	_cleanup_free_ char *why = NULL, *program = NULL, *reason = NULL;
	int64_t others = 0;
	bool cancelled;

	if (own && !waiters_is_owner(methods->waiters, client))
		why = xstrdup("another program started it");
	else if (json_get_boolean(message->params, "alone", 0)) {
		why = other_user(methods, client);
		if (!why && clients)
			others = demand_other_clients(methods->cluster->load, clients);
		if (others > 0)
			why = xstrdup("another Client() is connected to it");
	}
	cancelled = waiters_cancel_pending(methods->waiters, own || why ? client : NULL,
		"the cluster was stopped before it started");
	if (why) {
		waiters_hand_over(methods->waiters, client);
		client_reply(client, message->id,
			json_pack("{s:b, s:s, s:I}", "kept", !cancelled, "why", why, "clients",
				(json_int_t)others));
		return;
	}
	program = leases_program(methods->leases, client);
	if (!program)
		program = client_describe(client);
	reason = xasprintf("requested by %s", program);
	cluster_stop(methods->cluster, reason);
	waiters_add(methods->waiters, client, message, NULL);
}

/* The asking client is unknown here. One client is the asking one, so it does not count as another
 * user. */
int methods_terminate(struct methods *methods, struct err *err)
{
	int64_t others = demand_other_clients(methods->cluster->load, NULL) - 1;
	_cleanup_free_ char *user = other_user(methods, NULL);
	const char *name = methods->paths->name;

	if (!user && others > 0)
		user = xstrdup("another Client() is connected to it");
	if (user)
		return err_set(err, -EBUSY,
			"the cluster \"%s\" is in use: %s; dracoctl --name %s stop ends it for all",
			name, user, name);
	cluster_stop(methods->cluster, "asked by Client.shutdown()");
	return 0;
}

static void do_shutdown(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	_cleanup_free_ char *user = other_user(methods, client);

	if (json_get_boolean(message->params, "alone", 0) &&
		(!cluster_is_down(methods->cluster) || user)) {
		client_reply(client, message->id, json_pack("{s:b}", "kept", 1));
		return;
	}
	waiters_add(methods->waiters, client, message, NULL);
	methods->ops->shutdown(methods->arg);
}

static void do_leave(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	struct err err = ERR_INIT;

	if (methods->ending)
		client_refuse(client, message->id, RPC_CANCELLED, "dracod ends", NULL);
	else if (record_hand_over(methods->cluster, &err) < 0)
		client_refuse(client, message->id, RPC_FAILED, err.text, NULL);
	else
		client_reply(client, message->id,
			json_pack("{s:b}", "supervised", methods->ops->leave(methods->arg)));
}

static void do_ask(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	methods_ask_request(methods->cluster, methods->plans, methods->paths, methods->binding,
		client, message);
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
	int before = leases_count(methods->leases, NULL);

	if (!leases_request(methods->leases, client, message))
		return;
	if (leases_count(methods->leases, NULL) > before) {
		leases_restore_share(methods->leases, client, methods->cluster->chosen_shares);
		cluster_someone_comes(methods->cluster);
	}
	if (json_get_boolean(message->params, "own", 0))
		waiters_claim(methods->waiters, client, message);
	waiters_keep(methods->waiters, client);
	cluster_set_attached(methods->cluster, leases_count(methods->leases, NULL));
	cluster_set_shares(methods->cluster, leases_shares(methods->leases));
}

static void do_share(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	const char *program = json_get_text(message->params, "program", "");
	const json_t *share = json_object_get(message->params, "share");
	struct err err = ERR_INIT;
	const char *chosen;

	if (leases_set_share(methods->leases, program, share, &chosen, &err) < 0) {
		client_refuse(client, message->id,
			err.code == -ENOENT ? RPC_FAILED : RPC_INVALID_PARAMS, err.text, NULL);
		return;
	}
	cluster_choose_share(methods->cluster, chosen, share);
	cluster_set_shares(methods->cluster, leases_shares(methods->leases));
	client_reply(client, message->id, json_object());
}

static void (*const handlers[RPC_METHOD_COUNT])(
	struct methods *methods, struct client *client, const struct rpc_message *message) = {
	[RPC_HELLO] = do_hello,
	[RPC_START] = do_start,
	[RPC_STATUS] = do_status,
	[RPC_STOP] = do_stop,
	[RPC_SHUTDOWN] = do_shutdown,
	[RPC_LEAVE] = do_leave,
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
	[RPC_SHARE] = do_share,
};

/* Call the handler of a request that has been checked. */
static void handle(void *arg, struct client *client, const struct rpc_message *message)
{
	struct methods *methods = arg;

	leases_touch(methods->leases, client);
	handlers[rpc_method_find(message->method)](methods, client, message);
}

static char *log_directory(void *arg, const struct rpc_message *message)
{
	const struct methods *methods = arg;

	if (rpc_method_find(message->method) != RPC_START || !cluster_is_down(methods->cluster))
		return NULL;
	return start_request_log_directory(message);
}

void methods_request(
	struct methods *methods, struct client *client, const struct rpc_message *message)
{
	int method = rpc_method_find(message->method);
	struct err err = ERR_INIT;

	if (message->kind != RPC_REQUEST)
		return; /* no notification of a client is defined */
	if (method < 0) {
		_cleanup_free_ char *text =
			xasprintf("there is no method \"%s\"", message->method);

		client_refuse(client, message->id, RPC_METHOD_NOT_FOUND, text, NULL);
	} else if (!client_has_greeted(client) && !rpc_methods[method].before_hello) {
		client_refuse(client, message->id, RPC_HELLO_FIRST,
			"the first request of a connection must be \"hello\"", NULL);
	} else if (rpc_check_params(&rpc_methods[method], message->params, &err) < 0) {
		client_refuse(client, message->id, RPC_INVALID_PARAMS, err.text, NULL);
	} else if (!deferred_add(methods->deferred, client, message)) {
		handle(methods, client, message);
	}
}

void methods_client_gone(struct methods *methods, struct client *client)
{
	const struct client *heir = leases_same_program(methods->leases, client);
	bool unwanted = waiters_client_gone(methods->waiters, client, heir);
	int attached;

	deferred_client_gone(methods->deferred, client);
	greetings_client_gone(methods->greetings, client);
	plans_client_gone(methods->plans, client);
	followers_client_gone(methods->followers, client);
	leases_client_gone(methods->leases, client);
	attached = leases_count(methods->leases, NULL);
	cluster_set_attached(methods->cluster, attached);
	cluster_set_shares(methods->cluster, leases_shares(methods->leases));
	if (unwanted && attached == 0)
		cluster_stop(methods->cluster, "the program that started it has disconnected");
}

void methods_cluster_changed(struct methods *methods)
{
	greetings_changed(methods->greetings);
	waiters_changed(methods->waiters);
	followers_workers(methods->followers, jobs_count(methods->cluster->jobs).connected);
}

void methods_begin_shutdown(struct methods *methods)
{
	methods->ending = true;
	waiters_cancel_pending(methods->waiters, NULL, "dracod ends");
}

void methods_leave(struct methods *methods)
{
	methods->ending = true;
}

void methods_finish_shutdown(struct methods *methods, bool stays)
{
	waiters_finish(methods->waiters, stays);
	methods->ending = !stays;
}

struct methods *methods_create(struct loop *loop, struct cluster *cluster,
	const struct paths *paths, const struct binding *binding, const struct methods_ops *ops,
	void *arg)
{
	struct methods *methods = xcalloc(1, sizeof(*methods));

	methods->cluster = cluster;
	methods->paths = paths;
	methods->binding = binding;
	methods->deferred = deferred_create(paths, handle, log_directory, methods);
	methods->plans = plans_create(cluster->slurm);
	methods->greetings = greetings_create(loop, cluster, paths->name);
	methods->followers = followers_create();
	methods->leases = leases_create();
	methods->waiters = waiters_create(loop, cluster);
	methods->ops = ops;
	methods->arg = arg;
	return methods;
}

struct methods *methods_destroy(struct methods *methods)
{
	if (!methods)
		return NULL;
	deferred_destroy(methods->deferred);
	waiters_destroy(methods->waiters);
	greetings_destroy(methods->greetings);
	plans_destroy(methods->plans);
	followers_destroy(methods->followers);
	leases_destroy(methods->leases);
	free(methods);
	return NULL;
}
