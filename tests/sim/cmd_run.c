/* cmd_run.c: sim run: one trace, with everything that happens. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "tests/sim/adaptive.h"
#include "tests/sim/sim.h"
#include "tests/sim/world.h"

static void print_trace(const struct trace *trace)
{
	printf("%" PRId64 " to %" PRId64 " workers, %" PRId64 " with %" PRId64
	       " threads in a job; walltime %" PRId64 " s, idle_hold %" PRId64
	       " s, idle_timeout %" PRId64 " s, margin %" PRId64 " s, backlog %" PRId64 "\n",
		trace->minimum, trace->maximum, trace->processes, trace->threads,
		trace->walltime_ms / 1000, trace->idle_hold_ms / 1000,
		trace->idle_timeout_ms / 1000, trace->margin_ms / 1000, trace->backlog);
	printf("jobs wait %" PRId64 " to %" PRId64 " s, workers boot in %" PRId64 " to %" PRId64
	       " s, %" PRId64 " nodes, %.0f %% of the jobs fail\n",
		trace->wait_min_ms / 1000, trace->wait_max_ms / 1000, trace->boot_min_ms / 1000,
		trace->boot_max_ms / 1000, trace->nodes, 100 * trace->failing);
}

int sim_run(const struct sim_options *options)
{
	const struct policy *policy =
		options->policy ? NULL : sim_policy_of((uint64_t)options->seed);
	struct world_result result;
	struct trace trace;
	struct err err = ERR_INIT;

	for (size_t i = 0; options->policy && policies[i]; i++) {
		if (strcmp(policies[i]->name, options->policy) == 0)
			policy = policies[i];
	}
	if (!policy) {
		fprintf(stderr, "sim: there is no policy \"%s\"\n", options->policy);
		return 2;
	}
	if (!options->files[0]) {
		trace_random((uint64_t)options->seed, &trace);
	} else if (trace_read(options->files[0], &trace, &err) < 0) {
		fprintf(stderr, "sim: %s\n", err.text);
		return 2;
	} else {
		trace.seed = (uint64_t)options->seed;
	}
	adaptive_tells = options->decisions;
	if (!options->decisions)
		print_trace(&trace);
	else
		printf("{\"processes\": %" PRId64 ", \"minimum\": %" PRId64
		       ", \"maximum\": %" PRId64 ", \"memory\": %" PRId64 "}\n",
			trace.processes, trace.minimum, trace.maximum, trace.worker_bytes);
	world_run(&trace, policy, options->verbose, &result);
	if (options->decisions) {
		trace_finish(&trace);
		return 0;
	}
	if (result.finished)
		printf("done after %.1f s", (double)result.makespan_ms / 1000);
	else
		printf("not done");
	printf("; %.0f core seconds, %" PRId64 " jobs submitted, %" PRId64
	       " cancelled while pending; tasks begun again: %" PRId64 " failed, %" PRId64
	       " forced, %" PRId64 " killed, %" PRId64 " results lost\n",
		(double)(result.node_ms * trace.processes * trace.threads) / 1000,
		result.submissions, result.cancelled_pending, result.again[AGAIN_FAILED],
		result.again[AGAIN_FORCED], result.again[AGAIN_KILLED],
		result.again[AGAIN_LOST_FAILED] + result.again[AGAIN_LOST_KILLED]);
	if (result.violation[0])
		printf("VIOLATION at step %" PRId64 ": %s\n", result.violation_step,
			result.violation);
	trace_finish(&trace);
	return result.violation[0] != '\0';
}
