/* queue.c: applies Slurm's queue to the cluster's jobs, and plans the next query. */
#include "daemon/cluster/queue.h"

#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/paths.h"
#include "daemon/cluster/adopt.h"
#include "daemon/cluster/ends.h"
#include "daemon/cluster/failure.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/submission.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/slurm/poll.h"

static void apply(struct cluster *cluster, struct job *job, const struct slurm_job *report)
{
	_cleanup_free_ char *nodes = job->nodes ? xstrdup(job->nodes) : NULL;
	bool wanted = job_phase_is_wanted(job->phase);
	bool ran = job_is_running(job);
	bool young = cluster_job_is_young(job);

	jobs_apply(cluster->jobs, job, report);
	if (cluster->adoption.unread)
		return; /* it changed while nobody watched: that is no failure */
	if (wanted && job->phase == PHASE_GONE && cluster->wanted)
		cluster_job_lost(cluster, job, young, false);
	else if (ran && job->phase == PHASE_PENDING)
		cluster_job_requeued(cluster, job, nodes);
}

/* The report has a tag of this cluster, and the model has no such job: the answer to its submission
 * was lost, or arrived twice. */
static void apply_unknown(struct cluster *cluster, const struct slurm_job *report)
{
	char id[SLURM_JOB_ID_MAX];

	if (submissions_recognise(cluster->submissions, report) ||
		slurm_state_is_end(report->state))
		return;
	slurm_job_format_id(report->job_id, report->task, id);
	history_note(
		EVENT_DECISION, "job", id, "is one too many (%s): cancelling it", report->name);
	strv_add(&cluster->strays, id);
}

/* The last query did not show this job. */
static void apply_absent(
	struct cluster *cluster, struct job *job, const struct slurm_job *reports, int count)
{
	bool wanted = job_phase_is_wanted(job->phase), young = cluster_job_is_young(job);

	/* Slurm keeps one record without tasks for an array that was cancelled before a task
	 * started. */
	for (int i = 0; i < count; i++)
		if (reports[i].job_id == job->job_id && reports[i].task == SLURM_NO_TASK &&
			slurm_state_is_end(reports[i].state)) {
			apply(cluster, job, &reports[i]);
			return;
		}
	jobs_set_gone(cluster->jobs, job, STATE_COMPLETED, "is not known to Slurm any more");
	if (wanted && cluster->wanted && !cluster->adoption.unread)
		cluster_job_lost(cluster, job, young, true);
}

static bool is_ours(const struct slurm_job *report, const char *tag)
{
	return strncmp(report->name, tag, strlen(tag)) == 0;
}

static void take_over(struct cluster *cluster, const struct slurm_job *report, int64_t asked_ms)
{
	struct job *job;

	cluster_adopt_job(cluster, report);
	job = jobs_find(cluster->jobs, report->job_id, report->task, report->name);
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
	/* Running jobs first: the verdict about an ended job asks whether others run. */
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
	cluster_adopt_queue(cluster);
	cluster_wake(cluster, 0);
}

static void on_read_failed(void *arg, const struct err *err)
{
	struct cluster *cluster = arg;

	(void)err; /* helper.c logs it and reports Slurm's state */
	cluster->poll_failures++;
	cluster->ops->changed(cluster->arg);
	cluster_wake(cluster, 0);
}

const struct poll_ops cluster_poll_ops = {on_read, on_read_failed};

static enum poll_pace pace(const struct cluster *cluster, const struct jobs_count *count)
{
	if (cluster->state == CLUSTER_STOPPING)
		return POLL_STOPPING;
	if (cluster->state == CLUSTER_RUNNING && count->changing == 0)
		return POLL_GROWING;
	return POLL_USUAL;
}

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
			.pace = pace(cluster, &count),
		}));
}
