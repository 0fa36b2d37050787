/* draco.c: a model of dracod around its policies. It sees Slurm a poll late and Dask a report
 * late, and its requests take time; what it sees and asks for is as in daemon/cluster and
 * draco_scheduler.py. */
#include "tests/sim/draco.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/alloc.h"
#include "common/number.h"

#define GROWTH_MS	50   /* from more work until the preload reports it */
#define REPORT_MS	450  /* the same of any other change */
#define FIRST_REPORT_MS 2000 /* when the scheduler is up */
#define LONG_MS		2000 /* it reports at least that often while something runs */
#define POLL_MS		1000
#define ANSWER_MS	30     /* of the preload */
#define SHORT_HOLD_MS	10000  /* an idle_hold for those who count core seconds */
#define BUSY_HOLD_MS	1000   /* a task was there */
#define FULL_HOLD_MS	10000  /* data had nowhere to go */
#define MOVE_MS		2000   /* the least that data takes to move */
#define BYTES_PER_MS	500000 /* that move */
#define BACK_OFF_MS	2000
#define BACK_OFF_MAX	6
#define FIRST_SESSION	1000 /* seeds */

static const struct policy policy_draco_first;
static struct hold_state learned; /* in the first session */

static void *create(struct world *world)
{
	const struct trace *trace = world->trace;
	struct draco *draco = xcalloc(1, sizeof(*draco));

	draco->limits = (struct scaling_limits){
		.processes = trace->processes,
		.threads = trace->threads,
		.worker_bytes = trace->worker_bytes,
		.minimum_jobs = (trace->minimum + trace->processes - 1) / trace->processes,
		.maximum_jobs = trace->maximum / trace->processes,
		.target_duration_s = (double)trace->target_duration_ms / 1000,
		.idle_timeout_ms = trace->idle_timeout_ms,
		.fixed_jobs = -1,
	};
	fleet_state_init(&draco->fleet);
	scaling_state_init(&draco->scaling);
	rules_init(&draco->rules);
	draco->idle_hold_ms = trace->idle_hold_ms;
	draco->learns = true;
	draco->report_ms = FIRST_REPORT_MS;
	draco->poll_ms = draco->wake_ms = INT64_MAX;
	draco->due = true;
	return draco;
}

static void *create_short(struct world *world)
{
	struct draco *draco = create(world);

	draco->idle_hold_ms = min_of(draco->idle_hold_ms, SHORT_HOLD_MS);
	return draco;
}

/* What a second session begins with: the pauses of the first one. */
static void *create_second(struct world *world)
{
	struct draco *draco = create(world);
	struct trace first = *world->trace;
	struct world_result unused;

	first.seed += FIRST_SESSION;
	world_run(&first, &policy_draco_first, false, &unused);
	draco->fleet.hold = learned;
	hold_restart(&draco->fleet.hold);
	return draco;
}

static void destroy_first(void *state)
{
	learned = ((struct draco *)state)->fleet.hold;
	free(state);
}

static void *create_fixed(struct world *world)
{
	struct draco *draco = create(world);

	draco->learns = false;
	return draco;
}

static void destroy(void *state)
{
	free(state);
}

void draco_set_phase(struct world *world, struct draco_job *job, enum job_phase phase)
{
	if (!job_phase_may_follow(job->fleet.phase, phase))
		world_violate(world, "job %zu goes from %s to %s", job->number,
			job_phase_name(job->fleet.phase), job_phase_name(phase));
	world_log(world, "draco: job %zu: %s -> %s", job->number,
		job_phase_name(job->fleet.phase), job_phase_name(phase));
	job->fleet.phase = phase;
	job->fleet.phase_since_ms = world->now_ms;
	if (phase == PHASE_STARTING || phase == PHASE_READY)
		job->fleet.idle_since_ms = world->now_ms;
	rules_phase_changes(world, job);
}

static struct draco_job *find(struct draco *draco, size_t number)
{
	for (size_t i = 0; i < draco->count; i++) {
		if (draco->job[i].number == number)
			return &draco->job[i];
	}
	return NULL;
}

/* What Dask tells of one job, as it is now. */
static void load_job(struct world *world, struct draco_job *job)
{
	int64_t busy, bytes, connected;

	dask_job_load(&world->dask, job->number, &busy, &bytes, &connected);
	if (job->fleet.phase == PHASE_STARTING && connected == world->trace->processes) {
		struct draco *draco = world->state;

		draco_set_phase(world, job, PHASE_READY);
		handover_observe(&draco->waits, world->now_ms - job->submit_ms);
		handover_observe(&draco->boots, world->now_ms - job->running_ms);
		draco->failures = 0;
		draco->due = true;
	}
	if (busy == 0 && job->fleet.busy > 0)
		job->fleet.idle_since_ms = world->now_ms;
	job->fleet.busy = busy;
	job->fleet.bytes = bytes;
}

static void report(struct world *world, struct draco *draco)
{
	draco->dask_changes = world->dask.changes;
	dask_demand(world, &draco->demand);
	draco->report_ms =
		demand_has_work(&draco->demand) ? world->now_ms + LONG_MS : INT64_MAX;
	for (size_t i = 0; i < draco->count; i++)
		load_job(world, &draco->job[i]);
	draco->due = true;
}

static void job_is_gone(struct world *world, struct draco *draco, struct draco_job *job)
{
	bool asked = job->fleet.phase == PHASE_ENDING;

	draco_set_phase(world, job, PHASE_GONE);
	if (asked)
		return;
	draco->failures++;
	draco->back_off_until_ms =
		world->now_ms + ((int64_t)BACK_OFF_MS << min_of(draco->failures, BACK_OFF_MAX));
}

static void poll(struct world *world, struct draco *draco)
{
	size_t kept = 0;

	draco->poll_ms = INT64_MAX;
	draco->queue_changes = world->queue.changes;
	draco->due = true;
	for (size_t i = 0; i < draco->count; i++) {
		struct draco_job *job = &draco->job[i];
		const struct queue_job *seen = &world->queue.job[job->number];

		if (job->fleet.phase == PHASE_SUBMITTED)
			draco_set_phase(world, job, PHASE_PENDING);
		if (job->fleet.phase == PHASE_PENDING && seen->state == QUEUE_RUNNING) {
			draco_set_phase(world, job, PHASE_STARTING);
			job->fleet.end_ms = seen->start_ms + world->trace->walltime_ms;
			job->running_ms = world->now_ms;
			load_job(world, job);
		}
		if (seen->state == QUEUE_ENDED)
			job_is_gone(world, draco, job);
		if (job->fleet.phase != PHASE_GONE)
			draco->job[kept++] = *job;
	}
	draco->count = kept;
}

static void end_job(struct world *world, struct draco_job *job)
{
	/* What has moved until now is safe. */
	if (job->moving) {
		double share = (double)(world->now_ms - job->fleet.phase_since_ms) /
			(double)(job->answer_ms - job->fleet.phase_since_ms);

		for (int i = 0; i < world->dask.workers; i++) {
			const struct dask_worker *worker = &world->dask.worker[i];

			if (worker->state == WORKER_RETIRED && worker->job == job->number)
				dask_move(world, i, share);
		}
	}
	rules_job_ends(world, job);
	job->asked = job->moving = false;
	draco_set_phase(world, job, PHASE_ENDING);
	queue_cancel(world, job->number);
}

static void take_back(struct world *world, struct draco *draco, struct draco_job *job)
{
	draco->rules.back_ms = world->now_ms;
	job->rules.back = true;
	dask_set_job(world, job->number, WORKER_RUNNING);
	job->moving = false;
	draco_set_phase(world, job, PHASE_READY);
}

static void refuse(
	struct world *world, struct draco *draco, struct draco_job *job, int64_t hold_ms)
{
	world_log(world, "draco: job %zu cannot go", job->number);
	job->fleet.hold_ms = world->now_ms + hold_ms;
	take_back(world, draco, job);
}

/* The data has been moved; did all of it find a place? */
static void moved(struct world *world, struct draco *draco, struct draco_job *job)
{
	for (int i = 0; i < world->dask.workers; i++) {
		const struct dask_worker *worker = &world->dask.worker[i];

		if (worker->state == WORKER_RETIRED && worker->job == job->number &&
			!dask_move(world, i, 1)) {
			refuse(world, draco, job, FULL_HOLD_MS);
			return;
		}
	}
	for (int i = 0; i < world->dask.workers; i++) {
		const struct dask_worker *worker = &world->dask.worker[i];

		if (worker->state == WORKER_RETIRED && worker->job == job->number)
			dask_end_worker(world, i, AGAIN_FORCED, AGAIN_LOST_KILLED);
	}
	end_job(world, job);
}

static void answer(struct world *world, struct draco *draco, struct draco_job *job)
{
	job->asked = false;
	draco->due = true;
	if (job->fleet.phase == PHASE_NEW) {
		draco_set_phase(world, job, PHASE_SUBMITTED);
		draco->poll_ms = min_of(draco->poll_ms, world->now_ms + POLL_MS);
		return;
	}
	load_job(world, job);
	if (job->moving) {
		job->moving = false;
		moved(world, draco, job);
	} else if (!job->forced && job->fleet.busy > 0) {
		refuse(world, draco, job, BUSY_HOLD_MS);
	} else if (job->asked_for == FLEET_DRAIN) {
		dask_set_job(world, job->number, WORKER_PAUSED);
	} else {
		dask_set_job(world, job->number, WORKER_RETIRED);
		job->asked = job->moving = true;
		job->answer_ms = world->now_ms +
			(job->fleet.bytes > 0 ? MOVE_MS + job->fleet.bytes / BYTES_PER_MS : 50);
	}
}

static void submit(struct world *world, struct draco *draco)
{
	struct draco_job *job = &draco->job[draco->count++];

	assert(draco->count <= DRACO_JOBS);
	*job = (struct draco_job){.number = queue_submit(world),
		.submit_ms = world->now_ms,
		.asked = true,
		.answer_ms = world->now_ms + random_between(&world->random, 50, 800),
		.fleet = {.phase = PHASE_NEW,
			.phase_since_ms = world->now_ms,
			.end_ms = INT64_MAX,
			.walltime_ms = world->trace->walltime_ms}};
}

static void act(struct world *world, struct draco *draco, struct draco_job *job)
{
	enum fleet_action action = job->fleet.action;
	int64_t busy, bytes, connected;

	/* One question at a time; but the end, and what calls off a move, do not wait. */
	if (action == FLEET_KEEP ||
		(job->asked && (action == FLEET_DRAIN || action == FLEET_RETIRE)))
		return;
	world_log(world, "draco: job %zu: %s%s", job->number, fleet_action_name(action),
		job->fleet.forced ? ", forced" : "");
	switch (action) {
	case FLEET_CANCEL:
		draco_set_phase(world, job, PHASE_ENDING);
		/* It may have begun to run in the meantime: that is as it is. */
		queue_cancel(world, job->number);
		return;
	case FLEET_END:
		end_job(world, job);
		return;
	case FLEET_UNDRAIN:
		job->asked = false;
		take_back(world, draco, job);
		return;
	case FLEET_DRAIN:
		dask_job_load(&world->dask, job->number, &busy, &bytes, &connected);
		if (connected == 0) {
			end_job(world, job);
			return;
		}
		draco_set_phase(world, job, PHASE_DRAINING);
		break;
	case FLEET_RETIRE:
		draco_set_phase(world, job, PHASE_RETIRING);
		break;
	case FLEET_KEEP:
		return;
	}
	job->asked = true;
	job->moving = false;
	job->asked_for = action;
	job->forced = job->fleet.forced;
	job->answer_ms = world->now_ms + ANSWER_MS;
}

static void decide(struct world *world, struct draco *draco)
{
	struct fleet_job jobs[DRACO_JOBS];
	struct fleet_limits limits;
	int64_t before = draco->target.jobs;

	draco->due = false;
	draco->limits.ready_threads = draco->limits.kept_threads = 0;
	for (size_t i = 0; i < draco->count; i++) {
		int64_t threads = world->trace->processes * world->trace->threads;

		if (draco->job[i].fleet.phase == PHASE_READY)
			draco->limits.ready_threads += threads;
		if (draco->job[i].fleet.phase <= PHASE_READY)
			draco->limits.kept_threads += threads;
	}
	draco->limits.wait_ms = handover_shortest_ms(&draco->waits);
	scaling_decide(
		&draco->scaling, &draco->limits, &draco->demand, world->now_ms, &draco->target);
	if (before != draco->target.jobs)
		world_log(world, "draco: target %" PRId64 " jobs, was %" PRId64,
			draco->target.jobs, before);
	draco->longest_ms = (int64_t)(draco->demand.longest_s * 1000);
	limits = (struct fleet_limits){
		.target = draco->target.jobs,
		.backlog = world->trace->backlog,
		.idle_hold_ms = draco->idle_hold_ms,
		.wait_ms = draco->learns ? handover_usual_ms(&draco->waits) : 0,
		.boot_ms = handover_usual_ms(&draco->boots),
		.lead_ms = handover_lead_ms(&draco->waits, 0),
		.margin_ms = world->trace->margin_ms,
		.longest_ms = draco->longest_ms,
		.by_hand = draco->limits.fixed_jobs >= 0,
		.paused = draco->paused,
		.may_submit = world->now_ms >= draco->back_off_until_ms,
	};
	for (size_t i = 0; i < draco->count; i++)
		jobs[i] = draco->job[i].fleet;
	fleet_decide(
		&draco->fleet, &limits, jobs, draco->count, world->now_ms, &draco->decision);
	for (size_t i = 0; i < draco->count; i++)
		draco->job[i].fleet = jobs[i];
	rules_decided(world, draco);
	draco->wake_ms = min_of(draco->decision.wake_ms, draco->target.wake_ms);
	if (!limits.may_submit)
		draco->wake_ms = min_of(draco->wake_ms, draco->back_off_until_ms);
	for (size_t i = 0; i < draco->count; i++)
		act(world, draco, &draco->job[i]);
	for (int64_t i = 0; i < draco->decision.submit; i++)
		submit(world, draco);
}

static int64_t next_ms(const struct world *world)
{
	const struct draco *draco = world->state;
	int64_t next = min_of(draco->wake_ms, min_of(draco->report_ms, draco->poll_ms));

	for (size_t i = 0; i < draco->count; i++) {
		if (draco->job[i].asked)
			next = min_of(next, draco->job[i].answer_ms);
	}
	return draco->due ? world->now_ms : next;
}

static void step(struct world *world)
{
	struct draco *draco = world->state;

	if (draco->dask_changes != world->dask.changes) {
		int64_t work = dask_work(&world->dask);
		bool grows = work * 10 > 11 * (draco->demand.ready + draco->demand.running);

		draco->report_ms = min_of(
			draco->report_ms, world->now_ms + (grows ? GROWTH_MS : REPORT_MS));
	}
	if (draco->queue_changes != world->queue.changes)
		draco->poll_ms = min_of(draco->poll_ms, world->now_ms + POLL_MS);
	for (size_t i = 0; i < draco->count; i++) {
		if (draco->job[i].asked && world->now_ms >= draco->job[i].answer_ms)
			answer(world, draco, &draco->job[i]);
	}
	if (world->now_ms >= draco->poll_ms)
		poll(world, draco);
	if (world->now_ms >= draco->report_ms)
		report(world, draco);
	rules_step(world, draco);
	if (draco->due || world->now_ms >= draco->wake_ms)
		decide(world, draco);
}

static void command(struct world *world, const struct trace_command *command)
{
	static const char *const names[] = {"scale", "adapt", "pause", "resume", "release job"};
	struct draco *draco = world->state;

	world_log(world, "user: %s %" PRId64, names[command->order], command->number);
	draco->due = true;
	draco->rules.changed_ms = world->now_ms;
	switch (command->order) {
	case ORDER_SCALE:
		draco->limits.fixed_jobs = command->number;
		if (command->number > draco->rules.most_by_hand)
			draco->rules.most_by_hand = command->number;
		break;
	case ORDER_ADAPT:
		draco->limits.fixed_jobs = -1;
		break;
	case ORDER_PAUSE:
	case ORDER_RESUME:
		draco->paused = command->order == ORDER_PAUSE;
		break;
	case ORDER_RELEASE:
		if (command->number < (int64_t)draco->count)
			draco->job[command->number].fleet.by_hand = true;
		break;
	}
}

static enum dask_worker_state worker_connects(struct world *world, size_t number)
{
	const struct draco_job *job = find(world->state, number);

	if (job && job->fleet.phase == PHASE_DRAINING)
		return WORKER_PAUSED;
	return job && job->fleet.phase >= PHASE_RETIRING ? WORKER_RETIRED : WORKER_RUNNING;
}

static void job_ended(struct world *world, size_t number, enum queue_end how)
{
	rules_job_ended(world, world->state, find(world->state, number), how);
}

static void task_again(struct world *world, const struct dask_task *task, enum dask_again why)
{
	struct draco *draco = world->state;

	rules_task_again(world, find(draco, world->dask.worker[task->worker].job), task, why);
}

#define POLICY(policy_name, policy_create, policy_destroy)                               \
	{                                                                                \
		.name = policy_name, .create = policy_create, .destroy = policy_destroy, \
		.next_ms = next_ms, .step = step, .command = command,                    \
		.worker_connects = worker_connects, .job_ended = job_ended,              \
		.task_again = task_again                                                 \
	}

static const struct policy policy_draco_first = POLICY("first", create, destroy_first);
const struct policy policy_draco = POLICY("draco", create, destroy);
const struct policy policy_draco_second = POLICY("draco+second", create_second, destroy);
const struct policy policy_draco_fixed = POLICY("draco+fixed", create_fixed, destroy);
const struct policy policy_draco_short = POLICY("draco+short", create_short, destroy);
