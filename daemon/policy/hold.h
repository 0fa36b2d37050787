/* hold.h: for how long a job that is not needed is kept, in case it is needed again. Pure: the
 * clock is an argument.
 *
 * Kept too long, a job costs cores; given back too early, it costs a wait. The hold is that
 * which would have cost least in the last pauses, where a second of an idle job weighs as much
 * as four of waiting for a job, for the others work meanwhile. It is the setting (idle_hold)
 * while none of them was longer than that, and never longer. */
#ifndef DRACO_DAEMON_POLICY_HOLD_H
#define DRACO_DAEMON_POLICY_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#define HOLD_LEVELS 16
#define HOLD_PAUSES 32
#define HOLD_MIN_MS 2000 /* shorter pauses are within one computation */

struct hold_state {
	int64_t jobs; /* that are needed; -1: not known yet */
	/* When so many jobs were last needed: fewer, and later, from one to the next. */
	struct {
		int64_t jobs, until_ms;
	} level[HOLD_LEVELS];
	int levels;
	/* For how long so many jobs were not needed until they were again; a ring. */
	struct {
		int64_t jobs, ms;
	} pause[HOLD_PAUSES];
	int64_t pauses; /* ever */
	int64_t ms;	/* the hold, as chosen last */
};

void hold_init(struct hold_state *state);

/* The jobs are others from now on; what is known of pauses stays. */
void hold_restart(struct hold_state *state);

/* So many jobs are needed now. learn: by the work, not by a user's order. */
void hold_observe(struct hold_state *state, int64_t jobs, bool learn, int64_t now_ms);

/* So many jobs were not needed for so long, until they were again. Shorter pauses than
 * HOLD_MIN_MS do not count. */
void hold_remember(struct hold_state *state, int64_t jobs, int64_t ms);

/* Sets the hold. most_ms: the setting; wait_ms: how long a job takes to come, 0: not known. */
void hold_choose(struct hold_state *state, int64_t most_ms, int64_t wait_ms);

/* Was a pause longer than the setting, so that a hold was in vain? */
bool hold_was_in_vain(const struct hold_state *state, int64_t most_ms);

/* The most jobs that were needed within that time. Sets when that is to be asked again;
 * INT64_MAX: when another number is needed. */
int64_t hold_peak(
	const struct hold_state *state, int64_t span_ms, int64_t now_ms, int64_t *ret_wake_ms);

/* "idle jobs are kept for 2.0 s, after 9 pauses; another job takes 20 s to come": for a person;
 * the caller frees. */
char *hold_explain(const struct hold_state *state, int64_t most_ms, int64_t wait_ms);

#endif
