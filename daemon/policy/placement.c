/* placement.c: chooses the place of jobs. Pure. */
#include "daemon/policy/placement.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/place.h"
#include "common/settings.h"
#include "common/survey.h"

static void add(struct placement *placement, const char *place, const char *reservation)
{
	struct candidate *candidate = &placement->candidate[placement->count++];

	place_split(place, &candidate->partition, &candidate->options);
	candidate->reservation = reservation ? xstrdup(reservation) : NULL;
}

void placement_init(
	struct placement *placement, const char *reservation, const struct strv *places)
{
	size_t count =
		places->count < PLACEMENT_QUEUES_MAX ? places->count : PLACEMENT_QUEUES_MAX;

	*placement = (struct placement){
		.candidate = xcalloc(2 * count + 2, sizeof(struct candidate))};
	if (count == 0 && reservation)
		add(placement, "", reservation);
	if (count == 0)
		add(placement, "", NULL);
	for (size_t i = 0; reservation && i < count; i++)
		add(placement, places->item[i], reservation);
	for (size_t i = 0; i < count; i++)
		add(placement, places->item[i], NULL);
}

void placement_finish(struct placement *placement)
{
	for (size_t i = 0; i < placement->count; i++) {
		free(placement->candidate[i].partition);
		free(placement->candidate[i].reservation);
		free(placement->candidate[i].reason);
		strv_finish(&placement->candidate[i].options);
	}
	free(placement->candidate);
	*placement = (struct placement){0};
}

static void skip(struct candidate *candidate, char *reason)
{
	candidate->verdict = PLACEMENT_SKIPPED;
	free(candidate->reason);
	candidate->reason = reason;
}

static char *list_partitions(const struct survey *survey)
{
	struct strv names = STRV_INIT;
	char *text;

	for (size_t i = 0; i < survey->partitions; i++)
		strv_add(&names, survey->partition[i].name);
	text = strv_join(&names, ", ");
	strv_finish(&names);
	return text;
}

/* Each of the job's wishes fits on a node, but not on the same one. The caller frees. */
static char *lack_both(const struct placement_shape *shape)
{
	_cleanup_free_ char *cores = shape->cores == CORES_NODE
		? xstrdup("")
		: xasprintf("both %" PRId64 " cores and ", shape->cores);
	char needs[FORMAT_MAX];

	return xasprintf("none of its nodes has %s%s of memory", cores,
		shape->memory_mib > 0 ? format_size(shape->memory_mib, needs) : "all");
}

/* The reason why no job of this shape can run in the partition; NULL: one can. The caller frees. */
static char *judge_partition(
	const struct survey *survey, const char *name, const struct placement_shape *shape)
{
	const struct survey_partition *p = survey_find_partition(survey, name);
	char has[FORMAT_MAX], needs[FORMAT_MAX];

	if (!*name) /* the site's default; Slurm decides */
		return NULL;
	if (!p) {
		_cleanup_free_ char *known = list_partitions(survey);

		return xasprintf("Slurm has no such partition (it has: %s)", known);
	}
	if (!p->submits)
		return xstrdup("the partition takes no jobs (it is drained or inactive)");
	if (!p->schedules)
		return xstrdup("the partition is down: it starts no jobs");
	if (p->denied)
		return xstrdup(p->denied);
	if (p->max_time_s && p->max_time_s < shape->walltime_s)
		return xasprintf("its time limit is %s, and the walltime is %s",
			format_walltime(p->max_time_s, has),
			format_walltime(shape->walltime_s, needs));
	if (p->nodes_hidden > 0) /* the size of hidden nodes is known to Slurm only */
		return NULL;
	if (p->largest_cpus < shape->cores)
		return xasprintf("its largest node has %" PRId64
				 " cores, and a job needs %" PRId64,
			p->largest_cpus, shape->cores);
	if (p->largest_memory_mib > NO_REAL_MEMORY_MIB &&
		p->largest_memory_mib < shape->memory_mib)
		return xasprintf("its largest node has %s of memory, and a job needs %s",
			format_size(p->largest_memory_mib, has),
			format_size(shape->memory_mib, needs));
	if (p->nodes_fit == 0)
		return lack_both(shape);
	if (p->nodes_usable == 0)
		return xasprintf("all its nodes that are large enough are %s "
				 "(%" PRId64 " of %" PRId64 ")",
			p->nodes_excluded == p->nodes_fit ? "excluded"
				: p->nodes_excluded	  ? "down, drained or excluded"
							  : "down or drained",
			p->nodes_fit, p->nodes);
	return NULL;
}

static char *format_clock(time_t when, char text[32])
{
	struct tm local;

	localtime_r(&when, &local);
	strftime(text, 32, "%Y-%m-%d %H:%M", &local);
	return text;
}

static char *judge_reservation(const struct survey *survey, const char *name,
	const char *partition, const struct placement_shape *shape, time_t now)
{
	const struct survey_reservation *r = survey_find_reservation(survey, name);
	char when[32], walltime[FORMAT_MAX];

	if (!r)
		return xstrdup("there is no such reservation (or it has ended)");
	if (r->end && r->end <= now)
		return xasprintf("the reservation ended at %s", format_clock(r->end, when));
	if (r->denied)
		return xstrdup(r->denied);
	if (r->start > now)
		return xasprintf("the reservation does not begin until %s",
			format_clock(r->start, when));
	if (!r->flexible && r->end && r->end < now + shape->walltime_s)
		return xasprintf("the reservation ends at %s, before a job of %s would",
			format_clock(r->end, when),
			format_walltime(shape->walltime_s, walltime));
	if (r->partition && *partition && strcmp(r->partition, partition) != 0)
		return xasprintf("the reservation is for the partition %s", r->partition);
	return NULL;
}

/* Does the survey show that no node of this place has a RealMemory? */
static bool manages_no_memory(const struct survey *survey, const struct candidate *candidate)
{
	const struct survey_partition *p = survey_find_partition(survey, candidate->partition);

	return p && p->nodes > 0 && p->nodes_hidden == 0 &&
		p->largest_memory_mib <= NO_REAL_MEMORY_MIB;
}

void placement_judge(struct placement *placement, const struct survey *survey,
	const struct placement_shape *shape, time_t now)
{
	size_t without = 0, open = 0;

	for (size_t i = 0; i < placement->count; i++) {
		struct candidate *c = &placement->candidate[i];
		char *reason = NULL;

		if (c->reservation)
			reason = judge_reservation(
				survey, c->reservation, c->partition, shape, now);
		c->unknown = !reason && *c->partition &&
			!survey_find_partition(survey, c->partition);
		if (!reason)
			reason = judge_partition(survey, c->partition, shape);
		if (reason)
			skip(c, reason);
		open += !reason;
		without += !reason && manages_no_memory(survey, c);
	}
	placement->no_memory = open > 0 && without == open;
}

void placement_predict(struct placement *placement, size_t at, time_t start)
{
	placement->candidate[at].verdict = PLACEMENT_PREDICTED;
	placement->candidate[at].start = start;
}

void placement_refuse(struct placement *placement, size_t at, const char *reason)
{
	skip(&placement->candidate[at], xstrdup(reason));
	placement->candidate[at].refused = true;
}

const char *placement_said(const struct placement *placement)
{
	for (size_t i = 0; i < placement->count; i++)
		if (placement->candidate[i].refused)
			return placement->candidate[i].reason;
	return NULL;
}

int placement_choose(const struct placement *placement, time_t now, int64_t wait_s)
{
	int best = -1;

	for (size_t i = 0; i < placement->count; i++) {
		const struct candidate *c = &placement->candidate[i];
		const struct candidate *b = best < 0 ? NULL : &placement->candidate[best];

		if (c->verdict == PLACEMENT_SKIPPED)
			continue;
		if (c->verdict == PLACEMENT_PREDICTED && c->start <= now + wait_s)
			return (int)i;
		/* A candidate without a prediction is no better than an earlier one. */
		if (!b ||
			(c->verdict == PLACEMENT_PREDICTED &&
				(b->verdict != PLACEMENT_PREDICTED || c->start < b->start)))
			best = (int)i;
	}
	return best;
}

/* Is the partition unknown to Slurm? */
static bool is_unknown(const struct candidate *candidate)
{
	return candidate->verdict == PLACEMENT_SKIPPED && candidate->unknown;
}

/* Add why nothing of the reservation can be used. Nothing is added while one place of it can. */
static void add_reservation(const struct placement *placement, struct strv *ret)
{
	struct strv reasons = STRV_INIT;
	_cleanup_free_ char *list = NULL;
	const char *name = NULL;

	for (size_t i = 0; i < placement->count; i++) {
		const struct candidate *c = &placement->candidate[i];

		if (!c->reservation)
			continue;
		if (c->verdict != PLACEMENT_SKIPPED) {
			strv_finish(&reasons);
			return;
		}
		name = c->reservation;
		if (!is_unknown(c) && !strv_has(&reasons, c->reason))
			strv_add(&reasons, c->reason);
	}
	list = strv_join(&reasons, "; ");
	if (reasons.count > 0)
		strv_addf(ret, "the reservation %s is not used: %s", name, list);
	strv_finish(&reasons);
}

void placement_unused(const struct placement *placement, struct strv *ret)
{
	add_reservation(placement, ret);
	for (size_t i = 0; i < placement->count; i++) {
		const struct candidate *c = &placement->candidate[i];

		if (!c->reservation && is_unknown(c))
			strv_addf(ret, "%s in queues_to_try is not used: %s", c->partition,
				c->reason);
	}
}

static candidate_set bit(size_t at)
{
	return (candidate_set)1 << at;
}

static bool has_left_reservation(const struct placement *placement, candidate_set used)
{
	for (size_t i = 0; i < placement->count; i++)
		if ((used & bit(i)) && !placement->candidate[i].reservation)
			return true;
	return false;
}

int placement_next(const struct placement *placement, candidate_set used)
{
	bool left = has_left_reservation(placement, used);

	for (size_t i = 0; i < placement->count; i++) {
		const struct candidate *c = &placement->candidate[i];

		if (!(used & bit(i)) && c->verdict != PLACEMENT_SKIPPED &&
			!(left && c->reservation))
			return (int)i;
	}
	return -1;
}

bool placement_joins(const struct placement *placement, candidate_set placed, size_t at)
{
	const struct strv *options = &placement->candidate[at].options;

	for (size_t i = 0; i < placement->count; i++)
		if ((placed & bit(i)) && !strv_equal(&placement->candidate[i].options, options))
			return false;
	return true;
}

char *placement_partitions(const struct placement *placement, candidate_set used)
{
	bool left = has_left_reservation(placement, used);
	struct strv names = STRV_INIT;
	char *text;

	for (size_t i = 0; i < placement->count; i++) {
		const struct candidate *c = &placement->candidate[i];

		if ((used & bit(i)) && !(left && c->reservation) &&
			!strv_has(&names, c->partition))
			strv_add(&names, c->partition);
	}
	text = strv_join(&names, ",");
	strv_finish(&names);
	return text;
}

const char *placement_reservation(const struct placement *placement, candidate_set used)
{
	if (has_left_reservation(placement, used))
		return NULL;
	for (size_t i = 0; i < placement->count; i++)
		if (used & bit(i))
			return placement->candidate[i].reservation;
	return NULL;
}

static char *plain_name(const struct candidate *candidate)
{
	if (!*candidate->partition)
		return candidate->reservation
			? xasprintf("reservation %s", candidate->reservation)
			: xstrdup("the partition that the site chooses");
	return candidate->reservation ? xasprintf("reservation %s in %s",
						candidate->reservation, candidate->partition)
				      : xstrdup(candidate->partition);
}

char *candidate_name(const struct candidate *candidate)
{
	_cleanup_free_ char *options = strv_join(&candidate->options, ", ");
	_cleanup_free_ char *name = plain_name(candidate);

	return *options ? xasprintf("%s (%s)", name, options) : TAKE_PTR(name);
}

json_t *placement_to_json(const struct placement *placement)
{
	static const char *const verdicts[] = {
		[PLACEMENT_OPEN] = "possible",
		[PLACEMENT_PREDICTED] = "possible",
		[PLACEMENT_SKIPPED] = "skipped",
	};
	json_t *list = json_array();

	for (size_t i = 0; i < placement->count; i++) {
		const struct candidate *c = &placement->candidate[i];
		bool predicted = c->verdict == PLACEMENT_PREDICTED;

		json_array_append_new(list,
			json_pack("{s:o, s:o, s:o, s:s, s:o, s:o}", "partition",
				json_text(*c->partition ? c->partition : NULL), "reservation",
				json_text(c->reservation), "options", json_texts(&c->options),
				"verdict", verdicts[c->verdict], "start",
				predicted ? json_integer((json_int_t)c->start) : json_null(),
				"reason", json_text(c->reason)));
	}
	return list;
}
