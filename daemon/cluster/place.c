/* place.c: the cluster's search for places. */
#include "daemon/cluster/place.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"
#include "common/parse.h"
#include "common/paths.h"
#include "common/settings_job.h"
#include "daemon/cluster/ends.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/nodes.h"
#include "daemon/cluster/submission.h"
#include "daemon/cluster/wish.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/slurm/helper.h"
#include "daemon/slurm/placer.h"
#include "daemon/slurm/poll.h"

#define UPDATE_DEADLINE_MS 15000
#define AGAIN_MS	   1000	 /* after Slurm did not answer */
#define NO_PLACE_MS	   60000 /* after no place was found for a cluster that runs */

void cluster_place_begin(struct cluster *cluster)
{
	struct cluster_place *place = &cluster->place;

	placement_finish(&place->placement);
	place->widen_hold_ms = 0;
	place->failed = false;
}

void cluster_place_finish(struct cluster *cluster)
{
	placer_destroy(cluster->place.placer);
	placement_finish(&cluster->place.placement);
}

static bool is_active(const struct cluster *cluster)
{
	return cluster->wanted && cluster_is_up(cluster);
}

/* Not to shorten a longer hold. */
static void hold(struct cluster *cluster, int64_t for_ms)
{
	if (cluster->hold_until_ms < loop_now_ms() + for_ms)
		cluster->hold_until_ms = loop_now_ms() + for_ms;
}

/* No place is left: one line for each candidate. */

static char *list_reasons(const struct placement *placement)
{
	bool single = placement->count == 1;
	char *text = xstrdup("");

	for (size_t i = 0; i < placement->count; i++) {
		const struct candidate *c = &placement->candidate[i];
		_cleanup_free_ char *name = candidate_name(c);
		char *longer = xasprintf("%s%s%s: %s", text, single ? " " : "\n  ", name,
			c->reason ? c->reason : "not tried");

		free(text);
		text = longer;
	}
	return text;
}

static void fail(struct cluster *cluster, int code, const char *summary)
{
	const struct settings *s = &cluster->request.settings;
	_cleanup_free_ char *reasons = list_reasons(&cluster->place.placement);
	char memory[FORMAT_MAX], walltime[FORMAT_MAX];
	struct strv directives = STRV_INIT;
	_cleanup_free_ char *others = NULL;
	struct err err = ERR_INIT;

	settings_directives(s, &directives);
	others = strv_join(&directives, ", ");
	strv_finish(&directives);
	err_set(&err, code,
		"%s:%s%sa job asks for %" PRId64 " cores and %s on one node, walltime %s%s%s",
		summary, reasons, cluster->place.placement.count == 1 ? "; " : "\n", s->cores,
		format_size(s->memory_mib, memory), format_walltime(s->walltime_s, walltime),
		*others ? ", " : "", others);
	cluster->place.failed = true;
	cluster_fail(cluster, &err, NULL);
}

static void no_place(struct cluster *cluster)
{
	_cleanup_free_ char *reasons = NULL;

	if (cluster_nodes_forgive(cluster, "there is no place without the excluded nodes")) {
		cluster_wake(cluster, 0);
		return;
	}
	if (cluster->state == CLUSTER_STARTING) {
		fail(cluster, -ENOENT, "Slurm has no place for the jobs");
		return;
	}
	reasons = list_reasons(&cluster->place.placement);
	log_warning("cluster %s: no place for further jobs, looking again in %d s:%s",
		cluster->name, NO_PLACE_MS / 1000, reasons);
	hold(cluster, NO_PLACE_MS);
	cluster_wake(cluster, NO_PLACE_MS);
}

/* Submitting */

/* By one request: not more than the site's arrays may hold. */
static void submit_some(struct cluster *cluster, size_t at, int64_t count, enum job_role role)
{
	const struct candidate *candidate = &cluster->place.placement.candidate[at];
	_cleanup_free_ char *prefix = paths_job_prefix(cluster->name);
	_cleanup_free_ char *tag =
		xasprintf("%s%s.%d", prefix, cluster->id, ++cluster->submission_count);
	_cleanup_free_ char *place = candidate_name(candidate);
	struct slurm_submission wish;
	struct job *job;

	cluster_make_wish(cluster, tag, count, &wish);
	wish.partition = xstrdup(candidate->partition);
	wish.reservation = candidate->reservation ? xstrdup(candidate->reservation) : NULL;
	history_note(EVENT_DECISION, "cluster", cluster->name,
		"submitting %" PRId64 " job%s to %s (%" PRId64 " wanted)", count,
		count == 1 ? "" : "s", place, cluster_jobs_wanted(cluster));
	cluster->ops->may_have_jobs(cluster->arg, cluster->id);
	submissions_add(cluster->submissions, &wish, &cluster->request.settings);
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (strcmp(job->tag, tag) == 0) {
			job->placed = (candidate_set)1 << at;
			job->placed_ms = loop_now_ms();
			job->role = role;
			job->forkserver = !cluster->spawn;
		}
}

static void submit_at(struct cluster *cluster, size_t at, int64_t count, enum job_role role)
{
	while (count > 0) {
		int64_t some = count < cluster->array_max ? count : cluster->array_max;

		submit_some(cluster, at, some, role);
		count -= some;
	}
}

static void submit_best(struct cluster *cluster, int64_t count, enum job_role role)
{
	int at = placement_choose(&cluster->place.placement, time(NULL),
		cluster->request.settings.wait_timeout_ms / 1000);

	if (at < 0)
		no_place(cluster);
	else
		submit_at(cluster, (size_t)at, count, role);
}

/* Slurm has refused the jobs with this tag: their place cannot work, so try the next best. */
static void on_refused(void *arg, const char *tag, const struct err *err)
{
	struct cluster *cluster = arg;
	enum job_role role = ROLE_ORDINARY;
	int64_t count = 0;
	struct job *job;

	log_error("slurm: %s: %s", tag, err->text);
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (strcmp(job->tag, tag) != 0)
			continue;
		for (size_t i = 0; i < cluster->place.placement.count; i++)
			if (job->placed & (candidate_set)1 << i)
				placement_refuse(&cluster->place.placement, i, err->text);
		role = job->role;
		count++;
	}
	if (is_active(cluster) && count > 0 && !cluster->size.paused)
		submit_best(cluster, count, role);
}

static void on_query_wanted(void *arg)
{
	struct cluster *cluster = arg;

	poll_within(cluster->poll, 0);
}

const struct submissions_ops cluster_submissions_ops = {on_refused, on_query_wanted};

/* Widening */

static bool is_due(const struct cluster *cluster, const struct job *job)
{
	return job_is_pending(job) && !job->exhausted && job->role != ROLE_STANDBY &&
		job->placed_ms + cluster->request.settings.wait_timeout_ms <= loop_now_ms();
}

static void on_widened(
	void *arg, enum slurm_outcome outcome, const json_t *result, const struct err *err)
{
	struct cluster *cluster = arg;
	struct job *job;
	candidate_set added = 0;
	int64_t refused = 0;

	(void)result;
	cluster->place.widening = false;
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (!job->widening)
			continue;
		job->widening = false;
		added = cluster->place.widen_to & ~job->placed;
		if (outcome == OUTCOME_DONE) {
			job->placed = cluster->place.widen_to;
			job->placed_ms = loop_now_ms();
		} else if (outcome == OUTCOME_REFUSED && job_is_pending(job)) {
			job->role = ROLE_STANDBY;
			refused++;
		}
	}
	if (!is_active(cluster)) {
		cluster_wake(cluster, 0);
		return;
	}
	if (refused > 0) {
		log_warning("slurm: %s: submitting to the next place instead", err->text);
		submit_at(cluster, (size_t)__builtin_ctzll(added), refused, ROLE_SUBSTITUTE);
	} else if (outcome != OUTCOME_DONE) {
		log_warning("slurm: pending jobs could not be widened, trying again: %s",
			err->text);
		cluster->place.widen_hold_ms = loop_now_ms() + AGAIN_MS;
	}
	poll_within(cluster->poll, 0);
	cluster_wake(cluster, 0);
}

/* Let all jobs that are due, and placed as one of them, run in the next place, too. Returns whether
 * there is one. */
static bool widen(struct cluster *cluster, candidate_set from)
{
	candidate_set to = placement_widen(&cluster->place.placement, from);
	_cleanup_free_ char *partitions = placement_partitions(&cluster->place.placement, to);
	json_t *ids;
	struct job *job;

	if (to == from)
		return false;
	ids = json_array();
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (is_due(cluster, job) && job->placed == from) {
			job->widening = true;
			json_array_append_new(ids, json_string(job->id));
			history_note(EVENT_DECISION, "job", job->id,
				"pending for too long (%s), may run in %s now",
				job->reason ? job->reason : "no reason known", partitions);
		}
	cluster->place.widening = true;
	cluster->place.widen_to = to;
	if (slurm_request(cluster->slurm, "update",
		    json_pack("{s:o, s:s, s:o}", "jobs", ids, "partition", partitions,
			    "reservation",
			    json_text(placement_reservation(&cluster->place.placement, to))),
		    UPDATE_DEADLINE_MS, on_widened, cluster) < 0) {
		struct err err = ERR_INIT;

		err_set(&err, -EBUSY, "too many requests to Slurm wait");
		on_widened(cluster, OUTCOME_UNREACHABLE, NULL, &err);
	}
	return true;
}

/* What became of the jobs at each candidate, for the error. */
static void note_waiting(struct cluster *cluster)
{
	char waited[FORMAT_MAX];
	struct job *job;

	format_duration(cluster->request.settings.wait_timeout_ms, waited);
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		for (size_t i = 0; job_is_pending(job) && i < cluster->place.placement.count;
			i++)
			if (job->placed & (candidate_set)1 << i) {
				_cleanup_free_ char *text = xasprintf(
					"job %s was pending there for %s (wait_timeout) or "
					"more: %s",
					job->id, waited,
					job->reason ? job->reason : "no reason known");

				placement_refuse(&cluster->place.placement, i, text);
			}
}

static void fail_if_exhausted(struct cluster *cluster)
{
	struct job *job;
	bool any = false;

	if (cluster->state != CLUSTER_STARTING || jobs_count(cluster->jobs).running > 0)
		return;
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (!job_phase_is_wanted(job->phase) || job->role == ROLE_STANDBY)
			continue;
		if (!job->exhausted)
			return;
		any = true;
	}
	if (!any)
		return;
	note_waiting(cluster);
	fail(cluster, -ETIMEDOUT, "no job has started in time");
}

static void widen_due(struct cluster *cluster)
{
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (!is_due(cluster, job))
			continue;
		if (widen(cluster, job->placed))
			return; /* the next group after its answer */
		job->exhausted = true;
		history_note(EVENT_DECISION, "job", job->id,
			"pending for too long (%s), and there is no further place",
			job->reason ? job->reason : "no reason known");
	}
	fail_if_exhausted(cluster);
}

/* The search */

static void on_found(
	void *arg, struct placement *found, enum slurm_outcome outcome, const struct err *err)
{
	struct cluster *cluster = arg;
	int64_t count = cluster->place.to_submit;

	cluster->place.placer = NULL;
	cluster->place.to_submit = 0;
	cluster_wake(cluster, 0);
	if (strcmp(cluster->place.cluster_id, cluster->id) != 0 || !is_active(cluster)) {
		if (found)
			placement_finish(found);
		return;
	}
	if (found || outcome == OUTCOME_REFUSED) {
		placement_finish(&cluster->place.placement);
		if (found) {
			cluster->place.placement = *found;
		} else { /* a site that hides its partitions: then Slurm decides at submission */
			log_warning("slurm: %s: no predictions", err->text);
			placement_init(&cluster->place.placement,
				cluster->request.settings.reservation,
				&cluster->request.settings.queues_to_try);
		}
	} else {
		log_warning("slurm: cannot look for a place, trying again: %s", err->text);
		hold(cluster, AGAIN_MS);
		cluster->place.widen_hold_ms = loop_now_ms() + AGAIN_MS;
		return;
	}
	if (count > 0 && !cluster->size.paused)
		submit_best(cluster, count, ROLE_ORDINARY);
	else if (count == 0)
		widen_due(cluster);
}

static void search(struct cluster *cluster, int64_t count)
{
	struct slurm_submission wish;
	struct err err = ERR_INIT;

	if (cluster->place.placer)
		return;
	cluster_make_wish(cluster, cluster->id, 1, &wish);
	cluster->place.to_submit = count;
	memcpy(cluster->place.cluster_id, cluster->id, sizeof(cluster->place.cluster_id));
	cluster->place.placer = placer_start(
		cluster->slurm, &wish, &cluster->request.settings, on_found, cluster, &err);
	slurm_submission_finish(&wish);
	if (!cluster->place.placer)
		on_found(cluster, NULL, OUTCOME_UNREACHABLE, &err);
}

void cluster_place(struct cluster *cluster, int64_t count)
{
	search(cluster, count);
}

static void fail_unsubmitted(struct cluster *cluster)
{
	struct slurm_health health;
	struct err err = ERR_INIT;
	char waited[FORMAT_MAX];

	slurm_health(cluster->slurm, &health);
	err_set(&err, -ETIMEDOUT, "Slurm has not taken a job within %s (wait_timeout): %s",
		format_duration(cluster->request.settings.wait_timeout_ms, waited),
		health.text[0] ? health.text : "no answer");
	cluster_fail(cluster, &err, NULL);
}

int64_t cluster_check_waiting(struct cluster *cluster)
{
	int64_t wait_ms = cluster->request.settings.wait_timeout_ms;
	int64_t now = loop_now_ms(), next = INT64_MAX;
	bool due = false;
	struct job *job;

	if (cluster->state == CLUSTER_STARTING && jobs_count(cluster->jobs).in_slurm == 0) {
		next = cluster->started_ms + wait_ms;
		if (next <= now) {
			fail_unsubmitted(cluster);
			return INT64_MAX;
		}
	}
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (!job_is_pending(job) || job->exhausted || job->role == ROLE_STANDBY)
			continue;
		due |= is_due(cluster, job);
		if (!is_due(cluster, job) && job->placed_ms + wait_ms < next)
			next = job->placed_ms + wait_ms;
	}
	fail_if_exhausted(cluster);
	if (!due || cluster->place.placer || cluster->place.widening || !is_active(cluster))
		return next;
	if (now >= cluster->place.widen_hold_ms)
		search(cluster, 0);
	else if (cluster->place.widen_hold_ms < next)
		next = cluster->place.widen_hold_ms;
	return next;
}

/* Standby */

static struct job *find_pending(struct cluster *cluster, enum job_role role)
{
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job_is_pending(job) && job->role == role)
			return job;
	return NULL;
}

/* A job on standby whose substitute is gone, or was given back, goes, too: nobody else counts
 * it. */
static void end_lone_standbys(struct cluster *cluster)
{
	int64_t lone = 0;
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		lone += job_is_pending(job) && job->role == ROLE_STANDBY;
		lone -= (job_is_pending(job) || job->phase == PHASE_NEW) &&
			job->role == ROLE_SUBSTITUTE;
	}
	for (; lone > 0 && (job = find_pending(cluster, ROLE_STANDBY)) != NULL; lone--)
		cluster_end_job(cluster, job, "the other one of two has gone");
}

void cluster_settle_roles(struct cluster *cluster)
{
	struct job *job, *other;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (job->role == ROLE_ORDINARY || !job_is_running(job))
			continue;
		other = find_pending(
			cluster, job->role == ROLE_STANDBY ? ROLE_SUBSTITUTE : ROLE_STANDBY);
		job->role = ROLE_ORDINARY;
		if (other)
			cluster_end_job(cluster, other, "the other one of two has started");
	}
	end_lone_standbys(cluster);
}
