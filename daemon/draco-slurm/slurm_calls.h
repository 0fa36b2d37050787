/* slurm_calls.h: what draco-slurm does for dracod, one function for each request.
 *
 * Each is called with the request's params and returns OUTCOME_DONE with *ret_result owned by the
 * caller, or another outcome with err. All of them may block for as long as libslurm likes. */
#ifndef DRACO_DAEMON_DRACO_SLURM_SLURM_CALLS_H
#define DRACO_DAEMON_DRACO_SLURM_SLURM_CALLS_H

#include "common/slurm_msg.h"

struct err;

/* Which Slurm is this (identity.c)? Where dracod expects a certain one, identity_check() asks
 * slurmctld once and is OUTCOME_DONE when it is that one: else nothing must be asked for. */
void identity_expect(const json_t *slurm);
enum slurm_outcome identity_check(struct err *err);
enum slurm_outcome call_identify(const json_t *params, json_t **ret_result, struct err *err);

enum slurm_outcome call_site(const json_t *params, json_t **ret_result, struct err *err);
enum slurm_outcome call_submit(const json_t *params, json_t **ret_result, struct err *err);
enum slurm_outcome call_query(const json_t *params, json_t **ret_result, struct err *err);
enum slurm_outcome call_cancel(const json_t *params, json_t **ret_result, struct err *err);
enum slurm_outcome call_survey(const json_t *params, json_t **ret_result, struct err *err);
enum slurm_outcome call_predict(const json_t *params, json_t **ret_result, struct err *err);
enum slurm_outcome call_update(const json_t *params, json_t **ret_result, struct err *err);

/* "42_0", "42_3", "43" become "42_[0,3]" and "43": one RPC each. */
void job_ids_group(const json_t *ids, struct strv *ret);

/* The IPv4 addresses of a host name, and of one node of each of the partitions (an array of
 * names), as texts in an array, which is empty where nothing can be found out. The caller owns
 * it. */
json_t *host_addresses(const char *host);
json_t *node_addresses(const json_t *partitions);

/* For dracoctl doctor (doctor.c). munge does not need munged to run. */
enum slurm_outcome call_munge(const json_t *params, json_t **ret_result, struct err *err);
enum slurm_outcome call_inspect(const json_t *params, json_t **ret_result, struct err *err);
enum slurm_outcome call_try(const json_t *params, json_t **ret_result, struct err *err);

/* The outcome of a libslurm call that failed just now, with libslurm's text in err behind what.
 * changes tells whether the call changes anything: then a lost answer leaves doubt. */
enum slurm_outcome call_failure(const char *what, bool changes, struct err *err);
/* The same for an error of Slurm's that is known already. */
enum slurm_outcome call_failure_of(int code, const char *what, bool changes, struct err *err);

#endif
