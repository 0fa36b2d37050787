/* cmd_compare.c: sim compare: draco's policies and Dask's Adaptive on the same traces. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "tests/sim/sim.h"
#include "tests/sim/world.h"

/* The mean of all seeds. */
static void print_row(const struct trace *trace, const struct policy *policy,
	const struct sim_options *options)
{
	struct trace seeded = *trace;
	struct world_result result;
	double core_s = 0, makespan_s = 0, jobs = 0, cancelled = 0, twice = 0;
	double n = (double)options->seeds;
	int64_t unfinished = 0;

	for (int64_t i = 0; i < options->seeds; i++) {
		seeded.seed = (uint64_t)(options->seed + i);
		world_run(&seeded, policy, false, &result);
		core_s += (double)(result.node_ms * trace->processes * trace->threads) / 1000;
		makespan_s += (double)result.makespan_ms / 1000;
		jobs += (double)result.submissions;
		cancelled += (double)result.cancelled_pending;
		twice += (double)result.twice;
		unfinished += !result.finished;
	}
	printf("%-15.*s %-16s %12.0f ", (int)strcspn(trace->name, "."), trace->name,
		policy->name, core_s / n);
	if (unfinished > 0)
		printf("%3" PRId64 "/%-3.0f hang", unfinished, n);
	else
		printf("%10.0f s", makespan_s / n);
	printf(" %11.1f %9.1f %8.1f\n", jobs / n, cancelled / n, twice / n);
}

int sim_compare(const struct sim_options *options)
{
	struct trace trace;
	struct err err = ERR_INIT;

	printf("The mean of %" PRId64 " seeds; core seconds until the notebook is closed.\n\n"
	       "%-15s %-16s %12s %12s %11s %9s %8s\n",
		options->seeds, "trace", "policy", "core seconds", "makespan", "submissions",
		"cancelled", "twice");
	for (char **file = options->files; *file; file++) {
		if (trace_read(*file, &trace, &err) < 0) {
			fprintf(stderr, "sim: %s\n", err.text);
			return 2;
		}
		for (size_t i = 0; policies[i]; i++)
			print_row(&trace, policies[i], options);
	}
	return 0;
}
