/* submit.c: draco-slurm's request "submit": submits equal jobs by one RPC. */
#include <stdlib.h>

#include "common/err.h"
#include "common/json.h"
#include "daemon/draco-slurm/sbatch.h"
#include "daemon/draco-slurm/slurm_calls.h"

enum slurm_outcome call_submit(const json_t *params, json_t **ret_result, struct err *err)
{
	struct slurm_submission wish;
	struct sbatch_answer answer;
	enum slurm_outcome outcome;

	if (slurm_submission_decode(params, &wish, err) < 0)
		return OUTCOME_REFUSED;
	outcome = sbatch_submit(&wish, &answer, err);
	if (outcome == OUTCOME_DONE) {
		*ret_result = json_pack("{s:I, s:I, s:o}", "job_id", (json_int_t)answer.job_id,
			"tasks", (json_int_t)(wish.count > 1 ? wish.count : 0), "said",
			json_text(answer.said));
		free(answer.said);
	}
	slurm_submission_finish(&wish);
	return outcome;
}
