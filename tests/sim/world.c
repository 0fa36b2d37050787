/* world.c: one simulated run, from event to event. */
#include "tests/sim/world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/number.h"

#define HORIZON_MS (INT64_C(48) * 3600 * 1000)
#define STEPS_MAX  2000000

const struct policy *const policies[] = {&policy_draco, &policy_draco_second,
	&policy_draco_fixed, &policy_draco_short, &policy_adaptive, &policy_adaptive_grouped,
	&policy_adaptive_fair, &policy_adaptive_whole, NULL};

void world_log(struct world *world, const char *format, ...)
{
	va_list args;

	if (!world->verbose)
		return;
	printf("%10.2f %6" PRId64 "  ", (double)world->now_ms / 1000, world->steps);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

void world_violate(struct world *world, const char *format, ...)
{
	va_list args;

	if (world->violation[0])
		return;
	va_start(args, format);
	vsnprintf(world->violation, sizeof(world->violation), format, args);
	va_end(args);
	world->violation_step = world->steps;
	world_log(world, "VIOLATION: %s", world->violation);
}

enum dask_worker_state world_worker_connects(struct world *world, size_t job)
{
	return world->policy->worker_connects ? world->policy->worker_connects(world, job)
					      : WORKER_RUNNING;
}

void world_job_ended(struct world *world, size_t job, enum queue_end how)
{
	if (world->policy->job_ended)
		world->policy->job_ended(world, job, how);
}

void world_task_again(struct world *world, const struct dask_task *task, enum dask_again why)
{
	static const char *const names[] = {
		[AGAIN_FAILED] = "its job failed",
		[AGAIN_FORCED] = "its worker was retired",
		[AGAIN_KILLED] = "its job was ended",
		[AGAIN_LOST_FAILED] = "its result was lost with a job that failed",
		[AGAIN_LOST_KILLED] = "its result was lost with a job that was ended",
	};

	world_log(world, "dask: a task of burst %d runs again: %s", task->burst, names[why]);
	if (world->policy->task_again)
		world->policy->task_again(world, task, why);
}

static int64_t next_ms(const struct world *world, int64_t close_ms)
{
	int64_t next = min_of(queue_next_ms(world), dask_next_ms(world));

	next = min_of(next, world->policy->next_ms(world));
	if (world->commands_done < world->trace->commands)
		next = min_of(next, world->trace->command[world->commands_done].at_ms);
	next = min_of(next, close_ms);
	return next > world->now_ms ? next : world->now_ms;
}

static void obey(struct world *world)
{
	while (world->commands_done < world->trace->commands) {
		const struct trace_command *command =
			&world->trace->command[world->commands_done];

		if (world->now_ms < command->at_ms)
			return;
		world->commands_done++;
		if (world->policy->command)
			world->policy->command(world, command);
	}
}

void world_run(const struct trace *trace, const struct policy *policy, bool verbose,
	struct world_result *ret)
{
	struct world world = {.trace = trace,
		.policy = policy,
		.random = {trace->seed * 104729 + 17},
		.verbose = verbose};
	int64_t done_ms = -1, close_ms = HORIZON_MS;

	dask_init(&world.dask);
	world.state = policy->create(&world);
	while (world.now_ms < close_ms) {
		world.now_ms = next_ms(&world, close_ms);
		if (world.now_ms >= close_ms)
			break;
		if (++world.steps > STEPS_MAX) {
			world_violate(&world, "more than %d steps", STEPS_MAX);
			break;
		}
		obey(&world);
		queue_step(&world);
		dask_step(&world);
		policy->step(&world);
		if (done_ms < 0 && dask_is_done(&world)) {
			done_ms = world.now_ms;
			close_ms = done_ms + trace->close_ms;
			world_log(&world, "all is done");
		}
	}
	if (done_ms < 0)
		world_violate(&world, "%d of %d bursts are done after %" PRId64 " h",
			world.dask.bursts_done, trace->bursts, world.now_ms / 3600000);
	*ret = (struct world_result){
		.finished = done_ms >= 0,
		.makespan_ms = done_ms,
		.node_ms = queue_node_ms(&world),
		.submissions = world.queue.submissions,
		.cancelled_pending = world.queue.cancelled_pending,
		.simulated_ms = world.now_ms,
		.steps = world.steps,
		.violation_step = world.violation_step,
	};
	for (int i = 0; i < AGAIN_COUNT; i++) {
		ret->again[i] = world.dask.again[i];
		ret->twice += world.dask.again[i];
	}
	snprintf(ret->violation, sizeof(ret->violation), "%s", world.violation);
	policy->destroy(world.state);
	dask_finish(&world.dask);
	queue_finish(&world.queue);
}
