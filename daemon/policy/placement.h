/* placement.h: where jobs shall run: the candidates in order, which of them can work, and which is
 * best. Pure: the clock is an argument.
 *
 * Candidates: the reservation with each queue, then each queue alone. One that cannot work is
 * skipped with its reason. Of the others the first that Slurm predicts to start the job within
 * wait_timeout wins, else the one that it predicts to start soonest. A job that still waits
 * after wait_timeout is widened: the next candidate is added to where it may run. */
#ifndef DRACO_DAEMON_POLICY_PLACEMENT_H
#define DRACO_DAEMON_POLICY_PLACEMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/strv.h"

struct survey;

enum placement_verdict {
	PLACEMENT_OPEN,	     /* can work, as far as is known; nothing was predicted */
	PLACEMENT_PREDICTED, /* Slurm has predicted when the job starts there */
	PLACEMENT_SKIPPED,   /* cannot work; reason tells why */
};

struct candidate {
	char *partition;   /* "": the one that the site chooses */
	char *reservation; /* NULL: none */
	enum placement_verdict verdict;
	time_t start; /* as predicted */
	char *reason; /* why it is skipped, or what is known of it; NULL: nothing */
	bool refused; /* it is Slurm that says so */
};

#define PLACEMENT_QUEUES_MAX 32 /* so that a candidate_set holds all candidates */

struct placement {
	struct candidate *candidate;
	size_t count;
	/* Slurm manages memory in none of the places: it would refuse all that asks for some. */
	bool no_memory;
};

/* What a job asks for, as far as partitions and reservations may forbid it. */
struct placement_shape {
	int64_t cores;
	int64_t memory_mib; /* up to 0: whatever a node has */
	int64_t walltime_s;
};

/* All candidates, in order, each PLACEMENT_OPEN. Without queues the site chooses the partition.
 * reservation may be NULL. placement_finish() frees. */
void placement_init(
	struct placement *placement, const char *reservation, const struct strv *queues);
void placement_finish(struct placement *placement);

/* Skip what the survey shows not to work at time now. */
void placement_judge(struct placement *placement, const struct survey *survey,
	const struct placement_shape *shape, time_t now);

/* Slurm's prediction for one candidate: when it starts, or why it cannot. */
void placement_predict(struct placement *placement, size_t at, time_t start);
void placement_refuse(struct placement *placement, size_t at, const char *reason);

/* What Slurm has said against the first candidate that it refused; NULL: it refused none. */
const char *placement_said(const struct placement *placement);

/* The best candidate's index, or -1 when none can work. wait_s is wait_timeout. */
int placement_choose(const struct placement *placement, time_t now, int64_t wait_s);

/* A job is placed at a set of candidates, one bit for each index. */
typedef uint64_t candidate_set;

/* The set widened by the next candidate in order that can work; unchanged when there is none
 * left. A job that has left its reservation does not go back to one. */
candidate_set placement_widen(const struct placement *placement, candidate_set used);

/* Where a job may run that is placed at these candidates: its partitions with commas (the
 * caller frees) and its reservation (borrowed; NULL: none). One candidate without a reservation
 * is enough to leave it. */
char *placement_partitions(const struct placement *placement, candidate_set used);
const char *placement_reservation(const struct placement *placement, candidate_set used);

/* "short", or "reservation course in short"; the caller frees. */
char *candidate_name(const struct candidate *candidate);

/* For programs: [{partition, reservation, verdict, start, reason}]. */
json_t *placement_to_json(const struct placement *placement);

#endif
