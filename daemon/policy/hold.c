/* hold.c: how long an idle job is kept in case it is needed again. Pure: the clock is an
 * argument. */
#include "daemon/policy/hold.h"

#include <inttypes.h>

#include "common/alloc.h"
#include "common/number.h"
#include "common/parse.h"

#define JOBS_MAX     1000000
#define PAUSE_MAX_MS (366LL * 24 * 3600 * 1000)
#define WAIT_WEIGHT  4 /* seconds of waiting that cost as much as one of an idle job */

void hold_init(struct hold_state *state)
{
	*state = (struct hold_state){.jobs = -1};
}

void hold_restart(struct hold_state *state)
{
	state->jobs = -1;
	state->levels = 0;
}

static void remember_level(struct hold_state *state, int64_t jobs, int64_t now_ms)
{
	int at = state->levels;

	/* Without room for a level, the last one absorbs this one, which has fewer jobs. */
	if (at == HOLD_LEVELS) {
		state->level[at - 1].until_ms = now_ms;
		return;
	}
	state->level[at].jobs = jobs;
	state->level[at].until_ms = now_ms;
	state->levels++;
}

void hold_remember(struct hold_state *state, int64_t jobs, int64_t ms)
{
	int64_t at = state->pauses % HOLD_PAUSES;

	if (jobs <= 0 || ms < HOLD_MIN_MS)
		return;
	jobs = min_of(jobs, JOBS_MAX);
	ms = min_of(ms, PAUSE_MAX_MS);
	state->pause[at].jobs = jobs;
	state->pause[at].ms = ms;
	state->pauses++;
}

void hold_observe(struct hold_state *state, int64_t jobs, bool learn, int64_t now_ms)
{
	if (jobs < state->jobs)
		remember_level(state, state->jobs, now_ms);
	while (state->jobs < jobs && state->levels > 0) {
		int64_t until_ms = state->level[state->levels - 1].until_ms;
		int64_t level = state->level[state->levels - 1].jobs,
			back = min_of(level, jobs);

		if (learn && back > state->jobs)
			hold_remember(state, back - state->jobs, now_ms - until_ms);
		state->jobs = max_of(state->jobs, back);
		if (level <= jobs)
			state->levels--;
	}
	state->jobs = jobs;
}

/* The cost that this hold would have had in the recent pauses. */
static int64_t cost_of(const struct hold_state *state, int64_t hold_ms, int64_t wait_ms)
{
	int64_t cost = 0;

	for (int64_t i = 0; i < min_of(state->pauses, HOLD_PAUSES); i++) {
		int64_t ms = state->pause[i].ms;

		cost += state->pause[i].jobs *
			(ms <= hold_ms ? ms : hold_ms + wait_ms / WAIT_WEIGHT);
	}
	return cost;
}

bool hold_was_in_vain(const struct hold_state *state, int64_t most_ms)
{
	for (int64_t i = 0; i < min_of(state->pauses, HOLD_PAUSES); i++) {
		if (state->pause[i].ms > most_ms)
			return true;
	}
	return false;
}

void hold_choose(struct hold_state *state, int64_t most_ms, int64_t wait_ms)
{
	int64_t best;

	state->ms = most_ms;
	if (wait_ms <= 0 || most_ms <= HOLD_MIN_MS || !hold_was_in_vain(state, most_ms))
		return;
	state->ms = HOLD_MIN_MS;
	best = cost_of(state, state->ms, wait_ms);
	for (int64_t i = 0; i < min_of(state->pauses, HOLD_PAUSES); i++) {
		/* The next pause may be somewhat longer. */
		int64_t ms = state->pause[i].ms, hold_ms = min_of(ms + ms / 4, most_ms), cost;

		if (ms > most_ms)
			continue;
		cost = cost_of(state, hold_ms, wait_ms);
		if (cost < best) {
			best = cost;
			state->ms = hold_ms;
		}
	}
}

int64_t hold_peak(
	const struct hold_state *state, int64_t span_ms, int64_t now_ms, int64_t *ret_wake_ms)
{
	for (int i = 0; i < state->levels; i++) {
		if (state->level[i].jobs > state->jobs &&
			now_ms < state->level[i].until_ms + span_ms) {
			*ret_wake_ms = state->level[i].until_ms + span_ms;
			return state->level[i].jobs;
		}
	}
	*ret_wake_ms = INT64_MAX;
	return state->jobs;
}

char *hold_explain(const struct hold_state *state, int64_t most_ms, int64_t wait_ms)
{
	char hold[FORMAT_MAX], wait[FORMAT_MAX];

	if (state->ms == most_ms)
		return xasprintf("idle jobs are kept for %s, the limit of idle_hold",
			format_duration(state->ms, hold));
	return xasprintf("idle jobs are kept for %s, after %" PRId64
			 " pause%s; a new job takes %s to start",
		format_duration(state->ms, hold), state->pauses, state->pauses == 1 ? "" : "s",
		format_duration(wait_ms, wait));
}
