/* overdue.c: running jobs whose workers, or some of them, are missing for too long, and pending
 * jobs that are held. Part of the cluster. */
#include "daemon/cluster/overdue.h"

#include <errno.h>
#include <inttypes.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/parse.h"
#include "common/paths.h"
#include "daemon/cluster/ends.h"
#include "daemon/cluster/failure.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/dask/scheduler.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"

static void fail_start(struct cluster *cluster, const struct job *job, const char *waited)
{
	_cleanup_free_ char *log = cluster_job_log(cluster, job);
	struct err err = ERR_INIT;

	err_set(&err, -ETIMEDOUT,
		"job %s runs on %s, but none of its workers has connected within %s "
		"(worker_timeout): can the node reach %s?",
		job->id, job->nodes ? job->nodes : "?", waited,
		scheduler_address(cluster->scheduler));
	cluster_fail(cluster, &err, log);
}

static void end_without_workers(struct cluster *cluster, struct job *job)
{
	enum job_end end = job->abandoned ? END_ABANDONED
		: job->was_connected	  ? END_LOST_WORKERS
					  : END_NO_WORKERS;
	struct job_end_verdict verdict =
		cluster_judge_end(cluster, job, end, cluster_job_is_young(job));
	_cleanup_free_ char *how = NULL;
	char waited[FORMAT_MAX];

	format_duration(cluster->request.settings.worker_timeout_ms, waited);
	if (verdict.fatal && end == END_NO_WORKERS) {
		fail_start(cluster, job, waited);
		return;
	}
	how = xasprintf("runs on %s, but %s within %s (worker_timeout)",
		job->nodes ? job->nodes : "?",
		end == END_NO_WORKERS ? "none of its workers has connected"
				      : "all of its workers have gone, and none has come back",
		waited);
	cluster_end_job(cluster, job, how);
	cluster_apply_verdict(cluster, job, &verdict, how);
}

/* Some workers of a job have gone for good: replace it. Or they never connected: go on with the
 * others. */
static void check_short(struct cluster *cluster, struct job *job)
{
	bool starts = job->phase == PHASE_STARTING;
	int64_t since_ms = starts ? job->came_ms : job->short_since_ms;
	int64_t due_ms = since_ms + cluster->request.settings.worker_timeout_ms;
	_cleanup_free_ char *log = NULL, *retire = NULL;
	char waited[FORMAT_MAX];

	if ((!starts && job->phase != PHASE_READY) || !since_ms || job->short_told ||
		job->connected == 0)
		return;
	if (!cluster_is_due(cluster, due_ms))
		return;
	log = cluster_job_log(cluster, job);
	retire = paths_command(cluster->name, "retire");
	format_duration(cluster->request.settings.worker_timeout_ms, waited);
	if (starts)
		history_failure("job", job->id, log,
			"has had only %" PRId64 " of its %" PRId64
			" workers for %s, and continues with them; \"%s %s\" replaces it",
			job->connected, job->processes, waited, retire, job->id);
	else
		history_failure("job", job->id, log,
			"has had only %" PRId64 " of its %" PRId64
			" workers for %s: another job replaces it",
			job->connected, job->processes, waited);
	/* Where they never came, they might not come in the next job, either. */
	job->worn = !starts;
	jobs_set_short(cluster->jobs, job);
	cluster_wake(cluster, 0);
}

void cluster_check_workers_come(struct cluster *cluster)
{
	struct job *job;

	if (cluster_fail_without_jobs(cluster))
		return;
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (cluster_is_due(cluster, cluster_job_overdue_ms(cluster, job)))
			end_without_workers(cluster, job);
		else
			check_short(cluster, job);
		if (!cluster->wanted) /* the check has failed the cluster */
			return;
	}
}

static void end_held(struct cluster *cluster, struct job *job)
{
	struct job_end_verdict verdict = cluster_judge_end(cluster, job, END_HELD, true);
	_cleanup_free_ char *how = NULL;
	char waited[FORMAT_MAX];

	how = xasprintf("is held (%s), and was not released within %s (wait_timeout)",
		job->reason ? job->reason : "?",
		format_duration(cluster->request.settings.wait_timeout_ms, waited));
	if (!verdict.fatal)
		cluster_end_job(cluster, job, how);
	cluster_apply_verdict(cluster, job, &verdict, how);
}

static void tell_held(struct job *job)
{
	if (!job->held_told)
		history_failure("job", job->id, NULL,
			"is held (%s): it does not start before somebody releases it "
			"(scontrol release %s)",
			job->reason ? job->reason : "?", job->id);
	job->held_told = true;
}

void cluster_check_held(struct cluster *cluster)
{
	int64_t timeout_ms = cluster->request.settings.wait_timeout_ms;
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (!job->held_since_ms || job->role == ROLE_STANDBY || !job_is_pending(job))
			continue;
		tell_held(job);
		if (cluster->size.paused)
			continue;
		if (cluster_is_due(cluster, job->held_since_ms + timeout_ms))
			end_held(cluster, job);
		if (!cluster->wanted) /* the check has failed the cluster */
			return;
	}
}
