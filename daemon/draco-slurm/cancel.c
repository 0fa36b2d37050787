/* cancel.c: draco-slurm's request "cancel": ends jobs, with one RPC for all tasks of an array. */
#include <errno.h>

#include "common/err.h"
#include "common/json.h"
#include "common/strv.h"
#include "daemon/draco-slurm/slurm_calls.h"
#include "daemon/draco-slurm/way.h"

enum slurm_outcome call_cancel(const json_t *params, json_t **ret_result, struct err *err)
{
	int how = slurm_cancel_find(json_get_text(params, "how", NULL));
	struct strv groups = STRV_INIT;
	enum slurm_outcome outcome;

	if (how < 0) {
		err_set(err, -EPROTO, "cancel: no usable member \"how\"");
		return OUTCOME_REFUSED;
	}
	job_ids_group(json_object_get(params, "jobs"), &groups);
	outcome = way()->cancel(&groups, (enum slurm_cancel_how)how, err);
	strv_finish(&groups);
	if (outcome == OUTCOME_DONE)
		*ret_result = json_object();
	return outcome;
}
