/* lifetime.c: the ends of jobs by walltime, and the safety net behind the handover. Part of the
 * cluster. */
#include "daemon/cluster/lifetime.h"

#include <errno.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/log.h"
#include "common/number.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/dask/jobscript.h"
#include "daemon/io/loop.h"
#include "daemon/policy/handover.h"

#define ASK_DEADLINE_MS 10000
#define AGAIN_MS	1000
#define STEP_MS		500 /* smaller differences are ignored: Slurm tells seconds */

/* What Slurm has given the job, by Slurm's clock alone. */
static int64_t given_ms(const struct job *job)
{
	return ((int64_t)job->end_time - (int64_t)job->start_time) * 1000;
}

int64_t cluster_job_end_ms(const struct job *job)
{
	if (!job->running_since_ms)
		return INT64_MAX;
	if (!job->end_ms)
		return job->running_since_ms + job->walltime_s * 1000;
	if (!job->start_time || job->start_time > job->end_time)
		return job->end_ms;
	return handover_end_ms(
		job->end_ms, given_ms(job), job->waited_ms, job->running_since_ms);
}

time_t cluster_job_time(const struct job *job)
{
	int64_t end_ms = cluster_job_end_ms(job);

	if (end_ms == INT64_MAX || !job->end_ms)
		return time(NULL);
	return job->end_time - (time_t)((end_ms - loop_now_ms()) / 1000);
}

int64_t cluster_job_length_ms(const struct job *job)
{
	int64_t walltime_ms = job->walltime_s * 1000;

	if (!job->running_since_ms || !job->start_time || job->start_time >= job->end_time)
		return walltime_ms;
	return min_of(walltime_ms, given_ms(job));
}

void cluster_lifetime_hello(struct cluster *cluster)
{
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		job->told_end_ms = 0;
	cluster_wake(cluster, 0);
}

static void on_limited(void *arg, const json_t *result, const struct err *err)
{
	struct cluster *cluster = arg;

	if (result)
		return;
	log_warning("scheduler: %s", err->text);
	cluster_lifetime_hello(cluster);
	cluster->limit_hold_ms = loop_now_ms() + AGAIN_MS;
}

/* Does the end differ from the one that the preload was told? */
static bool is_news(const struct job *job)
{
	int64_t end_ms = cluster_job_end_ms(job);

	return job_phase_is_alive(job->phase) && end_ms != INT64_MAX &&
		(end_ms < job->told_end_ms - STEP_MS || end_ms > job->told_end_ms + STEP_MS);
}

void cluster_lifetime_settle(struct cluster *cluster)
{
	int64_t margin_ms = cluster->request.settings.handover_margin_ms / 4;
	int64_t now = loop_now_ms();
	bool news = false;
	json_t *workers;
	struct job *job;
	int r;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		news |= is_news(job);
	if (!news || !cluster_is_due(cluster, cluster->limit_hold_ms))
		return;
	workers = json_object();
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		_cleanup_free_ char *name = xasprintf(JOBSCRIPT_WORKER_PREFIX "%s", job->id);
		int64_t end_ms = cluster_job_end_ms(job);

		if (job_phase_is_alive(job->phase) && job->id[0] && end_ms != INT64_MAX)
			json_object_set_new(workers, name,
				json_real((double)(end_ms - margin_ms - now) / 1000));
	}
	r = cluster->ops->ask_scheduler(cluster->arg, "limit",
		json_pack("{s:o}", "workers", workers), ASK_DEADLINE_MS, on_limited, cluster);
	if (r == -EBUSY) {
		cluster_wake(cluster, AGAIN_MS);
		return;
	}
	/* Without a connection nothing was sent; the preload's next hello comes back to this. */
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		job->told_end_ms = cluster_job_end_ms(job);
}
