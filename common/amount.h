/* amount.h: how large a cluster is asked for, in one unit or another, and in whole jobs. Pure. */
#ifndef DRACO_COMMON_AMOUNT_H
#define DRACO_COMMON_AMOUNT_H

#include <stdint.h>

struct err;
struct settings;

/* In the order of the options of dracoctl scale. */
enum amount_unit {
	AMOUNT_JOBS,
	AMOUNT_WORKERS,
	AMOUNT_CORES,
	AMOUNT_MEMORY,
	AMOUNT_UNIT_COUNT,
};

/* "workers", "memory_mib", ...: as requests and answers have it. */
const char *amount_name(enum amount_unit unit);

/* Read an amount: a number, or of memory a size (in MiB). -EINVAL or -ERANGE with err, which
 * says what would be right. */
int amount_parse(enum amount_unit unit, const char *text, int64_t *ret, struct err *err)
	__attribute__((warn_unused_result));

/* What one job has of it; 0: that is not known. */
int64_t amount_per_job(enum amount_unit unit, const struct settings *settings);

/* The fewest jobs of which each has per_job that have the amount together; neither is negative. */
int64_t amount_to_jobs(int64_t amount, int64_t per_job);

/* "8 workers", "1 core", "64 GiB of memory"; the caller frees. */
char *amount_describe(enum amount_unit unit, int64_t amount);

/* "8 workers asked: 2 jobs of 4 workers"; per_job is of that unit, of jobs in workers. The
 * caller frees. */
char *amount_explain(enum amount_unit unit, int64_t asked, int64_t jobs, int64_t per_job);

#endif
