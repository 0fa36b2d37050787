/* slurm_calls.h: what draco-slurm does for dracod, one function for each request.
 *
 * Each is called with the request's params and returns OUTCOME_DONE with *ret_result owned by the
 * caller, or another outcome with err. All of them may block for as long as libslurm likes. */
#ifndef DRACO_DAEMON_SLURM_SLURM_CALLS_H
#define DRACO_DAEMON_SLURM_SLURM_CALLS_H

#include "daemon/slurm_msg.h"

struct err;

enum slurm_outcome call_site(const json_t *params, json_t **ret_result, struct err *err);
enum slurm_outcome call_submit(const json_t *params, json_t **ret_result, struct err *err);
enum slurm_outcome call_query(const json_t *params, json_t **ret_result, struct err *err);
enum slurm_outcome call_cancel(const json_t *params, json_t **ret_result, struct err *err);

/* For dracoctl doctor (doctor.c). munge does not need munged to run. */
enum slurm_outcome call_munge(const json_t *params, json_t **ret_result, struct err *err);
enum slurm_outcome call_inspect(const json_t *params, json_t **ret_result, struct err *err);
enum slurm_outcome call_try(const json_t *params, json_t **ret_result, struct err *err);

/* The outcome of a libslurm call that failed just now, with libslurm's text in err behind what.
 * changes tells whether the call changes anything: then a lost answer leaves doubt. */
enum slurm_outcome call_failure(const char *what, bool changes, struct err *err);

#endif
