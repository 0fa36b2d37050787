/* update.c: draco-slurm's request "update": changes the partitions and the reservation, or the
 * excluded nodes, of pending jobs. The jobs keep their ids and their age. */
#include <errno.h>
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

/* A job that runs or has ended needs no other place. */
static bool is_settled(uint32_t code)
{
	return code == SLURM_SUCCESS || code == ESLURM_JOB_NOT_PENDING ||
		code == ESLURM_ALREADY_DONE || code == ESLURM_INVALID_JOB_ID ||
		code == ESLURM_JOB_FINISHED;
}

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

/* Returns an error code of Slurm. */
static uint32_t update(
	char *ids, const char *partition, const char *reservation, const char *exclude)
{
	_cleanup_free_ char *partition_copy = copy(partition);
	_cleanup_free_ char *reservation_copy = copy(reservation ? reservation : "");
	_cleanup_free_ char *exclude_copy = copy(exclude);
	job_array_resp_msg_t *response = NULL;
	uint32_t code = SLURM_SUCCESS;
	job_desc_msg_t job;

	slurm_init_job_desc_msg(&job);
	job.job_id_str = ids;
	job.partition = partition && *partition ? partition_copy : NULL;
	if (partition)
		job.reservation = reservation_copy; /* "" removes it */
	job.exc_nodes = exclude_copy;
	if (slurm_update_job2(&job, &response) != SLURM_SUCCESS)
		code = (uint32_t)compat_errno();
	for (uint32_t i = 0; response && i < response->job_array_count; i++)
		if (!is_settled(response->error_code[i]))
			code = response->error_code[i];
	slurm_free_job_array_resp(response);
	return code;
}

enum slurm_outcome call_update(const json_t *params, json_t **ret_result, struct err *err)
{
	const char *partition = json_get_text(params, "partition", NULL);
	const char *reservation = json_get_text(params, "reservation", NULL);
	const char *exclude = json_get_text(params, "exclude", NULL);
	enum slurm_outcome outcome = OUTCOME_DONE;
	struct strv groups = STRV_INIT;

	if (!partition && !exclude) {
		err_set(err, -EPROTO, "update: no member \"partition\" or \"exclude\"");
		return OUTCOME_REFUSED;
	}
	job_ids_group(json_object_get(params, "jobs"), &groups);
	for (size_t i = 0; i < groups.count && outcome == OUTCOME_DONE; i++) {
		uint32_t code = update(groups.item[i], partition, reservation, exclude);

		if (!is_settled(code)) {
			_cleanup_free_ char *what =
				xasprintf(partition ? "cannot move job %s to %s"
						    : "cannot keep job %s away from %s",
					groups.item[i], partition ? partition : exclude);

			outcome = call_failure_of((int)code, what, true, err);
		}
	}
	strv_finish(&groups);
	if (outcome == OUTCOME_DONE)
		*ret_result = json_object();
	return outcome;
}
