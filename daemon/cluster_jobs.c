/* cluster_jobs.c: the cluster's dealings with Slurm: wishes, ends, and what the queue shows. */
#include "daemon/cluster_jobs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/host.h"
#include "common/json.h"
#include "common/log.h"
#include "common/parse.h"
#include "common/settings_job.h"
#include "daemon/cluster.h"
#include "daemon/cluster_place.h"
#include "daemon/cluster_worker_start.h"
#include "daemon/history.h"
#include "daemon/jobs.h"
#include "daemon/jobscript.h"
#include "daemon/loop.h"
#include "daemon/poll.h"
#include "daemon/scheduler.h"
#include "daemon/slurm.h"
#include "daemon/submission.h"

#define CANCEL_DEADLINE_MS 15000
#define TERMINATE_GRACE_MS 3000	 /* for a job to end by itself before it is cancelled */
#define EPILOGUE_GRACE_MS  30000 /* the same, when it has an epilogue to run */
#define FAILURES_MAX	   5	 /* of jobs in a row */
#define BACKOFF_FIRST_MS   5000
#define BACKOFF_MAX_MS	   300000

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

/* A job that ended although it was wanted. */
static void job_lost(struct cluster *cluster, struct job *job, bool young, bool vanished)
{
	struct err err = ERR_INIT;
	_cleanup_free_ char *log = cluster_job_log(cluster, job);
	int64_t pause_ms;
	bool fatal;

	if (job->abandoned)
		return; /* the scheduler's failure, which is counted there */
	if (!young) {
		cluster->failures = 0;
		return;
	}
	/* One that vanished was lost by Slurm: by a slurmctld that died before it had saved it. */
	if (!vanished && cluster_forkserver_is_to_blame(cluster, job))
		return; /* another one takes its place at once */
	fatal = cluster->state == CLUSTER_STARTING && !vanished;
	if (!fatal && loop_now_ms() < cluster->hold_until_ms)
		return; /* together with another one: that is counted once */
	cluster->failures++;
	if (fatal || cluster->failures >= FAILURES_MAX) {
		err_set(&err, -EIO, "job %s %s%s", job->id, job->end_text,
			job->was_connected || jobscript_explain_exit(job->exit_status)
				? ""
				: " before any of its workers connected");
		cluster_fail(cluster, &err, log);
		return;
	}
	pause_ms = (int64_t)BACKOFF_FIRST_MS << (cluster->failures - 1);
	if (pause_ms > BACKOFF_MAX_MS)
		pause_ms = BACKOFF_MAX_MS;
	cluster->hold_until_ms = loop_now_ms() + pause_ms;
	history_failure("job", job->id, log,
		"%s; the next submission waits %" PRId64 " s (%d. failure in a row)",
		job->end_text, pause_ms / 1000, cluster->failures);
}

static bool is_young(const struct job *job)
{
	return job->phase != PHASE_READY || loop_now_ms() - job->phase_since_ms <= JOB_YOUNG_MS;
}

static void apply(struct cluster *cluster, struct job *job, const struct slurm_job *report)
{
	bool wanted = job_phase_is_wanted(job->phase);
	bool young = is_young(job);

	jobs_apply(cluster->jobs, job, report);
	if (wanted && job->phase == PHASE_GONE && cluster->wanted)
		job_lost(cluster, job, young, false);
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
	bool wanted = job_phase_is_wanted(job->phase), young = is_young(job);

	/* An array that was cancelled before any of its tasks started is one record without tasks. */
	for (int i = 0; i < count; i++)
		if (reports[i].job_id == job->job_id && reports[i].task == SLURM_NO_TASK &&
			slurm_state_is_end(reports[i].state)) {
			apply(cluster, job, &reports[i]);
			return;
		}
	jobs_set_gone(cluster->jobs, job, STATE_COMPLETED, "is not known to Slurm any more");
	if (wanted && cluster->wanted)
		job_lost(cluster, job, young, true);
}

static void on_read(void *arg, const struct slurm_job *reports, int count, int64_t asked_ms)
{
	struct cluster *cluster = arg;
	_cleanup_free_ char *tag = xasprintf("draco-%s-%s.", cluster->name, cluster->id);
	struct job *job;

	cluster->poll_failures = 0;
	for (int i = 0; i < count; i++) {
		if (strncmp(reports[i].name, tag, strlen(tag)) != 0)
			continue;
		job = jobs_find(
			cluster->jobs, reports[i].job_id, reports[i].task, reports[i].name);
		if (!job ||
			(job->phase == PHASE_GONE && !slurm_state_is_end(reports[i].state))) {
			apply_unknown(cluster, &reports[i]);
			job = jobs_find(cluster->jobs, reports[i].job_id, reports[i].task,
				reports[i].name);
		}
		if (job) {
			job->seen_ms = asked_ms;
			apply(cluster, job, &reports[i]);
		}
	}
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

	(void)err; /* slurm.c logs it, and reports the state of Slurm */
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

/* Deadlines. */

/* The workers of a running job did not come. */
static void fail_starting(struct cluster *cluster, struct job *job)
{
	_cleanup_free_ char *log = cluster_job_log(cluster, job);
	struct err err = ERR_INIT;
	char waited[FORMAT_MAX];

	format_duration(cluster->request.settings.worker_timeout_ms, waited);
	err_set(&err, -ETIMEDOUT,
		"job %s runs on %s, but none of its workers has connected within %s "
		"(worker_timeout): can the node reach %s?",
		job->id, job->nodes ? job->nodes : "?", waited,
		scheduler_address(cluster->scheduler));
	cluster_fail(cluster, &err, log);
}

int64_t cluster_check_deadlines(struct cluster *cluster)
{
	const struct settings *s = &cluster->request.settings;
	int64_t next = cluster_check_worker_start(cluster), now = loop_now_ms();
	struct job *job;

	if (cluster->state != CLUSTER_STARTING)
		return next;
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		int64_t due = job->phase_since_ms + s->worker_timeout_ms;

		if (job->phase != PHASE_STARTING || job->connected > 0)
			continue;
		if (due <= now) {
			fail_starting(cluster, job);
			return INT64_MAX;
		}
		if (due < next)
			next = due;
	}
	return next;
}
