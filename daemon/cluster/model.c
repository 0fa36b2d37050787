/* model.c: the actions on the model that all parts share: wake, notify, pause, stop and fail. */
#include "daemon/cluster/model.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/settings_places.h"
#include "daemon/cluster/job.h"
#include "daemon/cluster/model.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"

#define LATE_MS	     1000 /* a timer that is later by this: the host was suspended */
#define VERY_LATE_MS 60000

static const char *const state_names[] = {
	[CLUSTER_STOPPED] = "stopped",
	[CLUSTER_STARTING] = "starting",
	[CLUSTER_RUNNING] = "running",
	[CLUSTER_STOPPING] = "stopping",
	[CLUSTER_FAILED] = "failed",
};

const char *cluster_state_name(enum cluster_state state)
{
	return state_names[state];
}

static const char *const milestone_names[MILESTONE_COUNT] = {
	[MILESTONE_PREPARED] = "prepared",
	[MILESTONE_SUBMITTED] = "submitted",
	[MILESTONE_SCHEDULER] = "scheduler up",
	[MILESTONE_RUNNING] = "running",
	[MILESTONE_WORKER] = "first worker",
	[MILESTONE_READY] = "ready",
};

const char *cluster_milestone_name(enum cluster_milestone milestone)
{
	return milestone_names[milestone];
}

void cluster_request_finish(struct cluster_request *request)
{
	settings_finish(&request->settings);
	strv_finish(&request->environment);
	binding_start_finish(&request->slurm);
	free(request->directory);
	*request = (struct cluster_request){0};
}

bool cluster_is_blind(const struct cluster *cluster)
{
	return cluster->adoption.rebuilds && cluster->adoption.unread;
}

bool cluster_is_up(const struct cluster *cluster)
{
	return cluster->state == CLUSTER_STARTING || cluster->state == CLUSTER_RUNNING;
}

bool cluster_is_down(const struct cluster *cluster)
{
	return cluster->state == CLUSTER_STOPPED || cluster->state == CLUSTER_FAILED;
}

void cluster_set_state(struct cluster *cluster, enum cluster_state state)
{
	int64_t now = loop_now_ms();

	history_phase("cluster", cluster->name, state_names[cluster->state], state_names[state],
		now - cluster->since_ms, NULL); /* the failure itself is an event of its own */
	cluster->state = state;
	cluster->since_ms = now;
	cluster->ops->changed(cluster->arg);
}

void cluster_go_on(struct cluster *cluster, enum cluster_state state)
{
	cluster->state = state;
	cluster->ops->changed(cluster->arg);
}

/* Plan the reconcile for when_ms, at the latest. */
static void wake_at(struct cluster *cluster, int64_t now, int64_t when_ms)
{
	if (loop_timer_is_running(cluster->reconcile) && cluster->wake_ms <= when_ms) {
		if (cluster->wake_ms >= now - LATE_MS)
			return;
		when_ms = now; /* timers stand still while the host is suspended */
	}
	cluster->wake_ms = when_ms;
	loop_timer_start(cluster->reconcile, when_ms - now);
}

void cluster_wake(struct cluster *cluster, int64_t in_ms)
{
	int64_t now = loop_now_ms();

	wake_at(cluster, now, now + in_ms);
}

bool cluster_is_late(const struct cluster *cluster)
{
	return loop_timer_is_running(cluster->reconcile) &&
		loop_now_ms() - cluster->wake_ms > VERY_LATE_MS;
}

bool cluster_is_due(struct cluster *cluster, int64_t when_ms)
{
	int64_t now = loop_now_ms();

	if (when_ms <= now)
		return true;
	if (when_ms != INT64_MAX)
		wake_at(cluster, now, when_ms);
	return false;
}

void cluster_reached(struct cluster *cluster, enum cluster_milestone milestone)
{
	if (cluster->milestone_ms[milestone] < 0)
		cluster->milestone_ms[milestone] = loop_now_ms() - cluster->started_ms;
}

static const char *tell(
	struct cluster *cluster, enum notice_topic topic, const char *subject, const char *text)
{
	const struct notice *notice = notices_put(&cluster->notices, topic, subject, text);
	const char *told = notice ? notice->text : NULL;

	if (!told)
		return NULL;
	log_warning("cluster %s: %s", cluster->name, told);
	cluster->ops->changed(cluster->arg); /* may add others */
	return told;
}

bool cluster_notice(struct cluster *cluster, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	return tell(cluster, NOTICE_OTHER, text, text) != NULL;
}

const char *cluster_tell(struct cluster *cluster, enum notice_topic topic, const char *subject,
	const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	return tell(cluster, topic, subject, text);
}

const char *cluster_told(
	const struct cluster *cluster, enum notice_topic topic, const char *subject)
{
	const struct notice *notice = notices_find(&cluster->notices, topic, subject);

	return notice ? notice->text : NULL;
}

void cluster_withdraw(struct cluster *cluster, enum notice_topic topic, const char *subject)
{
	if (notices_remove(&cluster->notices, topic, subject))
		cluster->ops->changed(cluster->arg);
}

char *cluster_job_log(const struct cluster *cluster, const struct job *job)
{
	if (!job->job_id || !cluster->log_dir)
		return NULL;
	return xasprintf("%s/job-%s.log", cluster->log_dir, job->id);
}

int64_t cluster_jobs_wanted(const struct cluster *cluster)
{
	return cluster->size.target.jobs;
}

static void begin_stop(struct cluster *cluster)
{
	cluster->wanted = false;
	cluster->adoption.waits = false;
	cluster->stop_since_ms = loop_now_ms();
	cluster_set_state(cluster, CLUSTER_STOPPING);
	cluster_wake(cluster, 0);
}

void cluster_stop(struct cluster *cluster, const char *why)
{
	if (!cluster_is_up(cluster))
		return;
	history_note(EVENT_DECISION, "cluster", cluster->name, "stopping: %s", why);
	begin_stop(cluster);
}

void cluster_fail(struct cluster *cluster, const struct err *err, const char *log)
{
	if (!cluster_is_up(cluster))
		return;
	cluster->failure = *err;
	if (!cluster->failure.code)
		cluster->failure.code = -EIO;
	xreplace(&cluster->failure_log, log);
	history_failure("cluster", cluster->name, log, "giving up: %s", err->text);
	begin_stop(cluster);
}

void cluster_pause(struct cluster *cluster, const char *why)
{
	if (!cluster->size.paused)
		history_note(EVENT_DECISION, "cluster", cluster->name,
			"paused (%s): no jobs are requested and none are given back", why);
	xreplace(&cluster->size.paused, why);
	cluster_wake(cluster, 0);
	cluster->ops->changed(cluster->arg);
}

void cluster_forget_places(struct cluster *cluster)
{
	struct strv places = STRV_INIT;

	settings_places(&cluster->request.settings, &places);
	placement_init(
		&cluster->place.placement, cluster->request.settings.reservation, &places);
	strv_finish(&places);
}
