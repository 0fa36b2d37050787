/* amount.c: converts a requested size, in one unit or another, to whole jobs. Pure. */
#include "common/amount.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/parse.h"
#include "common/settings.h"

static const struct {
	const char *name;
	const char *one, *many; /* NULL: the unit is memory */
} units[AMOUNT_UNIT_COUNT] = {
	[AMOUNT_JOBS] = {"jobs", "job", "jobs"},
	[AMOUNT_WORKERS] = {"workers", "worker", "workers"},
	[AMOUNT_CORES] = {"cores", "core", "cores"},
	[AMOUNT_MEMORY] = {"memory_mib", NULL, NULL},
};

const char *amount_name(enum amount_unit unit)
{
	return units[unit].name;
}

int amount_parse(enum amount_unit unit, const char *text, int64_t *ret, struct err *err)
{
	int64_t size;
	int r;

	if (unit == AMOUNT_MEMORY)
		return parse_size(text, ret, err);
	r = parse_integer(text, 0, INT64_MAX, ret, err);
	if (r < 0 && parse_size(text, &size, NULL) == 0)
		return err_set(err, r,
			"\"%s\" is not a number of %s; with --memory it is an amount of memory",
			text, units[unit].many);
	return r;
}

int64_t amount_per_job(enum amount_unit unit, const struct settings *settings)
{
	switch (unit) {
	case AMOUNT_WORKERS:
		return settings->processes;
	case AMOUNT_CORES:
		return settings->cores;
	case AMOUNT_MEMORY:
		return settings->memory_mib > 0 ? settings->memory_mib : 0;
	case AMOUNT_JOBS:
	case AMOUNT_UNIT_COUNT:
		break;
	}
	return 1;
}

int64_t amount_to_jobs(int64_t amount, int64_t per_job)
{
	return amount / per_job + (amount % per_job > 0);
}

static char *describe(enum amount_unit unit, int64_t amount, const char *what)
{
	char text[FORMAT_MAX];

	if (units[unit].many)
		return xasprintf("%" PRId64 " %s", amount,
			amount == 1 ? units[unit].one : units[unit].many);
	return xasprintf("%s%s", format_size(amount, text), what);
}

char *amount_describe(enum amount_unit unit, int64_t amount)
{
	return describe(unit, amount, " of memory");
}

char *amount_explain(enum amount_unit unit, int64_t asked, int64_t jobs, int64_t per_job)
{
	enum amount_unit shape = unit == AMOUNT_JOBS ? AMOUNT_WORKERS : unit;
	_cleanup_free_ char *all = amount_describe(unit, asked);
	_cleanup_free_ char *count = amount_describe(AMOUNT_JOBS, jobs);
	_cleanup_free_ char *each = describe(shape, per_job, "");

	return xasprintf("%s asked: %s of %s", all, count, each);
}
