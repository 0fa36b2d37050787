/* failure.c: reacts to wanted jobs that end by themselves. Applies the verdicts of policy/failure.c
 * and policy/bad_nodes.c. Part of the cluster. */
#include "daemon/cluster/failure.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/number.h"
#include "common/paths.h"
#include "daemon/cluster/deaths.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/lifetime.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/nodes.h"
#include "daemon/cluster/worker_start.h"
#include "daemon/dask/jobscript.h"
#include "daemon/dask/scheduler.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"

#define UNREACHED_MS 25000 /* half of the time for which a job tries to reach the scheduler */

void cluster_failure_clear(struct cluster *cluster)
{
	free(cluster->failures.reason_log);
	cluster->failures = (struct cluster_failures){0};
}

bool cluster_job_is_young(const struct job *job)
{
	return !job->ready_since_ms || loop_now_ms() - job->ready_since_ms <= JOB_YOUNG_MS;
}

int64_t cluster_job_overdue_ms(const struct cluster *cluster, const struct job *job)
{
	if (!job_is_running(job) || job->connected > 0 || job->suspended_since_ms)
		return INT64_MAX;
	return job->alone_since_ms + cluster->request.settings.worker_timeout_ms;
}

/* Does a job other than this one run and have workers, or may it still get them? */
static bool others_run(const struct cluster *cluster, const struct job *than)
{
	const struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job != than && job_is_running(job) &&
			cluster_job_overdue_ms(cluster, job) > loop_now_ms())
			return true;
	return false;
}

/* Does a job other than this one have workers? A job on its way out counts: its workers may still
 * finish tasks. */
static bool others_work(const struct cluster *cluster, const struct job *than)
{
	const struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job != than && job->phase < PHASE_ENDING && job->connected > 0)
			return true;
	return false;
}

/* Record a success for each job that stopped being young after the last failure. */
static void note_successes(struct cluster *cluster)
{
	const struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job->phase == PHASE_READY && !cluster_job_is_young(job))
			failures_succeed(
				&cluster->failures.jobs, job->ready_since_ms + JOB_YOUNG_MS);
}

static void stop_asking(struct cluster *cluster, const char *why)
{
	_cleanup_free_ char *resume = paths_command(cluster->name, "resume");

	cluster_tell(cluster, NOTICE_FAILURES, NULL,
		"%s: draco requests no more jobs until \"%s\"", why, resume);
	cluster_pause(cluster, why);
}

void cluster_failure_resume(struct cluster *cluster)
{
	struct cluster_failures *failures = &cluster->failures;

	failures->jobs = (struct failures){0};
	failures->reason = (struct err)ERR_INIT;
	xreplace(&failures->reason_log, NULL);
	cluster_withdraw(cluster, NOTICE_FAILURES, NULL);
	cluster->hold_until_ms = 0;
	cluster_wake(cluster, 0);
}

bool cluster_fail_without_jobs(struct cluster *cluster)
{
	struct cluster_failures *failures = &cluster->failures;

	if (!failures->reason.code || jobs_count(cluster->jobs).alive > 0)
		return false;
	cluster_fail(cluster, &failures->reason, failures->reason_log);
	return true;
}

/* There were too many failures. A start fails; so does a cluster without other workers. Otherwise
 * the cluster keeps its jobs and asks for no more. */
static void give_up(
	struct cluster *cluster, const struct job *job, const struct err *err, const char *log)
{
	_cleanup_free_ char *why = NULL;

	if (cluster->state == CLUSTER_STARTING || !others_work(cluster, job)) {
		cluster_nodes_forgive(cluster, "jobs fail wherever they run");
		cluster_fail(cluster, err, log);
		return;
	}
	cluster->failures.reason = *err;
	xreplace(&cluster->failures.reason_log, log);
	history_failure("cluster", cluster->name, log, "%s", err->text);
	why = xasprintf("%s (log: %s)", err->text, log ? log : "none");
	stop_asking(cluster, why);
}

/* Was the node of this job excluded only after the job was submitted? */
static bool predates_exclusion(
	const struct cluster *cluster, const struct job *job, int64_t now_ms)
{
	int64_t until_ms = bad_nodes_excluded_until_ms(&cluster->nodes, job->nodes, now_ms);

	return until_ms && job->known_ms <= until_ms - BAD_NODE_FOR_MS;
}

/* Count the failure of job. how: how the job ended, for a person. */
static void count(struct cluster *cluster, const struct job *job, const char *how,
	const struct job_end_verdict *verdict)
{
	struct failures *failures = &cluster->failures.jobs;
	int64_t now = loop_now_ms();
	int64_t limit = min_of(cluster->request.settings.failure_limit,
		job->not_launched && cluster->state == CLUSTER_STARTING ? LAUNCHES_MAX
									: INT64_MAX);
	_cleanup_free_ char *log = cluster_job_log(cluster, job);
	struct err err = ERR_INIT;

	if (verdict->fatal) {
		err_set(&err, -EIO, "job %s %s", job->id, how);
		cluster_fail(cluster, &err, log);
		return;
	}
	if (predates_exclusion(cluster, job, now)) {
		history_failure("job", job->id, log, "%s; its node is excluded already", how);
		return;
	}
	note_successes(cluster);
	if (!failures_add(failures, job->start_time,
		    job->phase == PHASE_GONE ? job->end_time : cluster_job_time(job), now)) {
		history_failure("job", job->id, log, "%s; as others did just now", how);
	} else if (failures->in_a_row >= limit) {
		err_set(&err, -EIO, "job %s %s; %d failure%s in a row (failure_limit)", job->id,
			how, failures->in_a_row, failures->in_a_row == 1 ? "" : "s");
		give_up(cluster, job, &err, log);
		return;
	} else {
		if (cluster->hold_until_ms < failures->hold_until_ms)
			cluster->hold_until_ms = failures->hold_until_ms;
		history_failure("job", job->id, log,
			"%s; the next submission waits %" PRId64 " s (failure %d in a row)",
			how, failure_backoff_ms(failures->in_a_row) / 1000, failures->in_a_row);
	}
	if (verdict->blames_node)
		cluster_nodes_blame(cluster, job, failures->last_ms, how);
}

/* The full description of the job's end: Slurm's words, and the facts that draco adds. The caller
 * frees. */
static char *describe(
	const struct cluster *cluster, const struct job *job, enum job_end end, bool counts)
{
	_cleanup_free_ char *hint = end == END_OUT_OF_MEMORY
		? failure_memory_hint(job->processes, job->memory_mib)
		: NULL;
	const char *death = end == END_OUT_OF_MEMORY ? cluster_last_death(job) : NULL;
	bool silent = counts && end != END_NOT_LAUNCHED && !job->was_connected &&
		!jobscript_explain_exit(job->exit_status);

	if (end == END_NOT_LAUNCHED)
		return xasprintf(
			"could not be launched on %s (%s): can the node write the job's log, "
			"and does it see its directory? log_directory is %s",
			job->nodes && job->nodes[0] ? job->nodes : "its node",
			job->reason ? job->reason : "no reason known", cluster->log_dir);
	if (end == END_UNREACHED)
		return xasprintf(
			"%s at %s: a firewall may be why; scheduler_port chooses the port",
			job->end_text, scheduler_address(cluster->scheduler));
	return xasprintf("%s%s%s%s%s%s", job->end_text,
		silent ? " before any of its workers connected" : "",
		death ? "; the last of its workers: " : "", death ? death : "",
		hint ? "; " : "", hint ? hint : "");
}

/* Somebody has cancelled the job: the cluster asks for no more. */
static void note_cancel(struct cluster *cluster, const struct job *job)
{
	struct err err = ERR_INIT;

	if (!failures_cancelled(&cluster->failures.jobs, loop_now_ms()) || cluster->size.paused)
		return;
	if (cluster->state != CLUSTER_STARTING) {
		stop_asking(cluster, "jobs are being cancelled by someone");
		return;
	}
	err_set(&err, -ECANCELED,
		"jobs are being cancelled by someone: %d within a minute, the last was job %s",
		CANCELS_MAX, job->id);
	cluster_fail(cluster, &err, NULL);
}

static void tell(const struct cluster *cluster, const struct job *job,
	const struct job_end_verdict *verdict, const char *how)
{
	_cleanup_free_ char *log = cluster_job_log(cluster, job);
	const char *next = cluster->size.paused ? "" : job_replace_text(verdict->replace);
	_cleanup_free_ char *text = xasprintf("%s%s%s%s%s", how, *verdict->remark ? ", " : "",
		verdict->remark, *next ? "; " : "", next);

	if (verdict->is_failure)
		history_failure("job", job->id, log, "%s", text);
	else
		history_note(EVENT_NOTE, "job", job->id, "%s", text);
}

struct job_end_verdict cluster_judge_end(
	const struct cluster *cluster, const struct job *job, enum job_end end, bool young)
{
	return job_end_judge(&(struct job_end_facts){
		.end = end,
		.young = young,
		.starting = cluster->state == CLUSTER_STARTING,
		.others_run = others_run(cluster, job),
	});
}

void cluster_apply_verdict(struct cluster *cluster, const struct job *job,
	const struct job_end_verdict *verdict, const char *how)
{
	if (verdict->counts) {
		count(cluster, job, how, verdict);
		return;
	}
	tell(cluster, job, verdict, how);
	if (verdict->blames_node)
		cluster_nodes_blame(cluster, job, loop_now_ms(), how);
}

/* All the time while a job tried to reach it? One that came up meanwhile proves nothing. */
static bool scheduler_was_up(const struct cluster *cluster)
{
	return scheduler_state(cluster->scheduler) == SCHEDULER_UP &&
		loop_now_ms() - scheduler_since_ms(cluster->scheduler) >= UNREACHED_MS;
}

static enum job_end find_end(
	struct cluster *cluster, struct job *job, bool young, bool vanished)
{
	if (job->abandoned)
		return END_ABANDONED; /* counted as the scheduler's failure */
	if (!vanished && job->not_launched)
		return END_NOT_LAUNCHED;
	if (!vanished && job->end_state == STATE_FAILED &&
		job->exit_status == JOBSCRIPT_EXIT_SCHEDULER)
		return scheduler_was_up(cluster) ? END_UNREACHED : END_ABANDONED;
	if (young && !vanished && cluster_forkserver_is_to_blame(cluster, job))
		return END_FORKSERVER;
	/* A slurmctld that died before it saved the job does not know it any more. */
	return vanished ? END_VANISHED : job_end_of_state(job->end_state);
}

void cluster_job_lost(struct cluster *cluster, struct job *job, bool young, bool vanished)
{
	enum job_end end = find_end(cluster, job, young, vanished);
	struct job_end_verdict verdict = cluster_judge_end(cluster, job, end, young);
	_cleanup_free_ char *how = describe(cluster, job, end, verdict.counts);

	if (!verdict.counts && !young)
		failures_succeed(&cluster->failures.jobs, loop_now_ms());
	cluster_apply_verdict(cluster, job, &verdict, how);
	if (!verdict.counts && end == END_CANCELLED)
		note_cancel(cluster, job);
	cluster_fail_without_jobs(cluster);
}

void cluster_job_requeued(struct cluster *cluster, struct job *job, const char *nodes)
{
	struct job_end_verdict verdict =
		job_end_judge(&(struct job_end_facts){.end = END_REQUEUED});
	_cleanup_free_ char *how = xasprintf("was requeued by Slurm%s%s",
		nodes && *nodes ? ", from " : "", nodes && *nodes ? nodes : "");

	/* Treat it as a new job: its time in its place and the counts of its workers begin
	 * again. */
	job->placed_ms = loop_now_ms();
	job->running_since_ms = 0;
	job->was_connected = job->was_ready = job->abandoned = false;
	job->early_deaths = 0;
	tell(cluster, job, &verdict, how);
}
