/* plan.c: the request "plan": the places where a start would put its jobs. */
#include "daemon/control/plan.h"

#include <stdlib.h>
#include <time.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/queue.h"
#include "common/rpc.h"
#include "common/settings.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/wish.h"
#include "daemon/control/control.h"
#include "daemon/io/loop.h"
#include "daemon/policy/bad_nodes.h"
#include "daemon/slurm/placer.h"

struct plan {
	TAILQ_ENTRY(plan) link; /* plans.list */
	struct plans *owner;
	struct client *client; /* NULL: the client is gone */
	json_t *id;
	int64_t wait_s;
	struct placer *placer; /* NULL: the search is done */
};

struct plans {
	struct slurm *slurm;
	TAILQ_HEAD(, plan) list;
};

static void plan_free(struct plan *plan)
{
	TAILQ_REMOVE(&plan->owner->list, plan, link);
	json_decref(plan->id);
	placer_destroy(plan->placer);
	free(plan);
}

static void on_found(
	void *arg, struct placement *found, enum slurm_outcome outcome, const struct err *err)
{
	struct plan *plan = arg;
	time_t now = time(NULL);

	(void)outcome;
	plan->placer = NULL;
	if (plan->client && found)
		client_reply(plan->client, plan->id,
			json_pack("{s:o, s:i, s:I}", "candidates", placement_to_json(found),
				"chosen", placement_choose(found, now, plan->wait_s), "now",
				(json_int_t)now));
	else if (plan->client)
		client_refuse(plan->client, plan->id, RPC_FAILED, err->text, NULL);
	if (found)
		placement_finish(found);
	plan_free(plan);
}

int plans_begin(struct plans *plans, struct client *client, const json_t *id,
	const struct cluster_request *request, const struct bad_nodes *nodes, struct err *err)
{
	const struct settings *settings = &request->settings;
	struct plan *plan = xcalloc(1, sizeof(*plan));
	struct slurm_submission wish;

	plan->owner = plans;
	plan->client = client;
	plan->id = json_deep_copy(id);
	plan->wait_s = settings->wait_timeout_ms / 1000;
	TAILQ_INSERT_TAIL(&plans->list, plan, link);
	wish_ask(settings, 1, &wish);
	bad_nodes_exclude(nodes, loop_now_ms(), &wish.directives);
	wish.name = xstrdup("draco-plan");
	wish.script = xstrdup("#!/bin/sh\n");
	wish.output = xstrdup("/dev/null");
	wish.directory = xstrdup("/");
	strv_copy(&wish.environment, &request->environment);
	plan->placer = placer_start(plans->slurm, &wish, settings, NULL, on_found, plan, err);
	slurm_submission_finish(&wish);
	if (plan->placer)
		return 0;
	plan_free(plan);
	return err->code;
}

void plans_client_gone(struct plans *plans, struct client *client)
{
	struct plan *plan;

	TAILQ_FOREACH (plan, &plans->list, link)
		if (plan->client == client)
			plan->client = NULL;
}

struct plans *plans_create(struct slurm *slurm)
{
	struct plans *plans = xcalloc(1, sizeof(*plans));

	plans->slurm = slurm;
	TAILQ_INIT(&plans->list);
	return plans;
}

struct plans *plans_destroy(struct plans *plans)
{
	if (!plans)
		return NULL;
	while (!TAILQ_EMPTY(&plans->list))
		plan_free(TAILQ_FIRST(&plans->list));
	free(plans);
	return NULL;
}
