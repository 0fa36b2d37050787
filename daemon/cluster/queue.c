/* queue.c: the cluster's dealings with Slurm: wishes, ends, and what the queue shows. */
#include "daemon/cluster/queue.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/host.h"
#include "common/json.h"
#include "common/log.h"
#include "common/number.h"
#include "common/paths.h"
#include "daemon/cluster/failure.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/place.h"
#include "daemon/cluster/submission.h"
#include "daemon/cluster/wish.h"
#include "daemon/cluster/worker_start.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/slurm/helper.h"
#include "daemon/slurm/poll.h"

#define CANCEL_DEADLINE_MS 15000
#define UPDATE_DEADLINE_MS 15000
#define TERMINATE_GRACE_MS 3000	 /* for a job to end by itself before it is cancelled */
#define EPILOGUE_GRACE_MS  30000 /* the same, when it has an epilogue to run */

char *cluster_job_log(const struct cluster *cluster, const struct job *job)
{
	if (!job->job_id || !cluster->log_dir)
		return NULL;
	return xasprintf("%s/job-%s.log", cluster->log_dir, job->id);
}

static void on_query_wanted(void *arg)
{
	struct cluster *cluster = arg;

	poll_within(cluster->poll, 0);
}

const struct submissions_ops cluster_submissions_ops = {cluster_place_refused, on_query_wanted};

/* Ends. */

static void on_cancelled(
	void *arg, enum slurm_outcome outcome, const json_t *result, const struct err *err)
{
	struct cluster *cluster = arg;
	struct job *job;

	(void)result;
	if (outcome != OUTCOME_DONE) {
		log_warning("slurm: jobs could not be ended, trying again: %s", err->text);
		TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
			job->ending_sent = false;
		cluster_wake(cluster, 1000);
		return;
	}
	poll_within(cluster->poll, 200);
}

/* The strongest signal that is due for a job on its way out. */
static enum slurm_cancel_how due_signal(
	const struct cluster *cluster, const struct job *job, int64_t now)
{
	int64_t grace_ms = cluster_end_grace_ms(cluster);

	if (now - job->ending_since_ms > grace_ms + TERMINATE_GRACE_MS)
		return CANCEL_KILL;
	if (now - job->ending_since_ms > grace_ms)
		return CANCEL_CANCEL;
	return job->ending;
}

void cluster_end_job(struct cluster *cluster, struct job *job, const char *why)
{
	bool runs = job->phase != PHASE_SUBMITTED && job->phase != PHASE_PENDING;

	job->ending = runs ? CANCEL_TERMINATE : CANCEL_CANCEL;
	job->ending_sent = false;
	jobs_set_phase(cluster->jobs, job, PHASE_ENDING, why);
}

void cluster_end_jobs(struct cluster *cluster)
{
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job->job_id && job->phase != PHASE_GONE && job->phase != PHASE_ENDING)
			cluster_end_job(cluster, job, "the cluster stops");
	cluster_send_ends(cluster);
}

int64_t cluster_end_grace_ms(const struct cluster *cluster)
{
	return cluster->request.settings.epilogue ? EPILOGUE_GRACE_MS : TERMINATE_GRACE_MS;
}

void cluster_send_ends(struct cluster *cluster)
{
	json_t *ids[CANCEL_COUNT] = {json_array(), json_array(), json_array()};
	int64_t now = loop_now_ms();
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		enum slurm_cancel_how due;

		if (job->phase != PHASE_ENDING)
			continue;
		due = due_signal(cluster, job, now);
		if (job->ending_sent && due == job->ending)
			continue;
		if (job->ending_sent) /* asked before, in a gentler way */
			history_note(EVENT_DECISION, "job", job->id, "does not end: %s it",
				due == CANCEL_KILL ? "killing" : "cancelling");
		job->ending = due;
		job->ending_sent = true;
		json_array_append_new(ids[due], json_string(job->id));
	}
	for (int how = 0; how < CANCEL_COUNT; how++) {
		if (json_array_size(ids[how]) == 0) {
			json_decref(ids[how]);
			continue;
		}
		if (slurm_request(cluster->slurm, "cancel",
			    json_pack("{s:o, s:s}", "jobs", ids[how], "how",
				    slurm_cancel_name((enum slurm_cancel_how)how)),
			    CANCEL_DEADLINE_MS, on_cancelled, cluster) < 0)
			log_warning("slurm: too many requests wait; jobs are ended later");
	}
}

/* What the queue shows. */

static void apply(struct cluster *cluster, struct job *job, const struct slurm_job *report)
{
	_cleanup_free_ char *nodes = job->nodes ? xstrdup(job->nodes) : NULL;
	bool wanted = job_phase_is_wanted(job->phase);
	bool ran = job->phase == PHASE_STARTING || job->phase == PHASE_READY;
	bool young = cluster_job_is_young(job);

	jobs_apply(cluster->jobs, job, report);
	if (wanted && job->phase == PHASE_GONE && cluster->wanted)
		cluster_job_lost(cluster, job, young, false);
	else if (ran && job->phase == PHASE_PENDING)
		cluster_job_requeued(cluster, job, nodes);
}

/* A job with a tag of this cluster that is not in the model: the answer to its submission was lost,
 * or came twice. */
static void apply_unknown(struct cluster *cluster, const struct slurm_job *report)
{
	char id[SLURM_JOB_ID_MAX];

	if (submissions_recognise(cluster->submissions, report) ||
		slurm_state_is_end(report->state))
		return;
	slurm_job_format_id(report->job_id, report->task, id);
	history_note(
		EVENT_DECISION, "job", id, "is one too many (%s): cancelling it", report->name);
	if (slurm_request(cluster->slurm, "cancel",
		    json_pack("{s:[s], s:s}", "jobs", id, "how",
			    slurm_cancel_name(CANCEL_CANCEL)),
		    CANCEL_DEADLINE_MS, on_cancelled, cluster) < 0)
		log_warning("slurm: too many requests wait; it is cancelled later");
}

/* A job that a reading of the queue does not show. */
static void apply_absent(
	struct cluster *cluster, struct job *job, const struct slurm_job *reports, int count)
{
	bool wanted = job_phase_is_wanted(job->phase), young = cluster_job_is_young(job);

	/* An array that was cancelled before any of its tasks started is one record without
	 * tasks. */
	for (int i = 0; i < count; i++)
		if (reports[i].job_id == job->job_id && reports[i].task == SLURM_NO_TASK &&
			slurm_state_is_end(reports[i].state)) {
			apply(cluster, job, &reports[i]);
			return;
		}
	jobs_set_gone(cluster->jobs, job, STATE_COMPLETED, "is not known to Slurm any more");
	if (wanted && cluster->wanted)
		cluster_job_lost(cluster, job, young, true);
}

static bool is_ours(const struct slurm_job *report, const char *tag)
{
	return strncmp(report->name, tag, strlen(tag)) == 0;
}

static void take_over(struct cluster *cluster, const struct slurm_job *report, int64_t asked_ms)
{
	struct job *job = jobs_find(cluster->jobs, report->job_id, report->task, report->name);

	if (!job || (job->phase == PHASE_GONE && !slurm_state_is_end(report->state))) {
		apply_unknown(cluster, report);
		job = jobs_find(cluster->jobs, report->job_id, report->task, report->name);
	}
	if (job) {
		job->seen_ms = asked_ms;
		apply(cluster, job, report);
	}
}

static void on_read(void *arg, const struct slurm_job *reports, int count, int64_t asked_ms)
{
	struct cluster *cluster = arg;
	_cleanup_free_ char *prefix = paths_job_prefix(cluster->name);
	_cleanup_free_ char *tag = xasprintf("%s%s.", prefix, cluster->id);
	struct job *job;

	cluster->poll_failures = 0;
	/* What runs before what has ended: the judgement of an end asks whether other jobs run. */
	for (int i = 0; i < count; i++)
		if (is_ours(&reports[i], tag) && !slurm_state_is_end(reports[i].state))
			take_over(cluster, &reports[i], asked_ms);
	for (int i = 0; i < count; i++)
		if (is_ours(&reports[i], tag) && slurm_state_is_end(reports[i].state))
			take_over(cluster, &reports[i], asked_ms);
	submissions_queue_read(cluster->submissions, asked_ms);
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job->job_id && job->phase != PHASE_GONE && job->known_ms < asked_ms &&
			job->seen_ms < asked_ms)
			apply_absent(cluster, job, reports, count);
	cluster_wake(cluster, 0);
}

static void on_read_failed(void *arg, const struct err *err)
{
	struct cluster *cluster = arg;

	(void)err; /* helper.c logs it, and reports the state of Slurm */
	cluster->poll_failures++;
	cluster->ops->changed(cluster->arg);
	cluster_wake(cluster, 0);
}

const struct poll_ops cluster_poll_ops = {on_read, on_read_failed};

void cluster_plan_poll(struct cluster *cluster)
{
	struct jobs_count count = jobs_count(cluster->jobs);

	if (count.in_slurm == 0 && !submissions_in_doubt(cluster->submissions))
		return;
	poll_within(cluster->poll,
		poll_delay_ms(&(struct poll_facts){
			.unsettled = count.unsettled > 0,
			.calm_ms = loop_now_ms() - cluster->calm_since_ms,
			.failures = cluster->poll_failures,
			.interval_ms = cluster->request.settings.poll_interval_ms,
		}));
}

/* Pending jobs and bad nodes. */

static void on_excluded(
	void *arg, enum slurm_outcome outcome, const json_t *result, const struct err *err)
{
	(void)arg;
	(void)result;
	if (outcome != OUTCOME_DONE) /* they may fail there, too; that harms little */
		log_warning("slurm: %s", err->text);
}

void cluster_exclude_pending(struct cluster *cluster)
{
	_cleanup_free_ char *exclude = cluster_excluded_list(cluster);
	json_t *ids = json_array();
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job->phase == PHASE_SUBMITTED || job->phase == PHASE_PENDING)
			json_array_append_new(ids, json_string(job->id));
	if (!exclude || json_array_size(ids) == 0)
		json_decref(ids);
	else if (slurm_request(cluster->slurm, "update",
			 json_pack("{s:o, s:s}", "jobs", ids, "exclude", exclude),
			 UPDATE_DEADLINE_MS, on_excluded, cluster) < 0)
		log_warning("slurm: too many requests wait; pending jobs may use bad nodes");
}

/* Deadlines. */

int64_t cluster_check_deadlines(struct cluster *cluster)
{
	int64_t next = cluster_check_worker_start(cluster);

	next = min_of(next, cluster_check_workers_come(cluster));
	if (!cluster->wanted) /* it failed just now */
		return INT64_MAX;
	next = min_of(next, cluster_check_held(cluster));
	if (cluster->hold_until_ms > loop_now_ms() && cluster->hold_until_ms < next)
		next = cluster->hold_until_ms;
	return next;
}
