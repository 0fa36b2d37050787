/* placer.h: looks where jobs can run: asks Slurm for its partitions and reservations, and for a
 * prediction for each candidate that can work. */
#ifndef DRACO_DAEMON_SLURM_PLACER_H
#define DRACO_DAEMON_SLURM_PLACER_H

#include "common/slurm_msg.h"
#include "daemon/policy/placement.h"

struct err;
struct placer;
struct settings;
struct slurm;

/* Told once, from the loop: what was found, to be taken over or finished by the one who is told; or
 * NULL, with the outcome and err of the request that failed. */
typedef void (*placer_fn)(
	void *arg, struct placement *found, enum slurm_outcome outcome, const struct err *err);

/* Look for a place for the job that wish describes, with the reservation and queues of settings.
 * Nothing is submitted. NULL, with err and fn not called, when too many requests to Slurm wait. */
struct placer *placer_start(struct slurm *slurm, const struct slurm_submission *wish,
	const struct settings *settings, placer_fn fn, void *arg, struct err *err);

/* For one whose answer does not come any more: only after slurm_destroy(). Otherwise it frees
 * itself after fn. Returns NULL. */
struct placer *placer_destroy(struct placer *placer);

#endif
