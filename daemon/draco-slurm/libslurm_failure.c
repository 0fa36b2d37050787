/* libslurm_failure.c: converts errors of libslurm to outcomes. */
#include <errno.h>
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <string.h>

#include "common/err.h"
#include "daemon/draco-slurm/compat.h"
#include "daemon/draco-slurm/libslurm.h"

/* Errors of slurmctld that may pass: the same request may succeed a moment later. */
static bool is_passing(int code)
{
	switch (code) {
	case EAGAIN: /* slurmctld lacks threads or memory, or takes no jobs at the moment */
	case ESLURM_IN_STANDBY_MODE:
	case ESLURM_IN_STANDBY_USE_BACKUP:
	case ESLURM_DISABLED:
	case ESLURM_NODES_BUSY:
		return true;
	}
	return false;
}

static enum slurm_outcome outcome_of(int code, bool changes)
{
	if (code == SLURM_COMMUNICATIONS_CONNECTION_ERROR ||
		code == SLURMCTLD_COMMUNICATIONS_CONNECTION_ERROR)
		return OUTCOME_UNREACHABLE;
	if (is_passing(code))
		return OUTCOME_BUSY;
	/* The answers of slurmctld itself have the codes 2000 to 4999; those of the protocol begin
	 * at 1000 and at 5000. A site's job_submit plugin without a code of its own gives
	 * SLURM_ERROR. */
	if ((code >= 2000 && code < 5000) || code == SLURM_ERROR)
		return OUTCOME_REFUSED;
	if (changes)
		return OUTCOME_UNCERTAIN;
	if (code == SLURM_PROTOCOL_AUTHENTICATION_ERROR || code == SLURM_PROTOCOL_VERSION_ERROR)
		return OUTCOME_UNUSABLE;
	return OUTCOME_UNCERTAIN; /* slurmctld accepts connections and does not answer */
}

enum slurm_outcome libslurm_failure_of(
	int code, const char *what, bool changes, struct err *err)
{
	const char *hint = "";

	if (code == SLURM_PROTOCOL_AUTHENTICATION_ERROR)
		hint = " (does munged run on this host?)";
	err_set(err, code == SLURM_PROTOCOL_VERSION_ERROR ? -EPROTONOSUPPORT : -EIO, "%s: %s%s",
		what, slurm_strerror(code), hint);
	return outcome_of(code, changes);
}

enum slurm_outcome libslurm_failure(const char *what, bool changes, struct err *err)
{
	return libslurm_failure_of(compat_errno(), what, changes, err);
}
