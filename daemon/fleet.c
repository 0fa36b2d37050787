/* fleet.c: which jobs to ask for and which to give back. Pure: the clock is an argument. */
#include "daemon/fleet.h"

#include <assert.h>

#define IDLE_STEP_MS 5000   /* idle times that differ by less count as equal */
#define DRAIN_MAX_MS 60000  /* a task that takes longer gets its job back */
#define MOVE_MAX_MS  120000 /* for the data of a job */

/* What one decision works on. */
struct fleet {
	const struct fleet_limits *limits;
	struct fleet_job *jobs;
	size_t count;
	int64_t now_ms, wake_ms;
};

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
	*state = (struct fleet_state){.low_since_ms = -1};
}

static bool waits(const struct fleet_job *job)
{
	return job->phase <= PHASE_PENDING;
}

static bool runs(const struct fleet_job *job)
{
	return job->phase == PHASE_STARTING || job->phase == PHASE_READY;
}

static bool leaves(const struct fleet_job *job)
{
	return job->phase == PHASE_DRAINING || job->phase == PHASE_RETIRING;
}

/* Does it count as a job that will be there for a while? */
static bool is_fresh(const struct fleet_job *job)
{
	return (waits(job) || runs(job)) && !job->expiring && !job->by_hand;
}

/* Is it true already? Otherwise decide again then. */
static bool is_due(struct fleet *fleet, int64_t when_ms)
{
	if (fleet->now_ms >= when_ms)
		return true;
	if (when_ms < fleet->wake_ms)
		fleet->wake_ms = when_ms;
	return false;
}

static void times_of(
	const struct fleet *fleet, const struct fleet_job *job, struct handover_times *ret)
{
	handover_times(job->end_ms, job->walltime_ms, fleet->limits->lead_ms,
		fleet->limits->margin_ms, fleet->limits->longest_ms, ret);
}

static void find_expiring(struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->count; i++) {
		struct fleet_job *job = &fleet->jobs[i];
		struct handover_times times;

		job->action = FLEET_KEEP;
		job->expiring = job->forced = false;
		if (!(runs(job) || leaves(job)) || job->end_ms == INT64_MAX)
			continue;
		times_of(fleet, job, &times);
		job->expiring = is_due(fleet, times.request_ms);
	}
}

static int64_t count_fresh(const struct fleet *fleet)
{
	int64_t n = 0;

	for (size_t i = 0; i < fleet->count; i++)
		n += is_fresh(&fleet->jobs[i]);
	return n;
}

/* Jobs on their way out only because nobody needed them, back: they are there at once. */
static int64_t take_back(struct fleet *fleet, int64_t missing)
{
	int64_t taken = 0;

	for (size_t i = fleet->count; i-- > 0 && taken < missing;) {
		struct fleet_job *job = &fleet->jobs[i];

		if (job->phase == PHASE_DRAINING && !job->expiring && !job->by_hand) {
			job->action = FLEET_UNDRAIN;
			taken++;
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

/* When the job may go for being idle; INT64_MAX: not now. */
static int64_t idle_due_ms(const struct fleet *fleet, const struct fleet_job *job)
{
	int64_t due_ms;

	if (!runs(job) || !is_fresh(job))
		return INT64_MAX;
	if (fleet->limits->by_hand)
		return job->hold_ms;
	if (job->busy > 0)
		return INT64_MAX;
	due_ms = job->idle_since_ms + fleet->limits->idle_hold_ms;
	return due_ms > job->hold_ms ? due_ms : job->hold_ms;
}

/* Is a the better one to give back? */
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

/* The next job to give back; NULL: none now. */
static struct fleet_job *choose_victim(struct fleet *fleet)
{
	struct fleet_job *best = NULL;

	for (size_t i = fleet->count; i-- > 0;) {
		struct fleet_job *job = &fleet->jobs[i];

		/* NEW: Slurm has not told its id; the next decision comes when it has. */
		if (job->action == FLEET_KEEP && waits(job) && job->phase != PHASE_NEW)
			return job;
	}
	for (size_t i = 0; i < fleet->count; i++) {
		struct fleet_job *job = &fleet->jobs[i];
		int64_t due_ms = idle_due_ms(fleet, job);

		if (job->action != FLEET_KEEP || due_ms == INT64_MAX || !is_due(fleet, due_ms))
			continue;
		if (!best || is_better_victim(fleet, job, best))
			best = job;
	}
	return best;
}

/* More jobs than needed: those go that were not needed for the whole of the hold. */
static void shrink(struct fleet *fleet, struct fleet_state *state, int64_t fresh)
{
	const struct fleet_limits *limits = fleet->limits;
	int64_t hold_ms = limits->by_hand ? 0 : limits->idle_hold_ms;
	struct fleet_job *job;

	if (fresh <= limits->target || limits->paused) {
		state->low_since_ms = -1;
		return;
	}
	if (state->low_since_ms < 0) {
		state->low_since_ms = fleet->now_ms;
		state->low_peak = limits->target;
	}
	if (limits->target > state->low_peak)
		state->low_peak = limits->target;
	if (!is_due(fleet, state->low_since_ms + hold_ms))
		return;
	while (fresh > state->low_peak && (job = choose_victim(fleet)) != NULL) {
		job->action = waits(job) ? FLEET_CANCEL : FLEET_DRAIN;
		job->forced = limits->by_hand;
		fresh--;
	}
	/* A target that fell in the meantime has a hold of its own. */
	if (state->low_peak != limits->target) {
		state->low_peak = limits->target;
		state->low_since_ms = fleet->now_ms;
		is_due(fleet, fleet->now_ms + hold_ms);
	}
}

static bool replacements_are_there(const struct fleet *fleet)
{
	int64_t ready = 0;

	for (size_t i = 0; i < fleet->count; i++)
		ready += fleet->jobs[i].phase == PHASE_READY && is_fresh(&fleet->jobs[i]);
	return ready >= fleet->limits->target;
}

/* Half of what is left after force is for the workers to leave in order. */
static int64_t last_moment_ms(const struct fleet_job *job, const struct handover_times *times)
{
	return times->force_ms + (job->end_ms - times->force_ms) / 2;
}

/* A running job that shall go in any case: its time is over, or a user wants it. */
static void let_go(struct fleet *fleet, struct fleet_job *job, bool replaced)
{
	struct handover_times times = {.drain_ms = INT64_MAX};

	if (job->expiring) {
		times_of(fleet, job, &times);
		if (is_due(fleet, last_moment_ms(job, &times))) {
			job->action = FLEET_END;
			return;
		}
	}
	if (!is_due(fleet, job->hold_ms))
		return;
	if (job->by_hand || (job->expiring && (is_due(fleet, times.drain_ms) || replaced))) {
		job->action = FLEET_DRAIN;
		job->forced = true;
	}
}

static void go_on_draining(struct fleet *fleet, struct fleet_job *job)
{
	struct handover_times times;

	if (job->action == FLEET_UNDRAIN)
		return;
	if (job->busy == 0) {
		job->action = FLEET_RETIRE;
		job->forced = false;
		return;
	}
	if (job->expiring) {
		times_of(fleet, job, &times);
		if (is_due(fleet, times.force_ms)) {
			job->action = FLEET_RETIRE;
			job->forced = true;
		}
	} else if (!job->by_hand && !fleet->limits->by_hand &&
		is_due(fleet, job->phase_since_ms + DRAIN_MAX_MS)) {
		job->action = FLEET_UNDRAIN;
	}
}

static void go_on_retiring(struct fleet *fleet, struct fleet_job *job)
{
	struct handover_times times;

	if (job->expiring) {
		times_of(fleet, job, &times);
		if (is_due(fleet, last_moment_ms(job, &times)))
			job->action = FLEET_END;
	} else if (is_due(fleet, job->phase_since_ms + MOVE_MAX_MS)) {
		job->action = FLEET_UNDRAIN;
	}
}

void fleet_decide(struct fleet_state *state, const struct fleet_limits *limits,
	struct fleet_job *jobs, size_t count, int64_t now_ms, struct fleet_decision *ret)
{
	struct fleet fleet = {limits, jobs, count, now_ms, INT64_MAX};
	int64_t missing;
	bool replaced;

	assert(limits->target >= 0);
	find_expiring(&fleet);
	*ret = (struct fleet_decision){.fresh = count_fresh(&fleet)};
	missing = limits->target - ret->fresh;
	if (missing > 0)
		missing -= take_back(&fleet, missing);
	ret->submit = count_to_submit(&fleet, missing);
	shrink(&fleet, state, ret->fresh);
	replaced = replacements_are_there(&fleet);
	for (size_t i = 0; i < count; i++) {
		if (runs(&jobs[i]) && (jobs[i].expiring || jobs[i].by_hand))
			let_go(&fleet, &jobs[i], replaced);
		else if (jobs[i].phase == PHASE_DRAINING)
			go_on_draining(&fleet, &jobs[i]);
		else if (jobs[i].phase == PHASE_RETIRING)
			go_on_retiring(&fleet, &jobs[i]);
	}
	ret->wake_ms = fleet.wake_ms;
}
