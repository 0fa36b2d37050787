/* rules.c: what must be so in every run of draco's policies. Each rule looks at what truly is
 * in Slurm and Dask, not at what dracod has seen of it. */
#include "tests/sim/rules.h"

#include <inttypes.h>

#include "common/number.h"
#include "tests/sim/draco.h"

#define SECOND	     INT64_C(1000)
#define SETTLE_MS    (60 * SECOND)  /* besides two holds: from a change until all is calm */
#define TAKE_BACK_MS (200 * SECOND) /* besides: draining, or moving, and then not */
#define SERVE_MS     (3 * SECOND)   /* from work until a job is submitted */
#define TAKE_DATA_MS (20 * SECOND)  /* a job was ready to take it for so long */
#define LATE_MS	     (15 * SECOND)  /* besides waiting and booting */
#define KNOWN_MS     (2 * SECOND)
#define FLIPS_MS     (60 * SECOND)

void rules_init(struct rules *rules)
{
	rules->short_since_ms = rules->workless_since_ms = rules->unserved_since_ms = -1;
	rules->back_ms = INT64_MIN / 2;
}

static bool is_fresh(const struct fleet_job *job)
{
	return job->phase <= PHASE_READY && !job->expiring && !job->by_hand;
}

static int64_t target_since_ms(const struct rules *rules)
{
	return rules->target[(rules->targets - 1) % RULES_TARGETS].since_ms;
}

/* The largest target after that time. */
static int64_t peak_since(const struct rules *rules, int64_t from_ms)
{
	int64_t peak = 0;

	for (int i = rules->targets; i-- > 0 && i > rules->targets - RULES_TARGETS;) {
		peak = max_of(peak, rules->target[i % RULES_TARGETS].jobs);
		if (rules->target[i % RULES_TARGETS].since_ms <= from_ms)
			break;
	}
	return peak;
}

static void remember_target(struct rules *rules, int64_t jobs, int64_t now_ms)
{
	int last = (rules->targets - 1) % RULES_TARGETS;

	if (rules->targets > 0 && rules->target[last].jobs == jobs)
		return;
	rules->target[rules->targets % RULES_TARGETS].since_ms = now_ms;
	rules->target[rules->targets++ % RULES_TARGETS].jobs = jobs;
}

/* Neither the site nor the user nor the work changed for so long that all is calm. */
static bool is_steady(const struct world *world, const struct rules *rules)
{
	int64_t since_ms = max_of(target_since_ms(rules), rules->changed_ms);

	since_ms = max_of(since_ms, max_of(rules->longest_changed_ms, rules->back_ms));
	return world->now_ms - since_ms > 2 * world->trace->idle_hold_ms + SETTLE_MS;
}

struct counts {
	int64_t fresh, kept, cancelled, back, waiting, expiring, early;
};

static void count(const struct world *world, const struct draco *draco, struct counts *ret)
{
	*ret = (struct counts){.fresh = 0};
	for (size_t i = 0; i < draco->count; i++) {
		const struct fleet_job *job = &draco->job[i].fleet;
		bool goes = job->action == FLEET_CANCEL || job->action == FLEET_DRAIN;

		ret->fresh += is_fresh(job);
		ret->kept += is_fresh(job) && !goes;
		ret->back += job->action == FLEET_UNDRAIN && !job->expiring;
		ret->waiting += job->phase <= PHASE_PENDING;
		ret->expiring += job->expiring;
		/* Not replaced before the middle of its walltime. */
		ret->early += job->expiring && !job->by_hand && job->phase <= PHASE_DRAINING &&
			world->now_ms < job->end_ms - job->walltime_ms / 2;
		ret->cancelled += is_fresh(job) && job->action == FLEET_CANCEL;
	}
}

static void check_giving_back(
	struct world *world, const struct draco *draco, const struct counts *counts)
{
	const struct rules *rules = &draco->rules;
	bool by_hand = draco->limits.fixed_jobs >= 0;
	int64_t hold_ms = draco->fleet.hold.ms, now_ms = world->now_ms;
	int64_t needed = by_hand ? draco->target.jobs : peak_since(rules, now_ms - hold_ms);

	if (counts->cancelled > 0 && counts->fresh - counts->cancelled < needed)
		world_violate(world,
			"cancels down to %" PRId64 " jobs, %" PRId64
			" were needed within the hold",
			counts->fresh - counts->cancelled, needed);
	if (counts->kept + counts->cancelled < counts->fresh && counts->kept < needed)
		world_violate(world,
			"gives back down to %" PRId64 " jobs, %" PRId64
			" were needed within the hold",
			counts->kept, needed);
	for (size_t i = 0; i < draco->count; i++) {
		const struct fleet_job *job = &draco->job[i].fleet;

		if (job->action == FLEET_DRAIN && !job->forced && job->busy > 0)
			world_violate(
				world, "drains job %zu, which is busy", draco->job[i].number);
		if (job->action == FLEET_DRAIN && job->forced && !job->expiring &&
			!job->by_hand && !by_hand)
			world_violate(
				world, "forces job %zu, for nothing", draco->job[i].number);
		if (draco->paused && is_fresh(job) && job->action != FLEET_KEEP)
			world_violate(world, "gives job %zu back though it is paused",
				draco->job[i].number);
	}
	if (counts->cancelled > 0 && is_steady(world, &draco->rules))
		world_violate(world, "cancels at a steady load");
}

static void check_asking(
	struct world *world, const struct draco *draco, const struct counts *counts)
{
	int64_t submit = draco->decision.submit, target = draco->target.jobs;
	int64_t coming = counts->fresh + counts->back + submit, backlog = world->trace->backlog;
	int64_t most = max_of(draco->limits.maximum_jobs, draco->rules.most_by_hand);
	bool may = !draco->paused && world->now_ms >= draco->back_off_until_ms;

	if (counts->fresh != draco->decision.fresh)
		world_violate(world, "%" PRId64 " jobs count, not %" PRId64, counts->fresh,
			draco->decision.fresh);
	if (submit > 0 && coming > target)
		world_violate(world, "asks for %" PRId64 " jobs, too many", submit);
	if (submit > 0 && !may)
		world_violate(world, "asks for jobs that it must not ask for");
	if (backlog > 0 && submit > 0 && counts->waiting + submit > backlog)
		world_violate(world, "more jobs wait than may");
	if (submit > 0 && coming + counts->early > target)
		world_violate(world, "asks for another job too early");
	if (may && coming + counts->early < target &&
		(backlog == 0 || counts->waiting + submit < backlog))
		world_violate(
			world, "does not ask for %" PRId64 " missing jobs", target - coming);
	if (coming > most && counts->back == 0 &&
		world->now_ms - draco->rules.back_ms >
			3 * world->trace->idle_hold_ms + TAKE_BACK_MS)
		world_violate(world, "%" PRId64 " jobs, more than %" PRId64, coming, most);
	if (draco->limits.fixed_jobs < 0 && target < draco->limits.minimum_jobs &&
		draco->target.reason != SCALING_IDLE)
		world_violate(world, "wants fewer jobs than the minimum");
	if (draco->limits.fixed_jobs < 0 && target == 0 && draco->demand.memory > 0)
		world_violate(world, "wants no job though there are results");
	if (submit > 0 && backlog == 0 && counts->expiring == 0 &&
		is_steady(world, &draco->rules))
		world_violate(world, "submits at a steady load");
}

static void check_hold(struct world *world, const struct draco *draco)
{
	const struct hold_state *hold = &draco->fleet.hold;
	int64_t most_ms = draco->idle_hold_ms, least_ms = min_of(HOLD_MIN_MS, most_ms);

	if (hold->ms < least_ms || hold->ms > most_ms)
		world_violate(world,
			"a hold of %" PRId64 " ms is not between %" PRId64 " and %" PRId64,
			hold->ms, least_ms, most_ms);
	if (!hold_was_in_vain(hold, most_ms) && hold->ms != most_ms)
		world_violate(world, "a shorter hold though none was in vain");
}

void rules_decided(struct world *world, const struct draco *draco)
{
	struct draco *mine = world->state;
	struct counts counts;

	remember_target(&mine->rules, draco->target.jobs, world->now_ms);
	count(world, draco, &counts);
	check_hold(world, draco);
	check_giving_back(world, draco, &counts);
	check_asking(world, draco, &counts);
}

void rules_phase_changes(struct world *world, struct draco_job *job)
{
	const struct draco *draco = world->state;
	struct rules_job *rules = &job->rules;

	/* What came to be known just now may have come too late. */
	if (job->fleet.phase == PHASE_DRAINING) {
		rules->drained_ms = world->now_ms;
		rules->longest_ms = world->now_ms - draco->rules.longest_since_ms > KNOWN_MS
			? draco->rules.longest_ms
			: 0;
	}
	if (world->now_ms - rules->flips_since_ms > FLIPS_MS) {
		rules->flips_since_ms = world->now_ms;
		rules->flips = 0;
	}
	if (++rules->flips > RULES_FLIPS)
		world_violate(world, "job %zu changes its phase all the time", job->number);
}

void rules_job_ends(struct world *world, struct draco_job *job)
{
	int64_t busy, bytes, connected;

	dask_job_load(&world->dask, job->number, &busy, &bytes, &connected);
	job->rules.expired = job->fleet.expiring;
	if (job->fleet.expiring) {
		if (bytes > 0 && !job->moving &&
			world->now_ms - job->rules.alone_until_ms > TAKE_DATA_MS)
			world_violate(world,
				"job %zu ends with data that another one could take",
				job->number);
		return;
	}
	if (busy > 0)
		world_violate(world, "job %zu is ended though it is busy", job->number);
	if (bytes > 0)
		world_violate(world, "job %zu is ended though it has data", job->number);
}

void rules_job_ended(struct world *world, struct draco *draco, const struct draco_job *job,
	enum queue_end how)
{
	if (how == QUEUE_FAILED)
		draco->rules.changed_ms = world->now_ms;
	if (how == QUEUE_TIMEOUT && !(job && job->fleet.phase == PHASE_ENDING))
		world_violate(world, "job %zu is ended by TIMEOUT", job ? job->number : 0);
	if (how == QUEUE_CANCELLED && !(job && job->fleet.phase == PHASE_ENDING))
		world_violate(world, "a job is ended by nobody");
}

/* Was it known, when its job was drained, that a task can be so long? Then the drain was in
 * time. */
static bool fits(
	const struct world *world, const struct draco_job *job, const struct dask_task *task)
{
	int64_t longest_ms = job->rules.longest_ms;

	/* What waited behind a longer one began too late. */
	return task->duration_ms <= longest_ms &&
		task->start_ms <= job->rules.drained_ms + longest_ms &&
		longest_ms * 9 / 4 + world->trace->margin_ms / 2 <=
		world->trace->walltime_ms / 2;
}

void rules_task_again(struct world *world, const struct draco_job *job,
	const struct dask_task *task, enum dask_again why)
{
	if (why == AGAIN_FAILED || why == AGAIN_LOST_FAILED)
		return;
	if (why == AGAIN_LOST_KILLED) /* rules_job_ends() knows whether it could be helped */
		return;
	if (!job || !(job->fleet.expiring || job->rules.expired))
		world_violate(world, "a task runs twice for nothing");
	else if (!job->rules.back && fits(world, job, task))
		world_violate(world,
			"a task of %.1f s runs twice that could have been waited for",
			(double)task->duration_ms / 1000);
}

static void look_at_tasks(struct world *world, struct draco *draco)
{
	struct rules *rules = &draco->rules;

	if (draco->longest_ms < rules->longest_ms || rules->longest_ms == 0)
		rules->longest_ms = draco->longest_ms;
	if (draco->longest_ms > rules->longest_ms) {
		rules->longest_ms = draco->longest_ms;
		rules->longest_since_ms = world->now_ms;
	}
	if (llabs(draco->longest_ms - rules->longest_other_ms) > rules->longest_other_ms / 10) {
		rules->longest_other_ms = draco->longest_ms;
		rules->longest_changed_ms = world->now_ms;
	}
}

/* Is the wanted size there as soon as the site can give it? */
static void check_size(struct world *world, struct draco *draco)
{
	const struct trace *trace = world->trace;
	struct rules *rules = &draco->rules;
	int64_t ready = 0, since_ms, margin = trace->margin_ms;
	int64_t longest_ms = max_of(margin, rules->longest_other_ms * 9 / 4 + margin / 2);
	int64_t start_ms = trace->wait_max_ms + trace->boot_max_ms + LATE_MS, late_ms;

	for (size_t i = 0; i < draco->count; i++)
		ready += draco->job[i].fleet.phase == PHASE_READY;
	if (ready >= draco->target.jobs || draco->paused) {
		rules->short_since_ms = -1;
		return;
	}
	if (rules->short_since_ms < 0)
		rules->short_since_ms = world->now_ms;
	/* Where the site has no place, or no replacement can come in time, it cannot. */
	if (trace->nodes > 0 || trace->backlog > 0 ||
		world->now_ms < draco->back_off_until_ms ||
		start_ms * 5 / 4 + longest_ms > trace->walltime_ms / 2)
		return;
	since_ms = max_of(max_of(rules->short_since_ms, rules->changed_ms),
		max_of(target_since_ms(rules),
			max_of(rules->longest_changed_ms, draco->back_off_until_ms)));
	late_ms = start_ms;
	/* A handover at a site whose queue is always the same. */
	if (trace->wait_min_ms == trace->wait_max_ms && trace->failing == 0 &&
		trace->commands == 0 &&
		rules->short_since_ms - target_since_ms(rules) > start_ms &&
		rules->short_since_ms - rules->longest_changed_ms > start_ms)
		late_ms = trace->boot_max_ms - trace->boot_min_ms + LATE_MS;
	if (world->now_ms - since_ms > late_ms)
		world_violate(world, "%" PRId64 " of %" PRId64 " jobs are ready, for %.1f s",
			ready, draco->target.jobs, (double)(world->now_ms - since_ms) / 1000);
}

static void check_zero(struct world *world, struct draco *draco)
{
	const struct trace *trace = world->trace;
	struct rules *rules = &draco->rules;
	int64_t work = dask_work(&world->dask), alive = 0;
	bool adapts = draco->limits.fixed_jobs < 0 && !draco->paused;

	for (size_t i = 0; i < draco->count; i++)
		alive += draco->job[i].fleet.phase < PHASE_ENDING;
	if (work == 0 || alive > 0 || !adapts || world->now_ms < draco->back_off_until_ms)
		rules->unserved_since_ms = -1;
	else if (rules->unserved_since_ms < 0)
		rules->unserved_since_ms = world->now_ms;
	else if (world->now_ms - rules->unserved_since_ms > SERVE_MS)
		world_violate(world, "there is work, and no job is asked for");
	for (int i = 0; i < world->dask.workers; i++)
		work += world->dask.worker[i].bytes > 0;
	if (work > 0 || !adapts || trace->idle_timeout_ms == 0)
		rules->workless_since_ms = -1;
	else if (rules->workless_since_ms < 0)
		rules->workless_since_ms = world->now_ms;
	else if (alive > 0 &&
		world->now_ms - max_of(rules->workless_since_ms, rules->changed_ms) >
			trace->idle_timeout_ms + 2 * trace->idle_hold_ms + TAKE_BACK_MS)
		world_violate(world, "%" PRId64 " jobs are there though there is nothing to do",
			alive);
}

void rules_step(struct world *world, struct draco *draco)
{
	look_at_tasks(world, draco);
	for (size_t i = 0; i < draco->count; i++) {
		bool alone = true;

		for (size_t k = 0; k < draco->count; k++)
			alone &= k == i || draco->job[k].fleet.phase != PHASE_READY;
		if (alone)
			draco->job[i].rules.alone_until_ms = world->now_ms;
	}
	check_size(world, draco);
	check_zero(world, draco);
}
