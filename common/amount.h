/* amount.h: converts a requested size, in one unit or another, to whole jobs. Pure. */
#ifndef DRACO_COMMON_AMOUNT_H
#define DRACO_COMMON_AMOUNT_H

#include <stdint.h>

struct err;
struct settings;

/* In the order of dracoctl scale's options. */
enum amount_unit {
	AMOUNT_JOBS,
	AMOUNT_WORKERS,
	AMOUNT_CORES,
	AMOUNT_MEMORY,
	AMOUNT_UNIT_COUNT,
};

/* The unit's name in requests and answers: "workers", "memory_mib", ... */
const char *amount_name(enum amount_unit unit);

/* Read an amount: a number, or a size of memory (in MiB). -EINVAL or -ERANGE with err, which says
 * what would be right. */
int amount_parse(enum amount_unit unit, const char *text, int64_t *ret, struct err *err)
	__attribute__((warn_unused_result));

/* The amount of one job in this unit; 0: not known. */
int64_t amount_per_job(enum amount_unit unit, const struct settings *settings);

/* The fewest jobs of per_job each that give the amount together. Neither may be negative. */
int64_t amount_to_jobs(int64_t amount, int64_t per_job);

/* The amount for a person: "8 workers", "1 core", "64 GiB of memory". The caller frees. */
char *amount_describe(enum amount_unit unit, int64_t amount);

/* The conversion for a person: "8 workers asked: 2 jobs of 4 workers". per_job is in the given
 * unit; if that is jobs, in workers. The caller frees. */
char *amount_explain(enum amount_unit unit, int64_t asked, int64_t jobs, int64_t per_job);

#endif
