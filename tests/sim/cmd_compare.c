/* cmd_compare.c: sim compare: draco's policies and Dask's Adaptive on the same traces. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "tests/sim/sim.h"
#include "tests/sim/world.h"

#define TRACES_MAX 64

static const struct policy *const compared[] = {&policy_draco, &policy_draco_second,
	&policy_draco_fixed, &policy_adaptive, &policy_adaptive_grouped,
	&policy_adaptive_whole};

#define COMPARED (sizeof(compared) / sizeof(compared[0]))

/* Of one policy on one trace: the means of all seeds. */
struct row {
	double core_s, makespan_s, jobs, cancelled, twice;
	int64_t unfinished;
};

struct table {
	struct {
		char name[64];
		bool single; /* one worker in a job */
		struct row row[COMPARED];
	} trace[TRACES_MAX];
	size_t count;
};

static void run(const struct trace *trace, const struct policy *policy,
	const struct sim_options *options, struct row *ret)
{
	struct trace seeded = *trace;
	struct world_result result;
	double n = (double)options->seeds;

	*ret = (struct row){.core_s = 0};
	for (int64_t i = 0; i < options->seeds; i++) {
		seeded.seed = (uint64_t)(options->seed + i);
		world_run(&seeded, policy, false, &result);
		ret->core_s +=
			(double)(result.node_ms * trace->processes * trace->threads) / 1000 / n;
		ret->makespan_s += (double)result.makespan_ms / 1000 / n;
		ret->jobs += (double)result.submissions / n;
		ret->cancelled += (double)result.cancelled_pending / n;
		ret->twice += (double)result.twice / n;
		ret->unfinished += !result.finished;
	}
}

static void print_row(const char *name, size_t policy, const struct row *row, int64_t seeds)
{
	printf("%-24s %-17s %12.0f ", name, compared[policy]->name, row->core_s);
	if (row->unfinished > 0)
		printf("%3" PRId64 "/%-3" PRId64 " hang", row->unfinished, seeds);
	else
		printf("%10.0f s", row->makespan_s);
	printf(" %11.1f %9.1f %8.1f\n", row->jobs, row->cancelled, row->twice);
}

static bool all_finish(const struct row row[COMPARED])
{
	for (size_t i = 0; i < COMPARED; i++) {
		if (row[i].unfinished > 0)
			return false;
	}
	return true;
}

static void print_totals(const struct table *table, int64_t seeds)
{
	struct row total[COMPARED] = {{.core_s = 0}};
	char name[64];
	int n = 0;

	for (size_t t = 0; t < table->count; t++) {
		const struct row *row = table->trace[t].row;

		if (!all_finish(row))
			continue;
		n++;
		for (size_t i = 0; i < COMPARED; i++) {
			total[i].core_s += row[i].core_s;
			total[i].makespan_s += row[i].makespan_s;
			total[i].jobs += row[i].jobs;
			total[i].cancelled += row[i].cancelled;
			total[i].twice += row[i].twice;
		}
	}
	snprintf(name, sizeof(name), "all %d that none hangs on", n);
	for (size_t i = 0; n > 1 && i < COMPARED; i++)
		print_row(name, i, &total[i], seeds);
}

enum { DRACO, SECOND, FIXED, ADAPTIVE };

static bool is_recorded(const struct table *table, size_t trace)
{
	return strncmp(table->trace[trace].name, "recorded-", 9) == 0;
}

/* Against one opponent, on the recorded traces that it finishes, taken together: fewer core
 * seconds, and no longer makespan. */
static bool wins(const struct table *table, size_t policy, size_t opponent, bool single)
{
	double core_s = 0, makespan_s = 0, others_core_s = 0, others_makespan_s = 0;
	int n = 0;

	for (size_t t = 0; t < table->count; t++) {
		const struct row *other = &table->trace[t].row[opponent];

		if (!is_recorded(table, t) || other->unfinished > 0 ||
			(single && !table->trace[t].single))
			continue;
		n++;
		core_s += table->trace[t].row[policy].core_s;
		makespan_s += table->trace[t].row[policy].makespan_s;
		others_core_s += other->core_s;
		others_makespan_s += other->makespan_s;
	}
	printf("%s/%s on %d recorded traces%s: core seconds %.3f, makespan %.3f\n",
		compared[policy]->name, compared[opponent]->name, n,
		single ? ", one worker in a job" : "", core_s / others_core_s,
		makespan_s / others_makespan_s);
	return n > 0 && core_s < others_core_s && makespan_s <= others_makespan_s;
}

/* What the README says of the recorded traces. */
static int check_claims(const struct table *table)
{
	bool ok = wins(table, DRACO, ADAPTIVE, true);

	for (size_t i = ADAPTIVE; i < COMPARED; i++)
		ok &= wins(table, SECOND, i, false);
	for (size_t t = 0; t < table->count; t++) {
		const struct row *draco = &table->trace[t].row[DRACO];

		if (is_recorded(table, t) && (draco->unfinished > 0 || draco->twice > 0)) {
			printf("%s: draco does not finish, or runs tasks twice\n",
				table->trace[t].name);
			ok = false;
		}
	}
	return ok ? 0 : 1;
}

int sim_compare(const struct sim_options *options)
{
	static struct table table;
	struct err err = ERR_INIT;
	struct trace trace;

	printf("The mean of %" PRId64 " seeds; core seconds until the notebook is closed.\n\n"
	       "%-24s %-17s %12s %12s %11s %9s %8s\n",
		options->seeds, "trace", "policy", "core seconds", "makespan", "submissions",
		"cancelled", "twice");
	for (char **file = options->files; *file && table.count < TRACES_MAX; file++) {
		struct row *row = table.trace[table.count].row;

		if (trace_read(*file, &trace, &err) < 0) {
			fprintf(stderr, "sim: %s\n", err.text);
			return 2;
		}
		for (size_t i = 0; i < COMPARED; i++) {
			run(&trace, compared[i], options, &row[i]);
			print_row(trace.name, i, &row[i], options->seeds);
		}
		memcpy(table.trace[table.count].name, trace.name, sizeof(trace.name));
		table.trace[table.count++].single = trace.processes == 1;
		trace_finish(&trace);
	}
	print_totals(&table, options->seeds);
	return options->claims ? check_claims(&table) : 0;
}
