/* propose.c: values of settings that fit a site, by what its Slurm tells of the partitions. */
#include "client/propose.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/number.h"
#include "common/parse.h"
#include "common/settings_places.h"
#include "common/strv.h"
#include "common/survey.h"

#define MIB_PER_GIB 1024

/* The partitions that jobs will go to, and the most that one of their nodes has. */
struct choice {
	struct strv names;
	int64_t cores;	    /* 0: not known */
	int64_t memory_mib; /* of the node with the most cores; 0: not known */
	int64_t limit_s;    /* the longest walltime; -1: any */
};

static const char *name_of(const json_t *partition)
{
	return json_get_text(partition, "name", "");
}

static const json_t *find(const json_t *partitions, const char *name)
{
	const json_t *partition;
	size_t i;

	json_array_foreach (partitions, i, partition)
		if (strcmp(name_of(partition), name) == 0)
			return partition;
	return NULL;
}

/* Why the partition takes no job of this user. NULL: it takes one. */
static const char *closed(const json_t *partition)
{
	if (!partition)
		return "there is no such partition";
	if (strcmp(json_get_text(partition, "state", ""), "up") != 0)
		return "it takes no jobs";
	if (!json_object_get(partition, "start")) /* Slurm was not asked, or has refused */
		return json_get_text(partition, "refused", "it was not tried");
	return NULL;
}

static void add(struct proposals *ret, enum setting_id id, char *value, char *reason)
{
	ret->item[ret->count++] = (struct proposal){id, value, reason};
}

/* The names of the open partitions except one, behind words; "" if there are none. */
static char *others(const json_t *partitions, const char *words, const char *except)
{
	_cleanup_free_ char *list = NULL;
	struct strv names = STRV_INIT;
	const json_t *partition;
	size_t i;

	json_array_foreach (partitions, i, partition)
		if (!closed(partition) && strcmp(name_of(partition), except) != 0)
			strv_add(&names, name_of(partition));
	list = strv_join(&names, ", ");
	strv_finish(&names);
	return *list ? xasprintf("%s%s", words, list) : xstrdup("");
}

/* The open partition to take when none of the settings' is: Slurm's default, else the one with the
 * most usable nodes. NULL: there is none. */
static const json_t *best(const json_t *partitions)
{
	const json_t *partition, *found = NULL;
	size_t i;

	json_array_foreach (partitions, i, partition) {
		if (closed(partition))
			continue;
		if (json_get_boolean(partition, "default", 0))
			return partition;
		if (!found ||
			json_get_integer(partition, "usable", 0) >
				json_get_integer(found, "usable", 0))
			found = partition;
	}
	return found;
}

/* "a: there is no such partition; b: ..." */
static char *list_closed(const json_t *partitions, const struct strv *names)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < names->count; i++) {
		const char *why = closed(find(partitions, names->item[i]));
		char *longer;

		if (!why)
			continue;
		longer = xasprintf("%s%s%s: %s", text, *text ? "; " : "", names->item[i], why);
		free(text);
		text = longer;
	}
	return text;
}

static void add_queues(
	struct proposals *ret, const struct strv *names, const char *fact, const char *more)
{
	_cleanup_free_ char *list = strv_join(names, ", ");

	add(ret, SETTING_QUEUES_TO_TRY, xasprintf("[%s]", list), xasprintf("%s%s", fact, more));
}

static void measure(const json_t *partitions, struct choice *choice)
{
	choice->cores = choice->memory_mib = 0;
	for (size_t i = 0; i < choice->names.count; i++) {
		const json_t *partition = find(partitions, choice->names.item[i]);
		int64_t limit = json_get_integer(partition, "max_time_s", -1);
		int64_t cores = json_get_integer(partition, "cores", 0);

		if (cores > choice->cores) {
			choice->cores = cores;
			choice->memory_mib = json_get_integer(partition, "memory_mib", 0);
		}
		if (i == 0 || limit < 0 || (choice->limit_s >= 0 && limit > choice->limit_s))
			choice->limit_s = limit;
	}
}

/* The cores of a job on the node with the most. */
static int64_t job_cores(const struct choice *choice, const struct settings *settings)
{
	return settings->cores == CORES_NODE ? choice->cores
					     : min_of(settings->cores, choice->cores);
}

/* The memory of jobs with so many cores; 0: Slurm does not manage it, or it is not known. */
static int64_t job_memory(
	const struct choice *choice, const struct settings *settings, int64_t cores)
{
	int64_t share;

	if (settings->memory_mib <= 0 || choice->memory_mib <= NO_REAL_MEMORY_MIB)
		return 0;
	share = choice->memory_mib * cores / choice->cores;
	if (share >= settings->memory_mib ||
		((cores == settings->cores || settings->cores == CORES_NODE) &&
			settings->memory_mib <= choice->memory_mib))
		return settings->memory_mib;
	return share > MIB_PER_GIB ? share - share % MIB_PER_GIB : share;
}

/* What a partition of the choice lacks for the jobs that fit the best of them; NULL: nothing. */
typedef char *(*lack_fn)(
	const json_t *partition, const struct choice *choice, const struct settings *settings);

static char *lack_time(
	const json_t *partition, const struct choice *choice, const struct settings *settings)
{
	int64_t limit_s = json_get_integer(partition, "max_time_s", -1);
	char has[FORMAT_MAX], needs[FORMAT_MAX];

	if (limit_s < 0 || limit_s >= settings->walltime_s || limit_s == choice->limit_s)
		return NULL;
	return xasprintf("its time limit is %s, and the walltime is %s",
		format_walltime(limit_s, has),
		format_walltime(choice->limit_s < 0
				? settings->walltime_s
				: min_of(choice->limit_s, settings->walltime_s),
			needs));
}

static char *lack_cores(
	const json_t *partition, const struct choice *choice, const struct settings *settings)
{
	int64_t cores = json_get_integer(partition, "cores", 0);

	if (cores <= 0 || cores >= job_cores(choice, settings) || settings->cores == CORES_NODE)
		return NULL;
	return xasprintf("its largest node has %" PRId64 " cores", cores);
}

static char *lack_memory(
	const json_t *partition, const struct choice *choice, const struct settings *settings)
{
	int64_t memory = json_get_integer(partition, "memory_mib", 0);
	int64_t cores = job_cores(choice, settings);
	char has[FORMAT_MAX];

	if (memory <= NO_REAL_MEMORY_MIB || memory >= job_memory(choice, settings, cores))
		return NULL;
	return xasprintf("its largest node has %s of memory", format_size(memory, has));
}

/* Leave out the partitions that lack something, and add why to *why. The best one stays. */
static void leave_out(const json_t *partitions, struct choice *choice,
	const struct settings *settings, lack_fn lack, char **why)
{
	struct strv kept = STRV_INIT;

	for (size_t i = 0; i < choice->names.count; i++) {
		const char *name = choice->names.item[i];
		_cleanup_free_ char *reason = lack(find(partitions, name), choice, settings);
		char *longer;

		if (!reason) {
			strv_add(&kept, name);
			continue;
		}
		longer = xasprintf("%s%s%s: %s", *why, **why ? "; " : "", name, reason);
		free(*why);
		*why = longer;
	}
	strv_finish(&choice->names);
	choice->names = kept;
	measure(partitions, choice);
}

/* Fills choice->names, with a proposal where that is not what the settings have. */
static void choose_queues(const json_t *partitions, const struct strv *wanted,
	const struct settings *settings, struct choice *choice, struct proposals *ret)
{
	_cleanup_free_ char *why = list_closed(partitions, wanted), *more = NULL;
	const json_t *partition = best(partitions);

	for (size_t i = 0; i < wanted->count; i++)
		if (!closed(find(partitions, wanted->item[i])))
			strv_add(&choice->names, wanted->item[i]);
	if (choice->names.count > 0) {
		measure(partitions, choice);
		leave_out(partitions, choice, settings, lack_time, &why);
		leave_out(partitions, choice, settings, lack_cores, &why);
		leave_out(partitions, choice, settings, lack_memory, &why);
		if (choice->names.count < wanted->count)
			add_queues(ret, &choice->names, why, "");
		return;
	}
	if (wanted->count == 0)
		return; /* the site chooses */
	if (!partition) {
		ret->hindrance = xasprintf("no partition takes a job of yours; %s", why);
		return;
	}
	strv_add(&choice->names, name_of(partition));
	more = others(partitions, "; others that take your jobs: ", name_of(partition));
	add_queues(ret, &choice->names,
		json_get_boolean(partition, "default", 0)
			? "Slurm's default partition here"
			: "of the partitions that take your jobs it has the most nodes",
		more);
}

/* The most workers, up to most, among which the cores can be divided evenly. */
static int64_t divide(int64_t cores, int64_t most)
{
	int64_t n = most < cores ? most : cores;

	while (cores % n != 0)
		n--;
	return n;
}

static void propose_size(const struct choice *choice, const char *names,
	const struct settings *settings, struct proposals *ret)
{
	int64_t cores = job_cores(choice, settings), processes, memory;
	char has[FORMAT_MAX], value[FORMAT_MAX];

	if (choice->cores <= 0)
		return; /* its nodes are not visible */
	if (cores < settings->cores) {
		add(ret, SETTING_CORES, xasprintf("%" PRId64, cores),
			xasprintf(
				"the largest node of %s has %" PRId64 " cores", names, cores));
		processes = divide(cores, settings->processes);
		if (processes != settings->processes)
			add(ret, SETTING_PROCESSES, xasprintf("%" PRId64, processes),
				xasprintf("each worker has %" PRId64 " of these cores",
					cores / processes));
	}
	if (settings->memory_mib <= 0 || choice->memory_mib <= 0)
		return;
	if (choice->memory_mib <= NO_REAL_MEMORY_MIB) {
		add(ret, SETTING_MEMORY, xstrdup("none"),
			xasprintf("Slurm does not know the memory of the nodes of %s", names));
		return;
	}
	memory = job_memory(choice, settings, cores);
	if (memory == settings->memory_mib)
		return;
	add(ret, SETTING_MEMORY, xstrdup(format_size(memory, value)),
		xasprintf("the share of %" PRId64 " cores of a node with %" PRId64
			  " cores and %s",
			cores, choice->cores, format_size(choice->memory_mib, has)));
}

static void propose_walltime(const struct choice *choice, const char *names,
	const struct settings *settings, struct proposals *ret)
{
	char value[FORMAT_MAX];

	if (choice->limit_s < 0 || choice->limit_s >= settings->walltime_s)
		return;
	add(ret, SETTING_JOB_WALLTIME, xstrdup(format_walltime(choice->limit_s, value)),
		xasprintf("jobs in %s may run that long", names));
	if (settings->minimum_walltime_s > choice->limit_s)
		add(ret, SETTING_MINIMUM_WALLTIME, xstrdup(value), xstrdup("at most walltime"));
}

void propose(const json_t *partitions, const struct settings *settings, struct proposals *ret)
{
	struct choice choice = {.names = STRV_INIT, .limit_s = -1};
	struct strv wanted = STRV_INIT;
	bool has_options = false;
	_cleanup_free_ char *names = NULL;

	memset(ret, 0, sizeof(*ret));
	settings_partitions(settings, &wanted);
	for (size_t i = 0; i < settings->queues_to_try.count; i++)
		has_options |= !strv_has(&wanted, settings->queues_to_try.item[i]);
	if (has_options) /* which account or QOS a partition needs, Slurm does not tell */
		strv_copy(&choice.names, &wanted);
	else
		choose_queues(partitions, &wanted, settings, &choice, ret);
	strv_finish(&wanted);
	measure(partitions, &choice);
	names = strv_join(&choice.names, ", ");
	propose_size(&choice, names, settings, ret);
	propose_walltime(&choice, names, settings, ret);
	strv_finish(&choice.names);
}

void proposals_finish(struct proposals *proposals)
{
	for (size_t i = 0; i < proposals->count; i++) {
		free(proposals->item[i].value);
		free(proposals->item[i].reason);
	}
	free(proposals->hindrance);
	memset(proposals, 0, sizeof(*proposals));
}

const struct proposal *proposals_find(const struct proposals *proposals, enum setting_id id)
{
	for (size_t i = 0; proposals && i < proposals->count; i++)
		if (proposals->item[i].id == id)
			return &proposals->item[i];
	return NULL;
}

json_t *proposals_to_json(const struct proposals *proposals)
{
	json_t *list = json_array();

	for (size_t i = 0; i < proposals->count; i++)
		json_array_append_new(list,
			json_pack("{s:s, s:o, s:o}", "setting",
				settings_table[proposals->item[i].id].name, "value",
				json_text(proposals->item[i].value), "reason",
				json_text(proposals->item[i].reason)));
	return list;
}
