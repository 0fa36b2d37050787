/* survey.h: what Slurm says of its partitions and reservations, as far as placing jobs needs
 * it: the values and their JSON. Pure.
 *
 * draco-slurm reads partitions, nodes and reservations once and counts, for a job of a given shape,
 * which nodes can run it; so the size of the answer does not depend on that of the cluster. */
#ifndef DRACO_COMMON_SURVEY_H
#define DRACO_COMMON_SURVEY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct err;

/* What nodes have whose RealMemory is not configured: Slurm does not manage their memory. */
#define NO_REAL_MEMORY_MIB 1

struct survey_partition {
	char *name;
	bool submits;		    /* it takes jobs */
	bool schedules;		    /* it starts jobs */
	int64_t max_time_s;	    /* 0: no limit */
	char *denied;		    /* why this user may not use it; NULL: may */
	int64_t nodes;		    /* in all, of those that can be seen */
	int64_t nodes_hidden;	    /* not to be seen, such as cloud nodes that are off */
	int64_t nodes_fit;	    /* of those, large enough for the job */
	int64_t nodes_usable;	    /* of those, not down, drained or excluded by the job */
	int64_t nodes_excluded;	    /* large enough, but excluded */
	int64_t largest_cpus;	    /* of a node */
	int64_t largest_memory_mib; /* of a node */
};

struct survey_reservation {
	char *name;
	time_t start, end;
	char *denied;	 /* why this user may not use it; NULL: may */
	char *partition; /* NULL: any */
	char *nodes;	 /* a list as Slurm writes it */
	bool flexible;	 /* jobs may run longer than it, or begin before it */
};

struct survey {
	struct survey_partition *partition;
	size_t partitions;
	struct survey_reservation *reservation;
	size_t reservations;
};

void survey_finish(struct survey *survey);

/* By name; NULL when there is none. */
const struct survey_partition *survey_find_partition(
	const struct survey *survey, const char *name);
const struct survey_reservation *survey_find_reservation(
	const struct survey *survey, const char *name);

json_t *survey_encode(const struct survey *survey);

/* Fills *ret and returns 0, or -EPROTO with err, *ret then empty. */
int survey_decode(const json_t *object, struct survey *ret, struct err *err)
	__attribute__((warn_unused_result));

#endif
