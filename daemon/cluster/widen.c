/* widen.c: lets jobs that have waited for wait_timeout run in the next place, too. If the site
 * forbids that, or that place has other options of sbatch, another job is submitted there, and the
 * first of them to start stays. Part of the cluster. */
#include "daemon/cluster/widen.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"
#include "common/parse.h"
#include "daemon/cluster/ends.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/place.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/slurm/helper.h"
#include "daemon/slurm/poll.h"

#define UPDATE_DEADLINE_MS 15000
#define AGAIN_MS	   1000 /* wait after Slurm did not answer */

static bool can_widen(const struct job *job)
{
	return job_is_waiting(job) && !job->exhausted && job->role != ROLE_STANDBY;
}

/* Slurm predicts the start of one job. When several were asked for, at once or one by one, those
 * that find no room would wait, while there may be room in the next place. */
static bool is_one_too_many(const struct job *job)
{
	return job->many && job->reason &&
		(strcmp(job->reason, "Resources") == 0 || strcmp(job->reason, "Priority") == 0);
}

static const char *why(const struct job *job)
{
	return is_one_too_many(job) ? "no room for it" : "pending for too long";
}

static int64_t due_ms(const struct cluster *cluster, const struct job *job)
{
	return job->placed_ms +
		(is_one_too_many(job) ? 0 : cluster->request.settings.wait_timeout_ms);
}

/* It has waited for wait_timeout, and was still pending then, as a query tells that was asked after
 * that time. */
static bool is_due(const struct cluster *cluster, const struct job *job)
{
	return can_widen(job) && due_ms(cluster, job) <= loop_now_ms() &&
		job->seen_ms >= due_ms(cluster, job);
}

/* Plan the next look at the job, or at Slurm's queue, whose last answer may be old. */
static void look_again(struct cluster *cluster, const struct job *job)
{
	if (can_widen(job) && cluster_is_due(cluster, due_ms(cluster, job)) &&
		job->seen_ms < due_ms(cluster, job) && cluster->poll_failures == 0)
		poll_within(cluster->poll, 0);
}

/* The job waits on, and another one is submitted to the candidate at. */
static void stand_by(struct cluster *cluster, struct job *job, size_t at)
{
	job->role = ROLE_STANDBY;
	cluster->place.substitutes++;
	cluster->place.substitute_at = at;
}

static void on_widened(
	void *arg, enum slurm_outcome outcome, const json_t *result, const struct err *err)
{
	struct cluster *cluster = arg;
	struct job *job;
	int64_t refused = 0;

	(void)result;
	cluster->place.widening = false;
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (!job->widening)
			continue;
		job->widening = false;
		if (outcome == OUTCOME_DONE) {
			job->placed |= cluster->place.widen_to;
			job->placed_ms = loop_now_ms();
		} else if (outcome == OUTCOME_REFUSED && job_is_pending(job)) {
			stand_by(
				cluster, job, (size_t)__builtin_ctzll(cluster->place.widen_to));
			refused++;
		}
	}
	if (!cluster_is_up(cluster)) {
		cluster->place.substitutes = 0;
		cluster_wake(cluster, 0);
		return;
	}
	if (refused > 0) {
		log_warning("slurm: %s: submitting to the next place instead", err->text);
	} else if (outcome != OUTCOME_DONE) {
		log_warning("slurm: pending jobs could not be widened, trying again: %s",
			err->text);
		cluster->place.widen_hold_ms = loop_now_ms() + AGAIN_MS;
	}
	poll_within(cluster->poll, 0);
	cluster_wake(cluster, 0);
}

/* Submit another job to the candidate at for each job that is due and like this one. */
static void substitute(struct cluster *cluster, const struct job *like, size_t at)
{
	_cleanup_free_ char *name = candidate_name(&cluster->place.placement.candidate[at]);
	candidate_set placed = like->placed, covered = like->covered;
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (!is_due(cluster, job) || job->placed != placed || job->covered != covered)
			continue;
		stand_by(cluster, job, at);
		history_note(EVENT_DECISION, "job", job->id,
			"%s (%s), and another job is submitted to %s", why(job),
			job->reason ? job->reason : "no reason known", name);
	}
	cluster_wake(cluster, 0);
}

/* Let all jobs that are due and like this one run at the candidate at, too. */
static void widen(struct cluster *cluster, const struct job *like, size_t at)
{
	candidate_set placed = like->placed, covered = like->covered;
	candidate_set to = placed | (candidate_set)1 << at;
	_cleanup_free_ char *partitions = placement_partitions(&cluster->place.placement, to);
	json_t *ids = json_array();
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (is_due(cluster, job) && job->placed == placed && job->covered == covered) {
			job->widening = true;
			json_array_append_new(ids, json_string(job->id));
			history_note(EVENT_DECISION, "job", job->id,
				"%s (%s), may run in %s now", why(job),
				job->reason ? job->reason : "no reason known", partitions);
		}
	cluster->place.widening = true;
	cluster->place.widen_to = (candidate_set)1 << at;
	if (slurm_request(cluster->slurm, "update",
		    json_pack("{s:o, s:s, s:o}", "jobs", ids, "partition", partitions,
			    "reservation",
			    json_text(placement_reservation(&cluster->place.placement, to))),
		    UPDATE_DEADLINE_MS, on_widened, cluster) < 0) {
		struct err err = ERR_INIT;

		err_set(&err, -EBUSY, "too many requests to Slurm wait");
		on_widened(cluster, OUTCOME_UNREACHABLE, NULL, &err);
	}
}

/* Does Slurm predict a start there within wait_timeout? */
static bool has_room(const struct cluster *cluster, size_t at)
{
	const struct candidate *candidate = &cluster->place.placement.candidate[at];

	return candidate->verdict == PLACEMENT_PREDICTED &&
		candidate->start <=
		time(NULL) + cluster->request.settings.wait_timeout_ms / 1000;
}

/* Without room in the next place, a job that is one too many waits as long as others do. */
static void let_wait(const struct cluster *cluster, struct job *job)
{
	int at = placement_next(&cluster->place.placement, job->placed | job->covered);

	if (at < 0 || !has_room(cluster, (size_t)at))
		job->many = false;
}

/* Give the jobs like this one, which is due, one more place. Returns whether there is one. */
static bool add_place(struct cluster *cluster, const struct job *job)
{
	const struct placement *placement = &cluster->place.placement;
	int at = placement_next(placement, job->placed | job->covered);

	if (at < 0)
		return false;
	if (placement_joins(placement, job->placed, (size_t)at))
		widen(cluster, job, (size_t)at);
	else
		substitute(cluster, job, (size_t)at);
	return true;
}

/* Record for the error, at each candidate, what became of the jobs there. */
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
		if (!job->exhausted || job->booting_since_ms)
			return;
		any = true;
	}
	if (!any)
		return;
	note_waiting(cluster);
	cluster_place_fail(cluster, -ETIMEDOUT, "no job has started in time");
}

static void widen_due(struct cluster *cluster)
{
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (is_one_too_many(job))
			let_wait(cluster, job);
		if (!is_due(cluster, job))
			continue;
		if (add_place(cluster, job))
			return; /* the next group follows after the answer */
		job->exhausted = true;
		history_note(EVENT_DECISION, "job", job->id,
			"pending for too long (%s), and there is no further place",
			job->reason ? job->reason : "no reason known");
	}
	fail_if_exhausted(cluster);
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

void cluster_check_waiting(struct cluster *cluster)
{
	bool due = false;
	struct job *job;

	if (cluster->state == CLUSTER_STARTING && jobs_count(cluster->jobs).in_slurm == 0 &&
		!(cluster->request.settings.minimum == 0 &&
			cluster->place.placement.count > 0) &&
		cluster_is_due(cluster,
			cluster->started_ms + cluster->request.settings.wait_timeout_ms)) {
		fail_unsubmitted(cluster);
		return;
	}
	if (cluster->place.to_widen) {
		cluster->place.to_widen = false;
		widen_due(cluster);
	}
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		due |= is_due(cluster, job);
		look_again(cluster, job);
	}
	fail_if_exhausted(cluster);
	if (!due || cluster->place.placer || cluster->place.widening || !cluster_is_up(cluster))
		return;
	if (cluster_is_due(cluster, cluster->place.widen_hold_ms))
		cluster_place_look(cluster);
}

/* A job that is pending and serves the need, other than one; NULL: none. */
static struct job *find_other(struct cluster *cluster, const struct job *one, int64_t need)
{
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job != one && job->need == need && job_is_pending(job))
			return job;
	return NULL;
}

/* Is a job for the need on its way that is not on standby? */
static bool is_served(struct cluster *cluster, int64_t need)
{
	const struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job->need == need && job->role != ROLE_STANDBY &&
			(job_is_pending(job) || job->phase == PHASE_NEW))
			return true;
	return false;
}

/* The places of all jobs for the need. */
static candidate_set places_of(struct cluster *cluster, int64_t need)
{
	candidate_set places = 0;
	const struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job->need == need && job_is_pending(job))
			places |= job->placed | job->covered;
	return places;
}

/* A job on standby that has no substitute yet; NULL: none. */
static struct job *find_lone_standby(struct cluster *cluster)
{
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (!job_is_pending(job) || job->role != ROLE_STANDBY)
			continue;
		if (!job->need)
			job->need = ++cluster->place.needs;
		if (!is_served(cluster, job->need))
			return job;
	}
	return NULL;
}

static void replace_substitutes(struct cluster *cluster)
{
	int64_t count = cluster->place.refused[ROLE_SUBSTITUTE];
	candidate_set used = 0;
	struct job *job;
	int at;

	cluster->place.refused[ROLE_SUBSTITUTE] = 0;
	if (count == 0)
		return;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job_is_pending(job) && job->role == ROLE_STANDBY &&
			!(job->need && is_served(cluster, job->need)))
			used |= job->placed | job->covered;
	at = placement_next(&cluster->place.placement, used);
	if (at >= 0) {
		cluster->place.substitutes = count;
		cluster->place.substitute_at = (size_t)at;
		cluster_wake(cluster, 0);
		return;
	}
	for (; count > 0 && (job = find_lone_standby(cluster)) != NULL; count--) {
		job->role = ROLE_ORDINARY;
		job->need = 0;
		job->exhausted = true;
		history_note(EVENT_DECISION, "job", job->id,
			"no further place takes a job: it waits where it is");
	}
}

/* Pair each new substitute with a job on standby. */
static void pair_substitutes(struct cluster *cluster)
{
	struct job *job, *standby;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (job->role != ROLE_SUBSTITUTE || job->need ||
			!(job_is_pending(job) || job->phase == PHASE_NEW))
			continue;
		standby = find_lone_standby(cluster);
		if (!standby)
			return;
		job->covered = places_of(cluster, standby->need);
		job->need = standby->need;
	}
}

void cluster_settle_roles(struct cluster *cluster)
{
	struct job *job, *other;

	replace_substitutes(cluster);
	pair_substitutes(cluster);
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (job->role == ROLE_ORDINARY || !job_is_running(job))
			continue;
		while (job->need && (other = find_other(cluster, job, job->need)) != NULL)
			cluster_end_job(
				cluster, other, "the job that it was paired with has started");
		job->role = ROLE_ORDINARY;
		job->need = 0;
	}
	/* Nothing else counts a job on standby whose substitute is gone or given back. */
	while (cluster->place.substitutes == 0 && (job = find_lone_standby(cluster)) != NULL)
		cluster_end_job(cluster, job, "the job that it was paired with has ended");
}
