/* predict.c: draco-slurm's request "predict": when would a job start at each of some candidates? */
#include <errno.h>
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/json.h"
#include "common/strv.h"
#include "daemon/draco-slurm/compat.h"
#include "daemon/draco-slurm/directives.h"
#include "daemon/draco-slurm/slurm_calls.h"

/* One prediction; NULL when slurmctld did not answer at all, with *ret_outcome and err. */
static json_t *predict(const job_desc_msg_t *common, const json_t *candidate,
	enum slurm_outcome *ret_outcome, struct err *err)
{
	const char *partition = json_get_text(candidate, "partition", NULL);
	const char *reservation = json_get_text(candidate, "reservation", NULL);
	will_run_response_msg_t *response = NULL;
	job_desc_msg_t job = *common;
	json_t *prediction;

	job.partition = partition ? xstrdup(partition) : NULL;
	job.reservation = reservation ? xstrdup(reservation) : NULL;
	if (slurm_job_will_run2(&job, &response) == SLURM_SUCCESS) {
		prediction = json_pack(
			"{s:I}", "start", (json_int_t)(response ? response->start_time : 0));
	} else {
		*ret_outcome = call_failure("no prediction", false, err);
		prediction = *ret_outcome == OUTCOME_REFUSED
			? json_pack("{s:s}", "refused", slurm_strerror(compat_errno()))
			: NULL;
	}
	compat_free_will_run(response);
	free(job.partition);
	free(job.reservation);
	return prediction;
}

enum slurm_outcome call_predict(const json_t *params, json_t **ret_result, struct err *err)
{
	const json_t *candidates = json_object_get(params, "candidates");
	enum slurm_outcome outcome = OUTCOME_DONE;
	struct slurm_submission wish;
	struct strv texts = STRV_INIT;
	char array[SUBMIT_ARRAY_MAX];
	job_desc_msg_t job;
	json_t *predictions;

	if (slurm_submission_decode(json_object_get(params, "submission"), &wish, err) < 0)
		return OUTCOME_REFUSED;
	wish.count = 1;
	submit_describe(&wish, array, &job);
	if (directives_apply(&wish.directives, &job, &texts, err) < 0) {
		slurm_submission_finish(&wish);
		strv_finish(&texts);
		return OUTCOME_REFUSED;
	}
	predictions = json_array();
	for (size_t i = 0; i < json_array_size(candidates); i++) {
		json_t *one = predict(&job, json_array_get(candidates, i), &outcome, err);

		if (!one)
			break;
		outcome = OUTCOME_DONE;
		json_array_append_new(predictions, one);
	}
	strv_finish(&texts);
	slurm_submission_finish(&wish);
	if (outcome == OUTCOME_DONE)
		*ret_result = json_pack("{s:o}", "predictions", predictions);
	else
		json_decref(predictions);
	return outcome;
}
