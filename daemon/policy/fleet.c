/* fleet.c: how many jobs to request, and which jobs to give back. Pure: the clock is an
 * argument. */
#include "daemon/policy/fleet.h"

#include <assert.h>

#include "common/number.h"
#include "daemon/policy/fleet_data.h"

#define IDLE_STEP_MS   5000  /* idle times that differ by less count as equal */
#define DRAIN_MAX_MS   60000 /* a job that drains longer is taken back */
#define DRAIN_AGAIN_MS 1000
/* When a job that was taken back may drain again; the longest task may then be another. */
#define BACK_AGAIN_MS 10000
#define FIRST_BOOT_MS 10000  /* expected where no job has started yet */
#define MOVE_MAX_MS   120000 /* for moving the results of a job */

const char *fleet_action_name(enum fleet_action action)
{
	static const char *const names[] = {
		[FLEET_KEEP] = "keep",
		[FLEET_CANCEL] = "cancel",
		[FLEET_DRAIN] = "drain",
		[FLEET_UNDRAIN] = "undrain",
		[FLEET_RETIRE] = "retire",
		[FLEET_END] = "end",
	};

	return names[action];
}

void fleet_state_init(struct fleet_state *state)
{
	*state = (struct fleet_state){.replaced_end_ms = 0};
	hold_init(&state->hold);
}

static bool waits(const struct fleet_job *job)
{
	return job->phase <= PHASE_PENDING;
}

bool fleet_is_fresh(const struct fleet_job *job)
{
	return (waits(job) || fleet_runs(job)) && !job->expiring && !job->by_hand;
}

bool fleet_is_due(struct fleet *fleet, int64_t when_ms)
{
	if (fleet->now_ms >= when_ms)
		return true;
	if (when_ms < fleet->wake_ms)
		fleet->wake_ms = when_ms;
	return false;
}

struct handover_times fleet_times(const struct fleet *fleet, const struct fleet_job *job)
{
	int64_t longest_ms = fleet->limits->longest_ms;
	struct handover_times times;

	/* During a pause no new job comes for long tasks: keep the present jobs for short ones. */
	if (fleet->limits->paused && longest_ms + longest_ms / 4 > job->walltime_ms / 2)
		longest_ms = 0;
	handover_times(job->end_ms, job->walltime_ms, fleet->limits->lead_ms,
		fleet->limits->margin_ms, longest_ms, &times);
	return times;
}

static void find_expiring(struct fleet *fleet, struct fleet_state *state)
{
	for (size_t i = 0; i < fleet->count; i++) {
		struct fleet_job *job = &fleet->jobs[i];

		job->action = FLEET_KEEP;
		job->expiring = job->forced = job->holds = job->stuck = false;
		if (!(fleet_runs(job) || fleet_leaves(job)))
			continue;
		job->expiring = job->worn;
		if (job->worn || job->end_ms == INT64_MAX)
			continue;
		job->expiring = job->end_ms <= state->replaced_end_ms ||
			fleet_is_due(fleet, fleet_times(fleet, job).request_ms);
	}
	for (size_t i = 0; i < fleet->count; i++) {
		const struct fleet_job *job = &fleet->jobs[i];

		if (job->expiring && !job->worn && !fleet_leaves(job) &&
			job->end_ms > state->replaced_end_ms)
			state->replaced_end_ms = job->end_ms;
	}
}

/* Does the job expire in the first half of its walltime? It does where tasks take so long that they
 * need a fresh job. Such a job is not replaced ahead of time: otherwise long tasks would request
 * ever more jobs. */
static bool is_early(struct fleet *fleet, const struct fleet_job *job)
{
	return job->expiring && !job->worn &&
		(fleet_runs(job) || job->phase == PHASE_DRAINING) &&
		!fleet_is_due(fleet, job->end_ms - job->walltime_ms / 2);
}

static int64_t count_early(struct fleet *fleet)
{
	int64_t n = 0;

	for (size_t i = 0; i < fleet->count; i++)
		n += is_early(fleet, &fleet->jobs[i]) && !fleet->jobs[i].by_hand;
	return n;
}

static int64_t count_fresh(const struct fleet *fleet)
{
	int64_t n = 0;

	for (size_t i = 0; i < fleet->count; i++)
		n += fleet_is_fresh(&fleet->jobs[i]);
	return n;
}

/* Keep jobs that are leaving only because they were not needed: they can work at once. */
static int64_t take_back(struct fleet *fleet, int64_t missing)
{
	static const enum job_phase order[] = {PHASE_DRAINING, PHASE_RETIRING};
	int64_t taken = 0;

	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		for (size_t i = fleet->count; i-- > 0 && taken < missing;) {
			struct fleet_job *job = &fleet->jobs[i];

			if (job->phase == order[k] && !job->expiring && !job->by_hand) {
				job->action = FLEET_UNDRAIN;
				taken++;
			}
		}
	}
	return taken;
}

static int64_t count_to_submit(const struct fleet *fleet, int64_t missing)
{
	int64_t room, pending = 0;

	if (fleet->limits->paused || !fleet->limits->may_submit || missing <= 0)
		return 0;
	for (size_t i = 0; i < fleet->count; i++)
		pending += waits(&fleet->jobs[i]);
	room = fleet->limits->backlog - pending;
	if (fleet->limits->backlog == 0 || missing <= room)
		return missing;
	return room > 0 ? room : 0;
}

static bool is_more_coming(const struct fleet *fleet, int64_t missing)
{
	for (size_t i = 0; i < fleet->count; i++)
		if (fleet_is_fresh(&fleet->jobs[i]) && fleet->jobs[i].phase != PHASE_READY)
			return true;
	return missing > 0 && !fleet->limits->paused;
}

/* For how long a job that starts is kept: until its workers have usually come. */
static int64_t boot_ms(const struct fleet_limits *limits)
{
	return limits->boot_ms > 0 ? limits->boot_ms + limits->boot_ms / 4 : FIRST_BOOT_MS;
}

/* When the job may be given back; INT64_MAX: not now. at_once: even if it was not idle for long
 * enough. */
static int64_t idle_due_ms(const struct fleet *fleet, const struct fleet_job *job, bool at_once)
{
	int64_t due_ms;

	if (!fleet_runs(job) || !fleet_is_fresh(job))
		return INT64_MAX;
	if (at_once)
		return job->hold_ms;
	if (job->busy > 0)
		return INT64_MAX;
	due_ms = job->idle_since_ms + fleet->state->hold.ms;
	if (job->phase == PHASE_STARTING)
		due_ms = max_of(due_ms, job->phase_since_ms + boot_ms(fleet->limits));
	return due_ms > job->hold_ms ? due_ms : job->hold_ms;
}

/* Should a be given back before b? */
static bool is_better_victim(
	const struct fleet *fleet, const struct fleet_job *a, const struct fleet_job *b)
{
	int64_t idle_a, idle_b;

	if ((a->busy > 0) != (b->busy > 0))
		return a->busy == 0;
	idle_a = a->busy ? 0 : (fleet->now_ms - a->idle_since_ms) / IDLE_STEP_MS;
	idle_b = b->busy ? 0 : (fleet->now_ms - b->idle_since_ms) / IDLE_STEP_MS;
	if (idle_a != idle_b)
		return idle_a > idle_b;
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes;
	return a->end_ms < b->end_ms;
}

/* The youngest pending job that can be cancelled; NULL: none. A NEW job cannot be cancelled,
 * because its id is not known yet; the decision is made again when it is. */
static struct fleet_job *choose_waiting(struct fleet *fleet)
{
	for (size_t i = fleet->count; i-- > 0;) {
		struct fleet_job *job = &fleet->jobs[i];

		if (job->action == FLEET_KEEP && fleet_is_fresh(job) && waits(job) &&
			job->phase != PHASE_NEW)
			return job;
	}
	return NULL;
}

/* The running job to give back next; NULL: none. */
static struct fleet_job *choose_running(struct fleet *fleet, bool at_once)
{
	struct fleet_job *best = NULL;

	for (size_t i = 0; i < fleet->count; i++) {
		struct fleet_job *job = &fleet->jobs[i];
		int64_t due_ms = idle_due_ms(fleet, job, at_once);

		if (job->action != FLEET_KEEP || due_ms == INT64_MAX ||
			!fleet_is_due(fleet, due_ms) || fleet_must_hold(fleet, job))
			continue;
		if (!best || is_better_victim(fleet, job, best))
			best = job;
	}
	return best;
}

/* Give back this many jobs. at_once: busy ones, too. */
static void give_back(struct fleet *fleet, int64_t surplus, bool at_once)
{
	struct fleet_job *job;

	for (; surplus > 0 && (job = choose_waiting(fleet)) != NULL; surplus--)
		job->action = FLEET_CANCEL;
	for (size_t i = 0; i < fleet->count; i++)
		surplus -= fleet->jobs[i].phase == PHASE_NEW && fleet_is_fresh(&fleet->jobs[i]);
	for (; surplus > 0 && (job = choose_running(fleet, at_once)) != NULL; surplus--) {
		job->action = FLEET_DRAIN;
		job->forced = at_once;
	}
}

/* The number of jobs above the maximum, which somebody has lowered. */
static int64_t excess(const struct fleet *fleet, int64_t fresh)
{
	return fleet->limits->maximum > 0 ? max_of(0, fresh - fleet->limits->maximum) : 0;
}

/* There are more jobs than needed: give back those that were not needed for the whole hold. Those
 * above the maximum go at once. */
static void shrink(struct fleet *fleet, int64_t fresh)
{
	const struct fleet_limits *limits = fleet->limits;
	int64_t wake_ms, hold_ms = limits->by_hand ? 0 : fleet->state->hold.ms;
	int64_t needed = hold_peak(&fleet->state->hold, hold_ms, fleet->now_ms, &wake_ms);
	int64_t over = excess(fleet, fresh);

	if (fresh <= limits->target || limits->paused)
		return;
	fleet_is_due(fleet, wake_ms);
	if (over > 0)
		give_back(fleet, over, true);
	give_back(fleet, fresh - over - needed, limits->by_hand);
}

/* The largest target within the last idle_hold. */
static int64_t recent_peak(struct fleet *fleet)
{
	int64_t wake_ms, peak,
		span_ms = fleet->limits->by_hand ? 0 : fleet->limits->idle_hold_ms;

	peak = hold_peak(&fleet->state->hold, span_ms, fleet->now_ms, &wake_ms);
	fleet_is_due(fleet, wake_ms);
	return peak;
}

/* Record how many jobs are needed, and choose how long the others are kept. The first jobs, and all
 * jobs during a pause, count as needed. */
static void observe(struct fleet *fleet, int64_t fresh)
{
	const struct fleet_limits *limits = fleet->limits;
	struct hold_state *hold = &fleet->state->hold;

	if (limits->paused || hold->jobs < 0)
		hold_observe(hold, max_of(limits->target, fresh), false, fleet->now_ms);
	if (!limits->paused)
		hold_observe(hold, limits->target, !limits->by_hand, fleet->now_ms);
	hold_choose(hold, limits->idle_hold_ms, limits->wait_ms);
}

/* How many jobs will take tasks once the decisions so far are carried out. */
static int64_t count_ready(const struct fleet *fleet)
{
	int64_t n = 0;

	for (size_t i = 0; i < fleet->count; i++)
		n += fleet->jobs[i].action == FLEET_UNDRAIN ||
			(fleet->jobs[i].phase == PHASE_READY &&
				fleet->jobs[i].action == FLEET_KEEP);
	return n;
}

/* Has half of the time between force_ms and the end passed? The other half is for the workers to
 * shut down cleanly. */
static bool is_over(struct fleet *fleet, const struct fleet_job *job)
{
	int64_t force_ms = fleet_times(fleet, job).force_ms;

	return fleet_is_due(fleet, force_ms + (job->end_ms - force_ms) / 2);
}

/* May draining be tried again, after it failed or the data fitted on no other job? Not at once, but
 * soon: until then the job may get tasks that do not end in time. */
static bool may_drain(struct fleet *fleet, const struct fleet_job *job)
{
	bool soon = fleet_is_due(fleet, job->phase_since_ms + DRAIN_AGAIN_MS);

	return fleet_is_due(fleet, job->hold_ms) || soon;
}

/* Drain the jobs whose walltime ends soon, each when its replacement is ready, or at the last
 * moment. The job that ends first goes first. */
static void hand_over(struct fleet *fleet, int64_t surplus)
{
	for (;;) {
		struct fleet_job *first = NULL;

		for (size_t i = 0; i < fleet->count; i++) {
			struct fleet_job *job = &fleet->jobs[i];

			if (!job->expiring || !fleet_runs(job) || job->action != FLEET_KEEP)
				continue;
			if (is_over(fleet, job))
				job->action = FLEET_END;
			else if (may_drain(fleet, job) &&
				(fleet_is_due(fleet, fleet_times(fleet, job).drain_ms) ||
					surplus > 0) &&
				(!first || job->end_ms < first->end_ms))
				first = job;
		}
		if (!first || fleet_needs_to_take(fleet, first))
			return;
		first->action = FLEET_DRAIN;
		first->forced = true;
		surplus -= first->phase == PHASE_READY;
	}
}

/* Too few jobs are ready because a replacement failed: let expiring jobs take tasks again, if their
 * time suffices. They are drained again as soon as a longer task comes. */
static void take_back_expiring(struct fleet *fleet, int64_t missing)
{
	for (size_t i = fleet->count; i-- > 0 && missing > 0;) {
		struct fleet_job *job = &fleet->jobs[i];

		if (job->phase == PHASE_DRAINING && job->expiring && !job->by_hand &&
			fleet_is_due(fleet, job->phase_since_ms + BACK_AGAIN_MS) &&
			fleet->now_ms + fleet->limits->margin_ms / 2 <
				fleet_times(fleet, job).drain_ms) {
			job->action = FLEET_UNDRAIN;
			missing--;
		}
	}
}

/* A user has retired this job. */
static void let_go(struct fleet *fleet, struct fleet_job *job)
{
	if (waits(job)) {
		if (job->phase != PHASE_NEW)
			job->action = FLEET_CANCEL;
	} else if (fleet_runs(job) && fleet_is_due(fleet, job->hold_ms)) {
		job->action = FLEET_DRAIN;
		job->forced = true;
	}
}

static void go_on_draining(struct fleet *fleet, struct fleet_job *job)
{
	bool forced = job->expiring && fleet_is_due(fleet, fleet_times(fleet, job).force_ms);
	bool asked = job->expiring || job->by_hand || fleet->limits->by_hand || fleet->full;

	if (job->action == FLEET_UNDRAIN)
		return;
	job->stuck = job->busy == 0 && !fleet->more && fleet_is_last_holder(fleet, job);
	if (job->expiring && is_over(fleet, job)) {
		job->action = FLEET_END;
	} else if (!asked && fleet->limits->paused) {
		job->action = FLEET_UNDRAIN;
	} else if ((job->busy == 0 || forced) && !fleet_is_last_holder(fleet, job) &&
		(forced || fleet_is_due(fleet, job->hold_ms))) {
		job->action = FLEET_RETIRE;
		job->forced = job->busy > 0;
	} else if (!asked && fleet_is_due(fleet, job->phase_since_ms + DRAIN_MAX_MS)) {
		job->action = FLEET_UNDRAIN;
	}
}

static void go_on_retiring(struct fleet *fleet, struct fleet_job *job)
{
	if (job->action == FLEET_UNDRAIN)
		return;
	if (job->expiring) {
		if (is_over(fleet, job))
			job->action = FLEET_END;
	} else if (fleet_is_due(fleet, job->phase_since_ms + MOVE_MAX_MS)) {
		job->action = FLEET_UNDRAIN;
	}
}

void fleet_decide(struct fleet_state *state, const struct fleet_limits *limits,
	struct fleet_job *jobs, size_t count, int64_t now_ms, struct fleet_decision *ret)
{
	struct fleet fleet = {state, limits, jobs, count, now_ms, INT64_MAX, false, false};
	int64_t missing, peak;

	assert(limits->target >= 0);
	find_expiring(&fleet, state);
	*ret = (struct fleet_decision){.fresh = count_fresh(&fleet)};
	observe(&fleet, ret->fresh);
	peak = recent_peak(&fleet);
	missing = limits->target - ret->fresh - count_early(&fleet);
	if (missing > 0)
		missing -= take_back(&fleet, missing);
	ret->submit = count_to_submit(&fleet, missing);
	fleet.more = is_more_coming(&fleet, missing);
	fleet.full = limits->maximum > 0 && ret->fresh >= limits->maximum;
	shrink(&fleet, ret->fresh);
	for (size_t i = 0; i < count; i++) {
		if (jobs[i].by_hand && jobs[i].action == FLEET_KEEP)
			let_go(&fleet, &jobs[i]);
	}
	/* Before the last moment, a job goes only when another has replaced it, or when it is not
	 * needed any more. Neither applies during a pause. */
	hand_over(&fleet, limits->paused ? 0 : count_ready(&fleet) - peak);
	take_back_expiring(&fleet, limits->target - count_ready(&fleet));
	fleet_gather(&fleet);
	for (size_t i = 0; i < count; i++) {
		if (jobs[i].phase == PHASE_DRAINING)
			go_on_draining(&fleet, &jobs[i]);
		else if (jobs[i].phase == PHASE_RETIRING)
			go_on_retiring(&fleet, &jobs[i]);
	}
	ret->wake_ms = fleet.wake_ms;
}
