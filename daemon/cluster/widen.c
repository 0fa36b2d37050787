/* widen.c: lets jobs that have waited for wait_timeout run in the next place, too. If the site
 * forbids that, another job is submitted there, and the first of the two to start stays. Part of
 * the cluster. */
#include "daemon/cluster/widen.h"

#include <errno.h>
#include <inttypes.h>

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

static int64_t due_ms(const struct cluster *cluster, const struct job *job)
{
	return job->placed_ms + cluster->request.settings.wait_timeout_ms;
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
	if (!cluster_is_up(cluster)) {
		cluster_wake(cluster, 0);
		return;
	}
	if (refused > 0) {
		log_warning("slurm: %s: submitting to the next place instead", err->text);
		cluster->place.substitutes += refused;
		cluster->place.substitute_at = (size_t)__builtin_ctzll(added);
	} else if (outcome != OUTCOME_DONE) {
		log_warning("slurm: pending jobs could not be widened, trying again: %s",
			err->text);
		cluster->place.widen_hold_ms = loop_now_ms() + AGAIN_MS;
	}
	poll_within(cluster->poll, 0);
	cluster_wake(cluster, 0);
}

/* Let all jobs that are due and have exactly these places run in the next place, too. Returns
 * whether there is a next place. */
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
		if (!is_due(cluster, job))
			continue;
		if (widen(cluster, job->placed))
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

static struct job *find_pending(struct cluster *cluster, enum job_role role)
{
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job_is_pending(job) && job->role == role)
			return job;
	return NULL;
}

/* End each job on standby whose substitute is gone or given back. Nothing else counts the job. */
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
		cluster_end_job(cluster, job, "the job that it was paired with has ended");
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
			cluster_end_job(
				cluster, other, "the job that it was paired with has started");
	}
	end_lone_standbys(cluster);
}
