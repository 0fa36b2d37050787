/* helper.h: Slurm, as dracod sees it: requests that are answered later, or given up in time.
 *
 * Owns the process draco-slurm, which links libslurm and may hang, crash or fail to start at any
 * time; its requests, one in work and the others waiting; and what is known of Slurm's health. */
#ifndef DRACO_DAEMON_SLURM_HELPER_H
#define DRACO_DAEMON_SLURM_HELPER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/slurm_msg.h"

struct children;
struct err;
struct loop;
struct slurm;

/* The answer: result only with OUTCOME_DONE, err only with the others; both borrowed. */
typedef void (*slurm_reply_fn)(
	void *arg, enum slurm_outcome outcome, const json_t *result, const struct err *err);

struct slurm *slurm_create(
	struct loop *loop, struct children *children, const char *helper_path);
struct slurm *slurm_destroy(
	struct slurm *slurm); /* answers nothing any more; kills draco-slurm */

/* From the next request on draco-slurm runs with these variables (slurm_variables_make()), NULL
 * for this program's own ones, and answers only when its Slurm is the expected one (taken over;
 * NULL: any will do). */
void slurm_use(struct slurm *slurm, const struct strv *variables, json_t *expected);

/* Ask, taking over params. fn is called exactly once, from the loop, after deadline_ms of work at
 * the latest; the time that other requests before it need comes on top. -EBUSY, with fn not
 * called, when too many wait. */
int slurm_request(struct slurm *slurm, const char *method, json_t *params, int64_t deadline_ms,
	slurm_reply_fn fn, void *arg) __attribute__((warn_unused_result));

/* Nothing will be asked for a while: let draco-slurm end. */
void slurm_rest(struct slurm *slurm);

struct slurm_health {
	bool asked;	  /* anything at all was asked since the last rest */
	bool answering;	  /* the last answer was one of slurmctld's, and none is overdue */
	bool foreign;	  /* it is another Slurm that answers: waiting will not help */
	int64_t since_ms; /* loop time of the last answer, or since when there is none */
	const char *text; /* why there is none; "" when answering */
	const char *version;
};

void slurm_health(const struct slurm *slurm, struct slurm_health *ret);

/* The process id of draco-slurm; 0 when it does not run. */
int slurm_helper_pid(const struct slurm *slurm);

#endif
