/* hold.h: how long an idle job is kept in case it is needed again. Pure: the clock is an
 * argument.
 *
 * A job that is kept too long wastes cores. A job that is given back too early costs a wait for
 * another one. The hold time is learned from the recent pauses: it is the one that would have
 * cost least. One second of an idle job counts as much as four seconds of waiting, because the
 * other jobs work meanwhile. The hold is never longer than the setting idle_hold, and equals it
 * until a pause was longer than that. */
#ifndef DRACO_DAEMON_POLICY_HOLD_H
#define DRACO_DAEMON_POLICY_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#define HOLD_LEVELS 16
#define HOLD_PAUSES 32
#define HOLD_MIN_MS 2000 /* shorter pauses are within one computation */

struct hold_state {
	int64_t jobs; /* needed now; -1: not known yet */
	/* When this many jobs were last needed. Each level has fewer jobs and a later time than the
	 * one before. */
	struct {
		int64_t jobs, until_ms;
	} level[HOLD_LEVELS];
	int levels;
	/* The last pauses, as a ring: this many jobs were not needed for this long. */
	struct {
		int64_t jobs, ms;
	} pause[HOLD_PAUSES];
	int64_t pauses; /* number of all pauses ever recorded */
	int64_t ms;	/* the chosen hold */
};

void hold_init(struct hold_state *state);

/* A new cluster begins: forget its jobs, but keep what the pauses have taught. */
void hold_restart(struct hold_state *state);

/* This many jobs are needed now. learn: the work needs them; false: a user set the size. */
void hold_observe(struct hold_state *state, int64_t jobs, bool learn, int64_t now_ms);

/* Record a pause: this many jobs were not needed for this long. Pauses shorter than HOLD_MIN_MS do
 * not count. */
void hold_remember(struct hold_state *state, int64_t jobs, int64_t ms);

/* Choose the hold. most_ms: the setting idle_hold; wait_ms: how long a new job takes to start, 0:
 * not known. */
void hold_choose(struct hold_state *state, int64_t most_ms, int64_t wait_ms);

/* Was a pause longer than the setting, so that holding the jobs was useless? */
bool hold_was_in_vain(const struct hold_state *state, int64_t most_ms);

/* The most jobs that were needed within the last span_ms. Sets *ret_wake_ms to the time when the
 * answer changes; INT64_MAX: not before hold_observe(). */
int64_t hold_peak(
	const struct hold_state *state, int64_t span_ms, int64_t now_ms, int64_t *ret_wake_ms);

/* "idle jobs are kept for 2.0 s, after 9 pauses; a new job takes 20 s to start": for a person; the
 * caller frees. */
char *hold_explain(const struct hold_state *state, int64_t most_ms, int64_t wait_ms);

#endif
