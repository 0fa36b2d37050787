/* methods_ask.c: the read-only requests: environment, logs, plan, script. */
#include "daemon/control/methods_ask.h"

#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/paths.h"
#include "common/rpc.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/wish.h"
#include "daemon/control/control.h"
#include "daemon/control/plan.h"
#include "daemon/control/report.h"
#include "daemon/control/start_request.h"

static void answer_environment(
	const struct cluster *cluster, struct client *client, const struct rpc_message *message)
{
	json_t *environment = report_environment(cluster);
	_cleanup_free_ char *text = NULL;

	if (environment) {
		client_reply(client, message->id, environment);
		return;
	}
	text = report_no_cluster(cluster);
	client_refuse(client, message->id, RPC_NOT_RUNNING, text, NULL);
}

static void answer_plan(const struct cluster *cluster, struct plans *plans,
	const struct binding *binding, struct client *client, const struct rpc_message *message)
{
	_cleanup_json_ json_t *limits = NULL;
	struct cluster_request request;
	struct err err = ERR_INIT;

	if (!start_request_make(client, message, NULL, &request, &limits, NULL))
		return;
	if (!start_request_check_slurm(client, message, binding, &request)) {
		cluster_request_finish(&request);
		return;
	}
	if (cluster->state == CLUSTER_STOPPED || cluster->state == CLUSTER_FAILED)
		cluster->ops->slurm_meant(cluster->arg, &request.slurm);
	if (plans_begin(plans, client, message->id, &request, &cluster->nodes, &err) < 0)
		client_refuse(client, message->id, RPC_FAILED, err.text, NULL);
	cluster_request_finish(&request);
}

static void answer_script(
	const struct cluster *cluster, struct client *client, const struct rpc_message *message)
{
	_cleanup_json_ json_t *limits = NULL;
	_cleanup_free_ char *script = NULL;
	struct cluster_request request;

	if (!start_request_make(client, message, NULL, &request, &limits, NULL))
		return;
	script = wish_preview_script(cluster, &request.settings);
	client_reply(client, message->id, json_pack("{s:o}", "script", json_text(script)));
	cluster_request_finish(&request);
}

void methods_ask_request(const struct cluster *cluster, struct plans *plans,
	const struct paths *paths, const struct binding *binding, struct client *client,
	const struct rpc_message *message)
{
	switch (rpc_method_find(message->method)) {
	case RPC_ENVIRONMENT:
		answer_environment(cluster, client, message);
		break;
	case RPC_LOGS:
		client_reply(client, message->id, report_logs(cluster, paths->log_file));
		break;
	case RPC_PLAN:
		answer_plan(cluster, plans, binding, client, message);
		break;
	case RPC_SCRIPT:
		answer_script(cluster, client, message);
		break;
	}
}
