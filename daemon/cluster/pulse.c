/* pulse.c: a Dask scheduler that runs, and does not answer: it was stopped by a signal, the host
 * swaps, or a callback never ends. Part of the cluster.
 *
 * Silence is counted in requests without an answer, not in time: a host or a dracod that was
 * suspended has heard nothing either. */
#include "daemon/cluster/pulse.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/parse.h"
#include "daemon/cluster/model.h"
#include "daemon/dask/scheduler.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"

#define EVERY_MS    20000 /* from an answer to the next question */
#define DEADLINE_MS 10000 /* for an answer */
#define TOLD_AT	    3	  /* questions without an answer until the user is told */

static void forget(struct cluster *cluster)
{
	struct cluster_pulse *pulse = &cluster->pulse;

	cluster_withdraw(cluster, NOTICE_SILENT, NULL);
	pulse->unanswered = 0;
	pulse->heard_ms = loop_now_ms();
}

static void tell(struct cluster *cluster)
{
	struct cluster_pulse *pulse = &cluster->pulse;
	int64_t limit_ms = cluster->request.settings.scheduler_silence_ms;
	char when[32], limit[FORMAT_MAX];
	const char *text;
	struct tm local;

	if (pulse->unanswered != TOLD_AT || cluster_told(cluster, NOTICE_SILENT, NULL))
		return;
	localtime_r(&pulse->since, &local);
	strftime(when, sizeof(when), "%H:%M:%S", &local);
	text = cluster_tell(cluster, NOTICE_SILENT, NULL,
		"the Dask scheduler (process %d) has not answered since %s%s%s%s",
		scheduler_pid(cluster->scheduler), when,
		limit_ms ? "; without an answer for " : "",
		limit_ms ? format_duration(limit_ms, limit) : "",
		limit_ms ? " (scheduler_silence) it is replaced, and all results are lost"
			 : "");
	history_failure("scheduler", NULL, scheduler_log_path(cluster->scheduler), "%s", text);
}

static void on_answer(void *arg, const json_t *result, const struct err *err)
{
	struct cluster *cluster = arg;
	struct cluster_pulse *pulse = &cluster->pulse;

	pulse->asking = false;
	cluster_wake(cluster, 0);
	if (result || err->code != -ETIMEDOUT) { /* a lost connection has a limit of its own */
		if (result && cluster_told(cluster, NOTICE_SILENT, NULL))
			history_note(EVENT_NOTE, "scheduler", NULL, "it answers again");
		forget(cluster);
		return;
	}
	if (pulse->unanswered++ == 0)
		pulse->since = time(NULL) - DEADLINE_MS / 1000;
	tell(cluster);
}

static void ask(struct cluster *cluster)
{
	struct cluster_pulse *pulse = &cluster->pulse;

	pulse->asking = cluster->ops->ask_scheduler(cluster->arg, "ping", json_object(),
				DEADLINE_MS, on_answer, cluster) == 0;
	if (!pulse->asking)
		pulse->heard_ms = loop_now_ms();
}

void cluster_check_pulse(struct cluster *cluster)
{
	struct cluster_pulse *pulse = &cluster->pulse;
	int64_t limit_ms = cluster->request.settings.scheduler_silence_ms;
	int64_t due_ms = pulse->heard_ms + (pulse->unanswered ? 0 : EVERY_MS);

	if (scheduler_state(cluster->scheduler) != SCHEDULER_UP)
		return;
	if (limit_ms && (int64_t)pulse->unanswered * DEADLINE_MS >= limit_ms) {
		scheduler_kill(cluster->scheduler, "has not answered for scheduler_silence");
		forget(cluster);
		return;
	}
	if (!pulse->asking && cluster_is_due(cluster, due_ms))
		ask(cluster);
}

void cluster_pulse_finish(struct cluster *cluster)
{
	forget(cluster);
}
