/* hand.c: the cluster's size by hand. A request of a user changes the model; the policies respect
 * it. Part of the cluster. */
#include "daemon/cluster/hand.h"

#include <errno.h>
#include <inttypes.h>

#include "common/alloc.h"
#include "common/amount.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/paths.h"
#include "daemon/cluster/ends.h"
#include "daemon/cluster/failure.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/io/history.h"

static void changed(struct cluster *cluster)
{
	cluster_wake(cluster, 0);
	cluster->ops->changed(cluster->arg);
}

/* Refuse more jobs than are allowed, either by the site, which nobody here can change, or by a
 * setting, which the user can raise. Returns -ERANGE with err. */
static int too_many(const struct cluster *cluster, int64_t jobs, struct err *err)
{
	const struct settings *s = &cluster->request.settings;
	const struct setting_limit *site = &s->limit[SETTING_MAXIMUM];
	int64_t maximum = cluster->size.limits.maximum_jobs;
	_cleanup_free_ char *adapt = paths_command(cluster->name, "adapt"), *raise = NULL;

	if (site->value && jobs > site->value / s->processes)
		return err_set(err, -ERANGE,
			"more than the site allows: at most %" PRId64 " workers (%s)",
			site->value, site->source);
	if (jobs <= settings_table[SETTING_MAXIMUM].maximum / s->processes)
		raise = xasprintf(": give less, or raise it first (%s --maximum %" PRId64 ")",
			adapt, jobs * s->processes);
	return err_set(err, -ERANGE, "more than the maximum of %" PRId64 " job%s%s", maximum,
		maximum == 1 ? "" : "s", raise ? raise : "");
}

int cluster_scale(struct cluster *cluster, int64_t jobs, struct err *err)
{
	struct scaling_limits *limits = &cluster->size.limits;

	if (jobs < 0 || jobs > limits->maximum_jobs)
		return too_many(cluster, jobs, err);
	limits->fixed_jobs = jobs;
	history_note(EVENT_DECISION, "cluster", cluster->name,
		"set by hand to %" PRId64 " job%s", jobs, jobs == 1 ? "" : "s");
	changed(cluster);
	return 0;
}

int cluster_adapt(struct cluster *cluster, int64_t minimum, int64_t maximum, struct err *err)
{
	const struct settings *s = &cluster->request.settings;
	struct scaling_limits *limits = &cluster->size.limits;
	int64_t minimum_jobs = limits->minimum_jobs, maximum_jobs = limits->maximum_jobs;
	int64_t cap = s->limit[SETTING_MAXIMUM].value;

	if (minimum >= 0)
		minimum_jobs = amount_to_jobs(minimum, s->processes);
	if (cap && maximum > cap)
		return err_set(err, -ERANGE,
			"maximum %" PRId64 " is more than the site allows: at most %" PRId64
			" workers (%s)",
			maximum, cap, s->limit[SETTING_MAXIMUM].source);
	if (maximum == 0)
		return err_set(err, -ERANGE, "maximum 0 is too small: at least 1");
	if (maximum > 0)
		maximum_jobs = maximum < s->processes ? 1 : maximum / s->processes;
	if (minimum_jobs > maximum_jobs)
		return err_set(err, -ERANGE,
			"a minimum of %" PRId64 " job%s is more than the maximum of %" PRId64
			" (a job holds %" PRId64 " workers): raise the maximum, too",
			minimum_jobs, minimum_jobs == 1 ? "" : "s", maximum_jobs, s->processes);
	limits->minimum_jobs = minimum_jobs;
	limits->maximum_jobs = maximum_jobs;
	limits->fixed_jobs = -1;
	history_note(EVENT_DECISION, "cluster", cluster->name,
		"adaptive scaling, from %" PRId64 " to %" PRId64 " jobs", minimum_jobs,
		maximum_jobs);
	changed(cluster);
	return 0;
}

void cluster_resume(struct cluster *cluster)
{
	if (!cluster->size.paused)
		return;
	history_note(EVENT_DECISION, "cluster", cluster->name, "resumed after a pause (%s)",
		cluster->size.paused);
	xreplace(&cluster->size.paused, NULL);
	cluster_failure_resume(cluster);
	changed(cluster);
}

void cluster_retire(struct cluster *cluster, struct job *job, bool force)
{
	if (!force && job_is_running(job))
		job->by_hand = true;
	else
		cluster_end_job(cluster, job, "retired by hand");
	changed(cluster);
}

bool cluster_retire_waits(const struct cluster *cluster, const struct job *job)
{
	const struct job *other;

	if (job->bytes == 0 || !job->by_hand ||
		(cluster->size.target.jobs > 0 && !cluster->size.paused))
		return false;
	TAILQ_FOREACH (other, jobs_list(cluster->jobs), link)
		if (other != job && job_phase_is_wanted(other->phase) && !other->by_hand)
			return false;
	return true;
}
