/* cancel.c: draco-slurm's request "cancel": ends jobs, with one RPC for all tasks of an array. */
#include <errno.h>
#include <signal.h>
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/strv.h"
#include "daemon/draco-slurm/compat.h"
#include "daemon/draco-slurm/slurm_calls.h"

static int send_signal(const char *ids, enum slurm_cancel_how how)
{
	switch (how) {
	case CANCEL_TERMINATE:
		return slurm_kill_job2(ids, SIGTERM, KILL_JOB_BATCH, NULL);
	case CANCEL_KILL:
		return slurm_kill_job2(ids, SIGKILL, KILL_FULL_JOB, NULL);
	default:
		return slurm_kill_job2(ids, SIGKILL, 0, NULL);
	}
}

/* A job that has ended, or that Slurm no longer knows, needs no cancellation. */
static bool is_over(int code)
{
	return code == ESLURM_ALREADY_DONE || code == ESLURM_INVALID_JOB_ID ||
		code == ESLURM_JOB_PENDING || code == ESLURM_TRANSITION_STATE_NO_UPDATE ||
		code == ESLURM_JOB_NOT_RUNNING;
}

enum slurm_outcome call_cancel(const json_t *params, json_t **ret_result, struct err *err)
{
	int how = slurm_cancel_find(json_get_text(params, "how", NULL));
	enum slurm_outcome outcome = OUTCOME_DONE;
	struct strv groups = STRV_INIT;

	if (how < 0) {
		err_set(err, -EPROTO, "cancel: no usable member \"how\"");
		return OUTCOME_REFUSED;
	}
	job_ids_group(json_object_get(params, "jobs"), &groups);
	for (size_t i = 0; i < groups.count && outcome == OUTCOME_DONE; i++)
		if (send_signal(groups.item[i], (enum slurm_cancel_how)how) != SLURM_SUCCESS &&
			!is_over(compat_errno())) {
			_cleanup_free_ char *what =
				xasprintf("cannot end job %s", groups.item[i]);

			outcome = call_failure(what, true, err);
		}
	strv_finish(&groups);
	if (outcome == OUTCOME_DONE)
		*ret_result = json_object();
	return outcome;
}
