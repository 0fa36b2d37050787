/* slurm_calls.h: draco-slurm's requests, one function for each.
 *
 * Each takes the params of its request. It returns OUTCOME_DONE with *ret_result, which the caller
 * owns, or another outcome with err. Each may block as long as libslurm or a command does. */
#ifndef DRACO_DAEMON_DRACO_SLURM_SLURM_CALLS_H
#define DRACO_DAEMON_DRACO_SLURM_SLURM_CALLS_H

#include "common/slurm_msg.h"

struct err;

/* The identity of the Slurm that answers (identity.c). If dracod expects a certain Slurm,
 * identity_check() asks slurmctld once. Unless it returns OUTCOME_DONE, no request may be carried
 * out. */
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

/* Group the tasks of each array: "42_0", "42_3", "43" become "42_[0,3]" and "43". Each result takes
 * one RPC. */
void job_ids_group(const json_t *ids, struct strv *ret);

/* The IPv4 addresses of a host name, and of one node of each partition (an array of names), as an
 * array of texts. It is empty if none is found. The caller owns it. */
json_t *host_addresses(const char *host);
json_t *node_addresses(const json_t *partitions);

/* For dracoctl doctor (doctor.c). call_munge() also works without munged. */
enum slurm_outcome call_munge(const json_t *params, json_t **ret_result, struct err *err);
enum slurm_outcome call_inspect(const json_t *params, json_t **ret_result, struct err *err);
enum slurm_outcome call_try(const json_t *params, json_t **ret_result, struct err *err);

#endif
