/* leaving.c: tells the preload which jobs are on their way out, so that no worker of theirs that
 * connects late takes a task and dies with it. Part of the cluster. */
#include "daemon/cluster/leaving.h"

#include <errno.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/dask/jobscript.h"

#define ASK_DEADLINE_MS 10000
#define AGAIN_MS	1000

bool job_is_leaving(const struct job *job)
{
	return job->phase == PHASE_DRAINING || job->phase == PHASE_RETIRING ||
		job->phase == PHASE_ENDING;
}

void cluster_leaving_hello(struct cluster *cluster)
{
	json_decref(cluster->leaving);
	cluster->leaving = NULL;
	cluster_wake(cluster, 0);
}

/* The names of the workers of these jobs, without -N. */
static json_t *list(const struct cluster *cluster)
{
	json_t *names = json_array();
	const struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		_cleanup_free_ char *name = xasprintf(JOBSCRIPT_WORKER_PREFIX "%s", job->id);

		if (job_is_leaving(job) && job->id[0])
			json_array_append_new(names, json_text(name));
	}
	return names;
}

/* The workers are also drained one by one when they connect: see giveback.c. */
static void on_told(void *arg, const json_t *result, const struct err *err)
{
	(void)arg;
	if (!result)
		log_warning("scheduler: %s", err->text);
}

void cluster_leaving_settle(struct cluster *cluster)
{
	json_t *names = list(cluster);
	int r;

	if (cluster->leaving ? json_equal(cluster->leaving, names)
			     : json_array_size(names) == 0) {
		json_decref(names);
		return;
	}
	r = cluster->ops->ask_scheduler(cluster->arg, "leaving",
		json_pack("{s:O}", "jobs", names), ASK_DEADLINE_MS, on_told, cluster);
	if (r == -EBUSY) {
		cluster_wake(cluster, AGAIN_MS);
		json_decref(names);
		return;
	}
	/* Without a connection, the next hello comes back to this. */
	json_decref(cluster->leaving);
	cluster->leaving = names;
}
