/* libslurm.h: the parts of the way by libslurm, which are linked to the module (way.h). Include it
 * after slurm.h. */
#ifndef DRACO_DAEMON_DRACO_SLURM_LIBSLURM_H
#define DRACO_DAEMON_DRACO_SLURM_LIBSLURM_H

#include <slurm/slurm.h>

#include "daemon/draco-slurm/way.h"

/* The outcome of the libslurm call that has just failed. err gets libslurm's text after what.
 * changes: the call changes something in Slurm, so a lost answer leaves a doubt. */
enum slurm_outcome libslurm_failure(const char *what, bool changes, struct err *err);
/* The same for a known error code of Slurm. */
enum slurm_outcome libslurm_failure_of(
	int code, const char *what, bool changes, struct err *err);

/* Of struct way. */
enum slurm_outcome libslurm_jobs(squeue_job_fn *each, void *arg, struct err *err);
enum slurm_outcome libslurm_cancel(
	const struct strv *ids, enum slurm_cancel_how how, struct err *err);
enum slurm_outcome libslurm_update(const char *ids, const char *partition,
	const char *reservation, const char *exclude, struct err *err);

#endif
