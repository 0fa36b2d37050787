/* waiters.c: the requests that are answered later, and the client that owns the cluster. They are
 * served when the cluster changes, and periodically for progress that depends on time alone. Called
 * only by the methods of the control socket. */
#include "daemon/control/waiters.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/json.h"
#include "common/queue.h"
#include "common/rpc.h"
#include "daemon/cluster/cluster.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/control/control.h"
#include "daemon/control/report.h"
#include "daemon/io/loop.h"
#include "daemon/io/writer.h"
#include "daemon/slurm/helper.h"

#define PROGRESS_INTERVAL_MS 100
#define PROGRESS_TICK_MS     1000
#define WRITTEN_TICK_MS	     5
#define WRITTEN_MS	     2000 /* for which an answer waits for files */

/* One request that is answered later. */
struct waiter {
	TAILQ_ENTRY(waiter) link; /* waiters.list */
	struct client *client;
	json_t *id;
	enum rpc_method_id method;
	bool progress;
	bool bound;			/* this start ends with its connection */
	char *told;			/* the progress message that was sent last */
	bool pending;			/* this start begins when the stop under way is done */
	struct cluster_request request; /* of a pending start */
	json_t *extra;			/* further members for the answer to a start */
	int64_t ready_ms;		/* loop time since which it waits for files; 0: no */
};

struct waiters {
	struct cluster *cluster;
	TAILQ_HEAD(, waiter) list;
	struct loop_timer *serve;      /* serves the waiters, once for any number of changes */
	bool soon;		       /* the timer runs for a change */
	bool unanswered;	       /* a finished start or stop waits for files */
	const struct client *begun_by; /* the owner of the cluster; NULL: it has disconnected */
	bool unkept;		       /* the cluster ends with the owner's connection */
};

static void waiter_free(struct waiters *waiters, struct waiter *waiter)
{
	TAILQ_REMOVE(&waiters->list, waiter, link);
	json_decref(waiter->id);
	json_decref(waiter->extra);
	cluster_request_finish(&waiter->request);
	free(waiter->told);
	free(waiter);
}

/* This waiter's client becomes the owner of the cluster. */
static void begun(struct waiters *waiters, const struct waiter *waiter)
{
	waiters->begun_by = waiter->client;
	waiters->unkept = waiter->bound;
}

static const struct waiter *other_start(
	const struct waiters *waiters, const struct client *client)
{
	const struct waiter *waiter;

	TAILQ_FOREACH (waiter, &waiters->list, link)
		if (waiter->method == RPC_START && waiter->client != client)
			return waiter;
	return NULL;
}

static void tell_progress(struct waiters *waiters, struct waiter *waiter)
{
	json_t *progress = report_progress(waiters->cluster);
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
static void begin_pending(struct waiters *waiters, struct waiter *waiter)
{
	struct err err = ERR_INIT;

	waiter->pending = false;
	if (waiters->cluster->state == CLUSTER_STARTING) {
		loop_timer_start(waiters->serve, 0);
		return; /* another waiter's start was first: join that cluster */
	}
	if (cluster_start(waiters->cluster, &waiter->request, &err) < 0) {
		client_refuse(waiter->client, waiter->id, RPC_FAILED, err.text, NULL);
		waiter_free(waiters, waiter);
		return;
	}
	begun(waiters, waiter);
}

/* Is what the answer tells in the files, such as connect.json, or has their file system not
 * answered for long? Serves again soon if not. */
static bool is_written(struct waiters *waiters, struct waiter *waiter)
{
	if (writer_settle(WRITER_STATE, 0))
		return true;
	if (!waiter->ready_ms)
		waiter->ready_ms = loop_now_ms();
	if (loop_now_ms() - waiter->ready_ms >= WRITTEN_MS)
		return true;
	loop_timer_start(waiters->serve, WRITTEN_TICK_MS);
	waiters->soon = waiters->unanswered = true;
	return false;
}

static void serve_start(struct waiters *waiters, struct waiter *waiter)
{
	struct cluster *cluster = waiters->cluster;
	json_t *status;

	if (cluster->state != CLUSTER_STARTING && cluster->state != CLUSTER_STOPPING &&
		!is_written(waiters, waiter))
		return;
	switch (cluster->state) {
	case CLUSTER_RUNNING:
		status = report_status(cluster);
		json_object_update(status, waiter->extra);
		client_reply(waiter->client, waiter->id, status);
		waiter_free(waiters, waiter);
		return;
	case CLUSTER_FAILED:
		client_refuse(waiter->client, waiter->id, RPC_FAILED, cluster->failure.text,
			report_failure(cluster));
		waiter_free(waiters, waiter);
		return;
	case CLUSTER_STOPPED:
		client_refuse(waiter->client, waiter->id, RPC_CANCELLED,
			"the cluster was stopped while it started", NULL);
		waiter_free(waiters, waiter);
		return;
	case CLUSTER_STARTING:
	case CLUSTER_STOPPING:
		tell_progress(waiters, waiter);
	}
}

/* The answer to a stop, with the jobs that may have outlived it. */
static json_t *describe_end(const struct cluster *cluster)
{
	json_t *jobs = json_array();
	struct slurm_health health;
	const struct job *job;

	for (size_t i = 0; i < cluster->unconfirmed.count; i++)
		json_array_append_new(jobs, json_text(cluster->unconfirmed.item[i]));
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job->phase != PHASE_GONE)
			json_array_append_new(
				jobs, json_text(job->job_id ? job->id : job->tag));
	slurm_health(cluster->slurm, &health);
	return json_pack("{s:s, s:I, s:o, s:b}", "state", cluster_state_name(cluster->state),
		"unconfirmed", (json_int_t)json_array_size(jobs), "jobs", jobs, "slurm_answers",
		cluster->unconfirmed.count ? !cluster->in_silence
					   : !health.asked || health.answering);
}

static void serve_stop(struct waiters *waiters, struct waiter *waiter)
{
	struct cluster *cluster = waiters->cluster;

	if (!cluster_is_down(cluster)) {
		tell_progress(waiters, waiter);
	} else if (is_written(waiters, waiter)) {
		client_reply(waiter->client, waiter->id, describe_end(cluster));
		waiter_free(waiters, waiter);
	}
}

static void serve(void *arg)
{
	struct waiters *waiters = arg;
	enum cluster_state state = waiters->cluster->state;
	struct waiter *waiter, *next;

	waiters->soon = waiters->unanswered = false;
	/* First answer finished stops and starts, then begin pending starts. */
	TAILQ_FOREACH_SAFE (waiter, &waiters->list, link, next) {
		if (waiter->method == RPC_START && !waiter->pending)
			serve_start(waiters, waiter);
		else if (waiter->method == RPC_STOP)
			serve_stop(waiters, waiter);
		else if (waiter->method == RPC_SHUTDOWN)
			tell_progress(waiters, waiter);
	}
	TAILQ_FOREACH_SAFE (waiter, &waiters->list, link, next)
		if (waiter->pending && state != CLUSTER_STOPPING && !waiters->unanswered)
			begin_pending(waiters, waiter);
	/* Some progress depends on time alone: serve again after a tick. */
	if (!TAILQ_EMPTY(&waiters->list) && !waiters->soon)
		loop_timer_start(waiters->serve, PROGRESS_TICK_MS);
}

void waiters_changed(struct waiters *waiters)
{
	if (TAILQ_EMPTY(&waiters->list))
		return;
	if (waiters->cluster->state != CLUSTER_STARTING)
		loop_timer_start(waiters->serve, 0);
	else if (!waiters->soon)
		loop_timer_start(waiters->serve, PROGRESS_INTERVAL_MS);
	waiters->soon = true;
}

static struct waiter *add(struct waiters *waiters, struct client *client,
	const struct rpc_message *message, json_t *extra)
{
	struct waiter *waiter = xcalloc(1, sizeof(*waiter));

	waiter->client = client;
	waiter->id = json_incref(message->id);
	waiter->method = (enum rpc_method_id)rpc_method_find(message->method);
	waiter->progress = json_get_boolean(message->params, "progress", 0);
	waiter->bound = json_get_boolean(message->params, "bound", 0);
	waiter->extra = extra;
	TAILQ_INSERT_TAIL(&waiters->list, waiter, link);
	loop_timer_start(waiters->serve, 0);
	return waiter;
}

void waiters_add(struct waiters *waiters, struct client *client,
	const struct rpc_message *message, json_t *extra)
{
	add(waiters, client, message, extra);
}

void waiters_add_pending(struct waiters *waiters, struct client *client,
	const struct rpc_message *message, struct cluster_request *request, json_t *extra)
{
	struct waiter *waiter = add(waiters, client, message, extra);

	waiter->pending = true;
	waiter->request = *request;
	*request = (struct cluster_request){0};
}

void waiters_begun(
	struct waiters *waiters, const struct client *client, const struct rpc_message *message)
{
	waiters->begun_by = client;
	waiters->unkept = json_get_boolean(message->params, "bound", 0);
}

void waiters_claim(
	struct waiters *waiters, const struct client *client, const struct rpc_message *message)
{
	if (!waiters->begun_by)
		waiters_begun(waiters, client, message);
}

bool waiters_is_owner(const struct waiters *waiters, const struct client *client)
{
	return waiters->begun_by == client;
}

void waiters_keep(struct waiters *waiters, const struct client *client)
{
	if (waiters->begun_by == client)
		waiters->unkept = false;
}

void waiters_hand_over(struct waiters *waiters, const struct client *client)
{
	const struct waiter *other = other_start(waiters, client);

	if (waiters->begun_by == client && other)
		begun(waiters, other);
}

bool waiters_has_other_start(const struct waiters *waiters, const struct client *client)
{
	return other_start(waiters, client) != NULL;
}

bool waiters_cancel_pending(
	struct waiters *waiters, const struct client *client, const char *why)
{
	struct waiter *waiter, *next;
	bool any = false;

	TAILQ_FOREACH_SAFE (waiter, &waiters->list, link, next) {
		if (!waiter->pending || (client && waiter->client != client))
			continue;
		client_refuse(waiter->client, waiter->id, RPC_CANCELLED, why, NULL);
		waiter_free(waiters, waiter);
		any = true;
	}
	return any;
}

bool waiters_client_gone(
	struct waiters *waiters, const struct client *client, const struct client *heir)
{
	struct waiter *waiter, *next;
	bool unkept = waiters->unkept;

	TAILQ_FOREACH_SAFE (waiter, &waiters->list, link, next)
		if (waiter->client == client)
			waiter_free(waiters, waiter);
	if (waiters->begun_by != client)
		return false;
	if (unkept)
		waiters_hand_over(waiters, client);
	if (waiters->begun_by != client)
		return false;
	waiters->begun_by = unkept ? NULL : heir;
	return unkept;
}

void waiters_finish(struct waiters *waiters, bool stays)
{
	struct waiter *waiter, *next;

	serve(waiters);
	TAILQ_FOREACH_SAFE (waiter, &waiters->list, link, next) {
		if (waiter->method == RPC_SHUTDOWN) {
			json_t *result = describe_end(waiters->cluster);

			json_object_set_new(result, "stays", json_boolean(stays));
			client_reply(waiter->client, waiter->id, result);
		} else {
			client_refuse(
				waiter->client, waiter->id, RPC_CANCELLED, "dracod ends", NULL);
		}
		waiter_free(waiters, waiter);
	}
}

struct waiters *waiters_create(struct loop *loop, struct cluster *cluster)
{
	struct waiters *waiters = xcalloc(1, sizeof(*waiters));

	waiters->cluster = cluster;
	TAILQ_INIT(&waiters->list);
	waiters->serve = loop_timer_create(loop, serve, waiters);
	return waiters;
}

struct waiters *waiters_destroy(struct waiters *waiters)
{
	if (!waiters)
		return NULL;
	while (!TAILQ_EMPTY(&waiters->list))
		waiter_free(waiters, TAILQ_FIRST(&waiters->list));
	loop_timer_destroy(waiters->serve);
	free(waiters);
	return NULL;
}
