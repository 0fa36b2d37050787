/* ending.c: ends dracod, and waits for jobs first. */
#include "daemon/ending.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/settings.h"
#include "daemon/cluster/cluster.h"
#include "daemon/cluster/model.h"
#include "daemon/control/control.h"
#include "daemon/control/methods.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/slurm/leftover.h"
#include "daemon/slurm/linger.h"
#include "systemd/notify.h"

/* How long an end that a client asked for waits for the jobs of earlier clusters. */
#define LEFTOVER_PATIENCE_MS 15000
#define LEFTOVER_LOOK_MS     200

struct ending {
	struct ending_parts parts;
	struct linger *linger;
	bool begun;
	bool soon;	/* do not wait for jobs after the stop */
	bool signalled; /* one signal has arrived */
	int64_t since_ms;
	struct loop_timer *finish; /* runs when the stop is done, or takes too long */
	struct loop_timer *unused; /* runs when dracod was unused for stay_ms */
	int64_t stay_ms;
};

static void on_confirmed(void *arg)
{
	struct ending *ending = arg;

	strv_finish(&ending->parts.cluster->unconfirmed);
}

/* Can the remaining jobs be expected to end in a moment? */
static bool may_wait(const struct ending *ending)
{
	return ending->parts.cluster->unconfirmed.count == 0 &&
		loop_now_ms() < ending->since_ms + LEFTOVER_PATIENCE_MS;
}

static void stay(struct ending *ending)
{
	history_note(EVENT_DECISION, "dracod", NULL,
		"asked to end: staying until the jobs that are left are gone");
	ending->begun = false;
	methods_finish_shutdown(ending->parts.methods, true);
}

static void on_finish(void *arg)
{
	struct ending *ending = arg;

	if (!leftover_has_any(ending->parts.leftover))
		on_confirmed(ending);
	if (ending->soon || !cluster_is_down(ending->parts.cluster) ||
		!linger_begin(ending->linger)) {
		notify_stopping();
		methods_finish_shutdown(ending->parts.methods, false);
		loop_exit(ending->parts.loop); /* daemon_destroy() sends the answers */
	} else if (may_wait(ending)) {
		loop_timer_start(ending->finish, LEFTOVER_LOOK_MS);
	} else {
		stay(ending);
	}
}

void ending_begin(struct ending *ending, const char *why)
{
	struct cluster *cluster = ending->parts.cluster;

	if (!ending->begun)
		ending->since_ms = loop_now_ms();
	ending->begun = true;
	methods_begin_shutdown(ending->parts.methods);
	cluster_stop(cluster, why);
	loop_timer_start(
		ending->finish, cluster_is_down(cluster) ? 0 : cluster_stop_limit_ms(cluster));
}

void ending_begin_soon(struct ending *ending, const char *why)
{
	ending->soon = true;
	if (ending->begun)
		return;
	notify_stopping();
	ending_begin(ending, why);
}

void ending_signalled(struct ending *ending)
{
	if (!ending->signalled) {
		ending->signalled = true;
		history_note(EVENT_NOTE, "dracod", NULL, "asked to end by a signal");
		ending_begin_soon(ending, "dracod ends");
		return;
	}
	history_note(EVENT_DECISION, "dracod", NULL,
		"asked to end by a second signal: not waiting for the jobs any more");
	on_finish(ending);
}

static bool is_used(void *arg)
{
	const struct ending *ending = arg;

	return control_count(ending->parts.control) > 0;
}

static void on_lingered(void *arg, const char *why)
{
	history_note(EVENT_DECISION, "dracod", NULL, "%s", why);
	ending_begin_soon(arg, "dracod ends");
}

/* idle_shutdown of the last cluster, in ms; without a cluster, the default. */
static int64_t idle_shutdown_ms(const struct cluster *cluster)
{
	struct settings settings;
	int64_t ms;

	if (cluster->started_ms)
		return cluster->request.settings.idle_shutdown_ms;
	settings_init(&settings);
	ms = settings.idle_shutdown_ms;
	settings_finish(&settings);
	return ms;
}

/* dracod stays while its last cluster is FAILED, because the status tells why. */
static void watch_use(struct ending *ending)
{
	if (ending->stay_ms > 0 && ending->parts.cluster->state == CLUSTER_STOPPED &&
		!ending->begun)
		loop_timer_start(ending->unused, ending->stay_ms);
	else
		loop_timer_stop(ending->unused);
}

static void watch_leftover(struct ending *ending)
{
	const struct cluster *cluster = ending->parts.cluster;

	if (cluster_is_down(cluster))
		linger_watch(ending->linger, idle_shutdown_ms(cluster));
	else
		linger_stop(ending->linger);
}

static void on_unused(void *arg)
{
	struct ending *ending = arg;

	if (is_used(ending) || leftover_has_any(ending->parts.leftover)) {
		watch_use(ending);
		return;
	}
	history_note(EVENT_DECISION, "dracod", NULL,
		"no cluster and no client for %" PRId64 " s", ending->stay_ms / 1000);
	ending_begin(ending, "dracod ends");
}

struct ending *ending_create(const struct ending_parts *parts, int64_t stay_ms)
{
	static const struct linger_ops linger_ops = {is_used, on_confirmed, on_lingered};
	struct ending *ending = xcalloc(1, sizeof(*ending));

	ending->parts = *parts;
	ending->stay_ms = stay_ms;
	ending->finish = loop_timer_create(parts->loop, on_finish, ending);
	ending->unused = loop_timer_create(parts->loop, on_unused, ending);
	ending->linger =
		linger_create(parts->loop, parts->slurm, parts->leftover, &linger_ops, ending);
	watch_use(ending);
	watch_leftover(ending);
	return ending;
}

struct ending *ending_destroy(struct ending *ending)
{
	if (!ending)
		return NULL;
	linger_destroy(ending->linger);
	loop_timer_destroy(ending->finish);
	loop_timer_destroy(ending->unused);
	free(ending);
	return NULL;
}

void ending_cluster_changed(struct ending *ending)
{
	watch_use(ending);
	watch_leftover(ending);
	if (ending->begun && cluster_is_down(ending->parts.cluster))
		loop_timer_start(ending->finish, 0);
}

void ending_client_gone(struct ending *ending)
{
	watch_use(ending);
}
