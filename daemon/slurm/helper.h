/* helper.h: the requests to Slurm. Each is answered later, or gives up at its deadline.
 *
 * Owns the process draco-slurm, which uses libslurm or Slurm's commands and may hang, crash or fail
 * to start at any time. Also owns its requests, of which one is in work and the others wait, and
 * the facts about Slurm's health. */
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

/* The answer to a request. result is set only with OUTCOME_DONE, err only otherwise. Both are
 * borrowed. */
typedef void (*slurm_reply_fn)(
	void *arg, enum slurm_outcome outcome, const json_t *result, const struct err *err);

struct slurm *slurm_create(
	struct loop *loop, struct children *children, const char *helper_path);
/* Kills draco-slurm. No request is answered any more. Returns NULL. */
struct slurm *slurm_destroy(struct slurm *slurm);

/* From the next request on, run draco-slurm with these variables (slurm_variables_make()); NULL:
 * with this program's own. It answers only if its Slurm is the expected one (taken over; NULL:
 * any). */
void slurm_use(struct slurm *slurm, const struct strv *variables, json_t *expected);

/* Send a request, and take params over. fn is called exactly once, from the loop, at the latest
 * after deadline_ms of work. The work on earlier requests comes on top of that. -EBUSY: too many
 * requests wait, and fn is not called. */
int slurm_request(struct slurm *slurm, const char *method, json_t *params, int64_t deadline_ms,
	slurm_reply_fn fn, void *arg) __attribute__((warn_unused_result));

/* Take the waiting requests with this arg back: they are neither sent nor answered. Returns false
 * if there is none; one that is in work cannot be taken back. */
bool slurm_withdraw(struct slurm *slurm, const void *arg);

/* No request is expected for a while: let draco-slurm end. */
void slurm_rest(struct slurm *slurm);

struct slurm_health {
	bool asked;	  /* a request was made since the last rest */
	bool answering;	  /* slurmctld gave the last answer, and none is overdue */
	bool foreign;	  /* another Slurm answers: waiting does not help */
	int64_t since_ms; /* loop time of the last answer, or of the first failure after it */
	const char *text; /* why there is no answer; "" when answering */
	const char *version;   /* of libslurm or of Slurm's commands; "": not known yet */
	const char *interface; /* "libslurm" or "commands" (slurm_way.h); "": not known yet */
	const char *why;       /* ... and why; NULL: not known yet */
};

void slurm_health(const struct slurm *slurm, struct slurm_health *ret);

/* Has a request outlived its deadline by far? The host was suspended, or dracod is at fault. */
bool slurm_is_late(const struct slurm *slurm);

/* The process id of draco-slurm; 0: it does not run. */
int slurm_helper_pid(const struct slurm *slurm);

#endif
