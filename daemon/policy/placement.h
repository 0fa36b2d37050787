/* placement.h: chooses the place of jobs: the candidates in order, which of them can work, and
 * which is best. Pure: the clock is an argument.
 *
 * The candidates are the reservation with each queue, then each queue alone. A candidate that
 * cannot work is skipped, with a reason. The first candidate wins for which Slurm predicts a start
 * within wait_timeout. Without one, the candidate with the earliest predicted start wins. A job
 * that still waits after wait_timeout is widened: it may run at the next candidate, too. If that
 * one has other options for jobs, it needs another job. */
#ifndef DRACO_DAEMON_POLICY_PLACEMENT_H
#define DRACO_DAEMON_POLICY_PLACEMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/strv.h"

struct survey;

enum placement_verdict {
	PLACEMENT_OPEN,	     /* can work, as far as known; no prediction */
	PLACEMENT_PREDICTED, /* Slurm has predicted when a job starts there */
	PLACEMENT_SKIPPED,   /* cannot work, for reason */
};

struct candidate {
	char *partition;     /* "": the site's default */
	char *reservation;   /* NULL: none */
	struct strv options; /* of sbatch, for jobs in this place (common/directives.h) */
	enum placement_verdict verdict;
	time_t start; /* predicted */
	char *reason; /* why it is skipped, or a remark; NULL: none */
	bool refused; /* reason is Slurm's refusal */
	bool unknown; /* reason is that Slurm has no such partition */
};

#define PLACEMENT_QUEUES_MAX 32 /* the bits of a candidate_set */

struct placement {
	struct candidate *candidate;
	size_t count;
	/* No place manages memory: Slurm would refuse every request for it. */
	bool no_memory;
};

/* The resources of a job that partitions and reservations may limit. */
struct placement_shape {
	int64_t cores;	    /* CORES_NODE: all of a node */
	int64_t memory_mib; /* 0 or less: all memory of a node */
	int64_t walltime_s;
};

/* Set all candidates, in order, each PLACEMENT_OPEN, from settings_places(). Without places the
 * site chooses the partition. reservation may be NULL. placement_finish() frees. */
void placement_init(
	struct placement *placement, const char *reservation, const struct strv *places);
void placement_finish(struct placement *placement);

/* Skip each candidate that cannot work at time now, according to the survey. */
void placement_judge(struct placement *placement, const struct survey *survey,
	const struct placement_shape *shape, time_t now);

/* Record Slurm's prediction for one candidate: the start of a job, or the reason of a refusal. */
void placement_predict(struct placement *placement, size_t at, time_t start);
void placement_refuse(struct placement *placement, size_t at, const char *reason);

/* Slurm's reason against the first candidate that it refused; NULL: none. */
const char *placement_said(const struct placement *placement);

/* Add a text for each wish that comes to nothing although another place can work: a reservation
 * that cannot be used, and partitions that do not exist. */
void placement_unused(const struct placement *placement, struct strv *ret);

/* The index of the best candidate; -1: none can work. wait_s is wait_timeout. */
int placement_choose(const struct placement *placement, time_t now, int64_t wait_s);

/* The candidates of a job, one bit for each index. */
typedef uint64_t candidate_set;

/* The index of the next candidate in order that can work and is not used; -1: none. A job that has
 * left its reservation does not return to one. */
int placement_next(const struct placement *placement, candidate_set used);

/* Can one job run at these candidates and at this one? It has one set of options. */
bool placement_joins(const struct placement *placement, candidate_set placed, size_t at);

/* The partitions of these candidates, separated by commas (the caller frees), and their reservation
 * (borrowed; NULL: none). If one candidate has no reservation, there is none. */
char *placement_partitions(const struct placement *placement, candidate_set used);
const char *placement_reservation(const struct placement *placement, candidate_set used);

/* "short", "reservation course in short", or "short (qos=debug)". The caller frees. */
char *candidate_name(const struct candidate *candidate);

/* For programs: [{partition, reservation, options, verdict, start, reason}]. */
json_t *placement_to_json(const struct placement *placement);

#endif
