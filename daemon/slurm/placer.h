/* placer.h: searches for places where jobs can run. Asks Slurm for its partitions and reservations,
 * then for a prediction for each candidate that can work. */
#ifndef DRACO_DAEMON_SLURM_PLACER_H
#define DRACO_DAEMON_SLURM_PLACER_H

#include "common/json.h"
#include "common/slurm_msg.h"
#include "daemon/policy/placement.h"

struct err;
struct placer;
struct settings;
struct slurm;

/* Called once, from the loop. found: the result, which the callee takes over. NULL: a request
 * failed with outcome and err. */
typedef void (*placer_fn)(
	void *arg, struct placement *found, enum slurm_outcome outcome, const struct err *err);

/* The last survey of partitions and reservations, for the searches that follow soon. */
struct placer_memory {
	json_t *asked, *answer; /* NULL: none */
	int64_t at_ms;		/* loop time of the answer */
};

void placer_forget(struct placer_memory *memory);

/* Search for places for the job that wish describes, with the reservation and the queues of
 * settings. memory, unless NULL, outlives the search: a survey in it that is not too old, and
 * leaves a place, is not made again. Nothing is submitted. NULL with err: too many requests to
 * Slurm wait, and fn is not called. Otherwise the search frees itself after fn. */
struct placer *placer_start(struct slurm *slurm, const struct slurm_submission *wish,
	const struct settings *settings, struct placer_memory *memory, placer_fn fn, void *arg,
	struct err *err);

/* Free a search that gets no answer any more; only after slurm_destroy(). Returns NULL. */
struct placer *placer_destroy(struct placer *placer);

#endif
