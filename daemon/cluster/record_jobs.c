/* record_jobs.c: the jobs in the record of a cluster (record.h). Part of the cluster. */
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/record.h"
#include "daemon/cluster/submission.h"
#include "daemon/io/loop.h"

static const char *const roles[ROLE_COUNT] = {
	[ROLE_ORDINARY] = "ordinary",
	[ROLE_STANDBY] = "standby",
	[ROLE_SUBSTITUTE] = "substitute",
};

static json_t *job_record(const struct job *job)
{
	return json_pack(
		"{s:o, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:b, "
		"s:b, s:b, s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:b, s:I, s:I}",
		"tag", json_text(job->tag), "index", (json_int_t)job->index, "phase",
		job_phase_name(job->phase), "phase_since_ms", (json_int_t)job->phase_since_ms,
		"id", (json_int_t)job->job_id, "task", (json_int_t)job->task, "processes",
		(json_int_t)job->processes, "cores", (json_int_t)job->cores, "memory_mib",
		(json_int_t)job->memory_mib, "walltime_s", (json_int_t)job->walltime_s,
		"placed", (json_int_t)job->placed, "placed_ms", (json_int_t)job->placed_ms,
		"role", roles[job->role], "exhausted", job->exhausted, "forkserver",
		job->forkserver, "by_hand", job->by_hand, "was_connected", job->was_connected,
		"was_ready", job->was_ready, "abandoned", job->abandoned, "waited_ms",
		(json_int_t)job->waited_ms, "running_since_ms",
		(json_int_t)job->running_since_ms, "ready_since_ms",
		(json_int_t)job->ready_since_ms, "known_ms", (json_int_t)job->known_ms, "many",
		job->many, "need", (json_int_t)job->need, "covered", (json_int_t)job->covered);
}

static enum job_phase phase_find(const char *name)
{
	for (int phase = 0; phase < PHASE_COUNT; phase++)
		if (strcmp(job_phase_name((enum job_phase)phase), name) == 0)
			return (enum job_phase)phase;
	return PHASE_GONE;
}

static enum job_role role_find(const char *name)
{
	for (int role = 0; role < ROLE_COUNT; role++)
		if (strcmp(roles[role], name) == 0)
			return (enum job_role)role;
	return ROLE_ORDINARY;
}

static void job_restore(struct jobs *jobs, const json_t *entry)
{
	const char *tag = json_get_text(entry, "tag", "");
	struct job job = {
		.index = json_get_integer(entry, "index", 0),
		.phase = phase_find(json_get_text(entry, "phase", "")),
		.phase_since_ms = record_time(entry, "phase_since_ms"),
		.job_id = (uint32_t)json_get_integer(entry, "id", 0),
		.task = json_get_integer(entry, "task", SLURM_NO_TASK),
		.processes = json_get_integer(entry, "processes", 1),
		.cores = json_get_integer(entry, "cores", 1),
		.memory_mib = json_get_integer(entry, "memory_mib", 0),
		.walltime_s = json_get_integer(entry, "walltime_s", 0),
		.placed = (candidate_set)json_get_integer(entry, "placed", 0),
		.placed_ms = json_get_integer(entry, "placed_ms", 0),
		.role = role_find(json_get_text(entry, "role", "")),
		.exhausted = json_get_boolean(entry, "exhausted", 0),
		.many = json_get_boolean(entry, "many", 0),
		.need = json_get_integer(entry, "need", 0),
		.covered = (candidate_set)json_get_integer(entry, "covered", 0),
		.forkserver = json_get_boolean(entry, "forkserver", 0),
		.by_hand = json_get_boolean(entry, "by_hand", 0),
		.was_connected = json_get_boolean(entry, "was_connected", 0),
		/* Until its workers show up, or show up again. */
		.abandoned = json_get_boolean(entry, "abandoned", 0) ||
			json_get_boolean(entry, "was_connected", 0),
		.was_ready = json_get_boolean(entry, "was_ready", 0),
		.waited_ms = json_get_integer(entry, "waited_ms", 0),
		.running_since_ms = json_get_integer(entry, "running_since_ms", 0),
		.ready_since_ms = json_get_integer(entry, "ready_since_ms", 0),
		.known_ms = json_get_integer(entry, "known_ms", 0),
		.wait_known = json_get_integer(entry, "ready_since_ms", 0) > 0,
	};

	if (!*tag || job.phase == PHASE_GONE)
		return;
	/* Drained workers are taken back; then policy decides anew. */
	if (job.phase == PHASE_DRAINING || job.phase == PHASE_RETIRING) {
		job.phase = PHASE_READY;
		job.phase_since_ms = loop_now_ms();
	}
	if (!job.job_id)
		job.phase = PHASE_NEW;
	job.tag = xstrdup(tag);
	jobs_restore(jobs, &job);
}

json_t *record_jobs(const struct cluster *cluster)
{
	json_t *array = json_array();
	const struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job->phase != PHASE_GONE)
			json_array_append_new(array, job_record(job));
	return array;
}

/* Jobs without an id belong to submissions whose answers nobody has heard. */
static void doubt(struct cluster *cluster)
{
	const struct job *job, *other;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		int64_t count = 0;

		if (job->phase != PHASE_NEW || job->submission)
			continue;
		TAILQ_FOREACH (other, jobs_list(cluster->jobs), link)
			count += other->phase == PHASE_NEW && strcmp(other->tag, job->tag) == 0;
		submissions_adopt(cluster->submissions, job->tag, count);
	}
}

void record_restore_jobs(struct cluster *cluster, const json_t *record)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(record, "jobs"), i, entry)
		job_restore(cluster->jobs, entry);
	doubt(cluster);
}
