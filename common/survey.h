/* survey.h: Slurm's partitions and reservations, as far as placing jobs needs them: the values and
 * their JSON. Pure.
 *
 * draco-slurm reads partitions, nodes and reservations once. It counts the nodes that can run a job
 * of a given shape, so the size of the answer does not depend on the size of the cluster. */
#ifndef DRACO_COMMON_SURVEY_H
#define DRACO_COMMON_SURVEY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct err;

/* The memory of nodes whose RealMemory is not configured. Slurm does not manage it. */
#define NO_REAL_MEMORY_MIB 1

struct survey_partition {
	char *name;
	bool submits;		    /* accepts jobs */
	bool schedules;		    /* starts jobs */
	int64_t max_time_s;	    /* 0: no limit */
	char *denied;		    /* why this user may not use it; NULL: the user may */
	int64_t nodes;		    /* all visible nodes */
	int64_t nodes_hidden;	    /* invisible nodes, such as cloud nodes that are off */
	int64_t nodes_fit;	    /* visible nodes that are large enough for the job */
	int64_t nodes_usable;	    /* of nodes_fit: not down, drained or excluded by the job */
	int64_t nodes_excluded;	    /* of nodes_fit: excluded by the job */
	int64_t largest_cpus;	    /* the most CPUs of one node */
	int64_t largest_memory_mib; /* the most memory of one node */
};

struct survey_reservation {
	char *name;
	time_t start, end;
	char *denied;	 /* why this user may not use it; NULL: the user may */
	char *partition; /* NULL: any */
	char *nodes;	 /* a list in Slurm's form */
	bool flexible;	 /* jobs may start before it or end after it */
};

struct survey {
	struct survey_partition *partition;
	size_t partitions;
	struct survey_reservation *reservation;
	size_t reservations;
};

void survey_finish(struct survey *survey);

/* The partition with this name; NULL: none. */
const struct survey_partition *survey_find_partition(
	const struct survey *survey, const char *name);
const struct survey_reservation *survey_find_reservation(
	const struct survey *survey, const char *name);

json_t *survey_encode(const struct survey *survey);

/* Fills *ret and returns 0, or -EPROTO with err and an empty *ret. */
int survey_decode(const json_t *object, struct survey *ret, struct err *err)
	__attribute__((warn_unused_result));

#endif
