/* place.c: searches for places for new jobs, and submits the jobs there. Part of the cluster. */
#include "daemon/cluster/place.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/parse.h"
#include "common/paths.h"
#include "common/settings_job.h"
#include "common/settings_places.h"
#include "daemon/cluster/ends.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/nodes.h"
#include "daemon/cluster/record.h"
#include "daemon/cluster/submission.h"
#include "daemon/cluster/wish.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/slurm/placer.h"
#include "daemon/slurm/poll.h"

#define AGAIN_MS    1000   /* wait after Slurm did not answer */
#define NEVER_MS    600000 /* how long a place where jobs never start is avoided */
#define PROVEN_MS   300000 /* so long a search holds after which jobs have started */
#define NO_PLACE_MS 60000  /* wait after a running cluster found no place */

void cluster_place_begin(struct cluster *cluster)
{
	struct cluster_place *place = &cluster->place;

	placement_finish(&place->placement);
	place->to_widen = place->found = place->again = false;
	place->to_submit = place->substitutes = 0;
	memset(place->refused, 0, sizeof(place->refused));
	place->widen_hold_ms = 0;
	place->failed = false;
	place->searched_ms = 0;
	strv_finish(&place->never);
	place->limit = (struct job_limit){0};
	xreplace(&place->shortage, NULL);
	placer_forget(&place->survey);
}

void cluster_place_finish(struct cluster *cluster)
{
	placer_destroy(cluster->place.placer);
	placer_forget(&cluster->place.survey);
	placement_finish(&cluster->place.placement);
	xreplace(&cluster->place.shortage, NULL);
	strv_finish(&cluster->place.never);
}

/* A longer hold stays. */
static void hold(struct cluster *cluster, int64_t for_ms)
{
	if (cluster->hold_until_ms < loop_now_ms() + for_ms)
		cluster->hold_until_ms = loop_now_ms() + for_ms;
}

/* Indent each line of Slurm's words. */
static char *indent(const char *text, const char *by)
{
	struct strv lines = STRV_INIT;
	_cleanup_free_ char *separator = xasprintf("\n%s", by);
	char *indented;

	strv_split(&lines, text, '\n');
	indented = strv_join(&lines, separator);
	strv_finish(&lines);
	return indented;
}

static char *list_reasons(const struct placement *placement)
{
	bool single = placement->count == 1;
	char *text = xstrdup("");

	for (size_t i = 0; i < placement->count; i++) {
		const struct candidate *c = &placement->candidate[i];
		_cleanup_free_ char *name = candidate_name(c);
		_cleanup_free_ char *reason =
			indent(c->reason ? c->reason : "not tried", "    ");
		char *longer =
			xasprintf("%s%s%s: %s", text, single ? " " : "\n  ", name, reason);

		free(text);
		text = longer;
	}
	return text;
}

/* The cluster found no place: the error, with one line for each candidate. */
void cluster_place_fail(struct cluster *cluster, int code, const char *summary)
{
	const struct settings *s = &cluster->request.settings;
	_cleanup_free_ char *reasons = list_reasons(&cluster->place.placement);
	_cleanup_free_ char *cores = settings_describe_cores(s);
	char memory[FORMAT_MAX], walltime[FORMAT_MAX];
	struct strv directives = STRV_INIT;
	_cleanup_free_ char *others = NULL;
	struct err err = ERR_INIT;

	settings_directives(s, &directives);
	others = strv_join(&directives, ", ");
	strv_finish(&directives);
	err_set(&err, code, "%s:%s%sa job asks for %s and %s on one node, walltime %s%s%s%s",
		summary, reasons, cluster->place.placement.count == 1 ? "; " : "\n", cores,
		s->memory_mib > 0		       ? format_size(s->memory_mib, memory)
			: s->memory_mib == MEMORY_NODE ? "all memory"
						       : "no memory",
		format_walltime(s->walltime_s, walltime), *others ? ", " : "", others,
		code == -ENOENT && !placement_said(&cluster->place.placement)
			? "\ndracoctl config init proposes settings that fit this Slurm"
			: "");
	cluster->place.failed = true;
	cluster_fail(cluster, &err, NULL);
}

/* There are jobs, and no place takes another. If Slurm itself refused, the number is the reason: it
 * took the same job before. */
static void note_shortage(struct cluster *cluster, int64_t have)
{
	struct cluster_place *place = &cluster->place;
	_cleanup_free_ char *reasons = list_reasons(&place->placement), *text = NULL;
	const char *said = placement_said(&place->placement);

	job_limit_reached(&place->limit, have, said != NULL, loop_now_ms());
	if (said)
		text = xasprintf("the site lets you have %" PRId64 " job%s: %s", have,
			have == 1 ? "" : "s", said);
	else
		text = xasprintf("there is no place for further jobs:%s", reasons);
	if (!place->shortage || strcmp(place->shortage, text) != 0)
		history_failure("cluster", cluster->name, NULL, "%s", text);
	xreplace(&place->shortage, text);
	cluster->ops->changed(cluster->arg);
}

/* Does a job exist that is part of the cluster, or may become one? */
static bool has_jobs(const struct cluster *cluster)
{
	const struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job->job_id && job_phase_is_wanted(job->phase))
			return true;
	return false;
}

static void no_place(struct cluster *cluster)
{
	int64_t have = jobs_count(cluster->jobs).in_slurm;
	_cleanup_free_ char *reasons = NULL;

	if (cluster_nodes_forgive(cluster, "there is no place without the excluded nodes")) {
		cluster_wake(cluster, 0);
		return;
	}
	if (have > 0 && (cluster->state != CLUSTER_STARTING || has_jobs(cluster))) {
		note_shortage(cluster, have);
		cluster_wake(cluster, 0);
		return;
	}
	if (cluster->state == CLUSTER_STARTING) {
		cluster_place_fail(cluster, -ENOENT, "Slurm has no place for the jobs");
		return;
	}
	reasons = list_reasons(&cluster->place.placement);
	log_warning("cluster %s: no place for further jobs, looking again in %d s:%s",
		cluster->name, NO_PLACE_MS / 1000, reasons);
	hold(cluster, NO_PLACE_MS);
	cluster_wake(cluster, NO_PLACE_MS);
}

/* Submit count jobs by one request. count must fit into an array of the site. */
static void submit_some(
	struct cluster *cluster, size_t at, int64_t count, bool many, enum job_role role)
{
	const struct candidate *candidate = &cluster->place.placement.candidate[at];
	_cleanup_free_ char *prefix = paths_job_prefix(cluster->name);
	_cleanup_free_ char *tag =
		xasprintf("%s%s.%d", prefix, cluster->id, ++cluster->submission_count);
	_cleanup_free_ char *place = candidate_name(candidate);
	struct slurm_submission wish;
	struct job *job;

	cluster_make_wish(cluster, tag, count, &candidate->options, &wish);
	if (cluster->place.placement.no_memory)
		wish.memory_mib = MEMORY_NONE;
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
			job->placed_ms = job->waited_ms = loop_now_ms();
			job->many = many;
			job->role = role;
			job->forkserver = !cluster->spawn;
		}
}

/* Submit count jobs by as few requests as the site's limit of arrays allows. */
static void submit(struct cluster *cluster, size_t at, int64_t count, enum job_role role)
{
	bool many = count > 1 || cluster->place.again;

	cluster->place.again = false;
	while (count > 0) {
		int64_t most = cluster->place.limit.singly ? 1 : cluster->array_max;
		int64_t some = count < most ? count : most;

		submit_some(cluster, at, some, many, role);
		count -= some;
	}
	record_save(cluster); /* before anything is sent */
}

/* The number of the wanted jobs that the site's limit still allows. */
static int64_t find_room(struct cluster *cluster, int64_t wanted)
{
	struct cluster_place *place = &cluster->place;
	int64_t have = jobs_count(cluster->jobs).in_slurm;
	int64_t room = job_limit_room(&place->limit, have, wanted, loop_now_ms());

	if (!place->limit.refused && place->shortage) {
		xreplace(&place->shortage, NULL);
		cluster->ops->changed(cluster->arg);
	}
	return room;
}

/* The index of the best candidate; -1: there is none. */
static int choose(const struct cluster *cluster)
{
	return placement_choose(&cluster->place.placement, time(NULL),
		cluster->request.settings.wait_timeout_ms / 1000);
}

/* The start goes on without the reservation, or a partition, that the user asked for: say so. */
static void tell_unused(struct cluster *cluster)
{
	struct strv texts = STRV_INIT;

	placement_unused(&cluster->place.placement, &texts);
	for (size_t i = 0; i < texts.count; i++)
		if (cluster_notice(cluster, "%s", texts.item[i]))
			history_note(EVENT_NOTE, "cluster", cluster->name, "%s", texts.item[i]);
	strv_finish(&texts);
}

static void submit_best(struct cluster *cluster, int64_t wanted)
{
	int64_t count = find_room(cluster, wanted);
	int at = choose(cluster);

	if (at < 0)
		no_place(cluster);
	else if (count > 0)
		submit(cluster, (size_t)at, count, ROLE_ORDINARY);
	if (at >= 0 && cluster->state == CLUSTER_STARTING)
		tell_unused(cluster);
}

/* Refuse the places about which Slurm has said, since an earlier search, that jobs never start
 * there. */
static void refuse_known(struct cluster_place *place)
{
	if (loop_now_ms() >= place->never_until_ms)
		strv_finish(&place->never); /* an administrator may have changed the places */
	for (size_t i = 0; i < place->placement.count; i++) {
		_cleanup_free_ char *name = candidate_name(&place->placement.candidate[i]);

		for (size_t k = 0; k + 1 < place->never.count; k += 2)
			if (strcmp(place->never.item[k], name) == 0)
				placement_refuse(
					&place->placement, i, place->never.item[k + 1]);
	}
}

/* A job can never start in its only place. That is a late refusal: cancel the job, and submit
 * another to the next place. */
static void take_back(struct cluster *cluster, struct job *job)
{
	struct cluster_place *place = &cluster->place;
	size_t at = (size_t)__builtin_ctzll(job->placed);
	_cleanup_free_ char *name = candidate_name(&place->placement.candidate[at]);

	place->never_until_ms = loop_now_ms() + NEVER_MS;
	strv_add(&place->never, name);
	strv_add(&place->never, job->reason ? job->reason : "no reason known");
	refuse_known(place);
	place->refused[job->role]++;
	cluster_end_job(cluster, job, "never starts there");
}

static void take_back_all(struct cluster *cluster)
{
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job->never && job_is_pending(job) && job->role != ROLE_STANDBY &&
			__builtin_popcountll(job->placed) == 1 &&
			(size_t)__builtin_ctzll(job->placed) < cluster->place.placement.count)
			take_back(cluster, job);
}

void cluster_place_settle(struct cluster *cluster)
{
	struct cluster_place *place = &cluster->place;

	take_back_all(cluster);
	if (place->refused[ROLE_ORDINARY] > 0) {
		int64_t count = place->refused[ROLE_ORDINARY];

		place->refused[ROLE_ORDINARY] = 0;
		if (!cluster->size.paused)
			submit_best(cluster, count);
	}
	if (place->found) {
		int64_t count = place->to_submit;

		place->found = false;
		place->to_submit = 0;
		if (!cluster->size.paused)
			submit_best(cluster, count);
	}
	if (place->substitutes > 0)
		submit(cluster, place->substitute_at, place->substitutes, ROLE_SUBSTITUTE);
	place->substitutes = 0;
}

/* Slurm has refused the jobs with this tag. Several jobs may have been too many at once. A single
 * one cannot run in its place, so all missing jobs go to another. */
static void on_refused(void *arg, const char *tag, const struct err *err)
{
	struct cluster *cluster = arg;
	struct jobs_count count = jobs_count(cluster->jobs);
	const struct job *job, *refused = NULL;
	int64_t asked = 0, missing = cluster_jobs_wanted(cluster) - count.wanted;

	log_error("slurm: %s: %s", tag, err->text);
	placer_forget(&cluster->place.survey);
	cluster->place.searched_ms = 0;
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (strcmp(job->tag, tag) == 0) {
			refused = job;
			asked++;
		}
	cluster_wake(cluster, 0);
	if (!refused)
		return;
	if (!job_limit_refused(&cluster->place.limit, count.in_slurm, asked)) {
		for (size_t i = 0; i < cluster->place.placement.count; i++)
			if (refused->placed & (candidate_set)1 << i)
				placement_refuse(&cluster->place.placement, i, err->text);
		if (refused->role == ROLE_ORDINARY && missing > asked)
			asked = missing;
	} else {
		history_note(EVENT_DECISION, "cluster", cluster->name,
			"%" PRId64 " jobs were refused, asking for fewer: %s", asked,
			err->text);
	}
	cluster->place.refused[refused->role] += asked;
}

static void on_query_wanted(void *arg)
{
	struct cluster *cluster = arg;

	poll_within(cluster->poll, 0);
}

const struct submissions_ops cluster_submissions_ops = {on_refused, on_query_wanted};

static void on_found(
	void *arg, struct placement *found, enum slurm_outcome outcome, const struct err *err)
{
	struct cluster *cluster = arg;

	cluster->place.placer = NULL;
	cluster_wake(cluster, 0);
	if (strcmp(cluster->place.cluster_id, cluster->id) != 0 || !cluster_is_up(cluster)) {
		if (found)
			placement_finish(found);
		return;
	}
	if (found || outcome == OUTCOME_REFUSED) {
		placement_finish(&cluster->place.placement);
		cluster->place.searched_ms = 0;
		if (found) {
			cluster->place.placement = *found;
			cluster->place.searched_ms = loop_now_ms();
		} else { /* the site hides its partitions: sbatch decides */
			log_warning("slurm: %s: no predictions", err->text);
			cluster_forget_places(cluster);
		}
	} else {
		log_warning("slurm: cannot look for a place, trying again: %s", err->text);
		hold(cluster, AGAIN_MS);
		cluster->place.widen_hold_ms = loop_now_ms() + AGAIN_MS;
		return;
	}
	refuse_known(&cluster->place);
	cluster->place.again = false;
	cluster->place.found = cluster->place.to_submit > 0;
	cluster->place.to_widen = !cluster->place.found;
}

static void search(struct cluster *cluster, int64_t count)
{
	struct slurm_submission wish;
	struct err err = ERR_INIT;

	if (cluster->place.placer)
		return;
	/* A start, and jobs that wait too long, are worth new facts. */
	if (count == 0 || cluster->state != CLUSTER_RUNNING)
		placer_forget(&cluster->place.survey);
	cluster_make_wish(cluster, cluster->id, 1, NULL, &wish);
	cluster->place.to_submit = count;
	memcpy(cluster->place.cluster_id, cluster->id, sizeof(cluster->place.cluster_id));
	cluster->place.placer = placer_start(cluster->slurm, &wish, &cluster->request.settings,
		&cluster->place.survey, on_found, cluster, &err);
	slurm_submission_finish(&wish);
	if (!cluster->place.placer)
		on_found(cluster, NULL, OUTCOME_UNREACHABLE, &err);
}

/* Has the last search found a place where jobs start, and does none wait? Then it need not be made
 * again for the next jobs. */
static bool is_proven(const struct cluster *cluster)
{
	const struct cluster_place *place = &cluster->place;
	const struct job *job;
	bool proven = false;

	if (cluster->state != CLUSTER_RUNNING || !place->searched_ms || place->shortage ||
		place->never.count > 0 || loop_now_ms() - place->searched_ms >= PROVEN_MS)
		return false;
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (job_phase_is_wanted(job->phase) && !job_is_running(job))
			return false;
		proven = proven ||
			(job->phase == PHASE_READY && job->placed_ms >= place->searched_ms);
	}
	return proven;
}

static void use_again(struct cluster *cluster, int64_t count)
{
	cluster->place.to_submit = count;
	cluster->place.found = cluster->place.again = true;
	cluster->place.to_widen = false;
	cluster_wake(cluster, 0);
}

void cluster_place(struct cluster *cluster, int64_t count)
{
	/* The result of one submission tells how many jobs the next may ask for. */
	if (cluster->place.limit.refused && submissions_any(cluster->submissions))
		return;
	if (find_room(cluster, count) > 0)
		is_proven(cluster) ? use_again(cluster, count) : search(cluster, count);
	else
		cluster_wake(cluster, cluster->place.limit.again_ms - loop_now_ms());
}

void cluster_place_look(struct cluster *cluster)
{
	search(cluster, 0);
}

bool cluster_place_is_there(struct cluster *cluster)
{
	if (cluster->place.placement.count > 0) {
		if (choose(cluster) >= 0)
			return true;
		no_place(cluster);
	} else if (cluster_is_due(cluster, cluster->hold_until_ms)) {
		cluster_place_look(cluster);
	}
	return false;
}
