/* predict.c: draco-slurm's request "predict": the expected start of a job at each candidate. */
#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/json.h"
#include "daemon/draco-slurm/sbatch.h"
#include "daemon/draco-slurm/slurm_calls.h"

#define LEAST_MS    500	  /* the least time that sbatch needs */
#define DEADLINE_MS 18000 /* for all candidates; shorter than dracod's own deadline */

/* One prediction, with the directives of the candidate, or the common ones. NULL with *ret_outcome
 * and err: slurmctld did not answer. */
static json_t *predict(struct slurm_submission *wish, const struct strv *common,
	const json_t *candidate, int64_t deadline_ms, enum slurm_outcome *ret_outcome,
	struct err *err)
{
	const json_t *own = json_object_get(candidate, "directives");
	struct sbatch_answer answer;
	json_t *prediction;

	xreplace(&wish->partition, json_get_text(candidate, "partition", NULL));
	xreplace(&wish->reservation, json_get_text(candidate, "reservation", NULL));
	strv_copy(&wish->directives, common);
	if (own)
		strv_finish(&wish->directives);
	json_add_texts(own, &wish->directives);
	*ret_outcome = sbatch_predict(wish, deadline_ms, &answer, err);
	if (*ret_outcome == OUTCOME_REFUSED) {
		*ret_outcome = OUTCOME_DONE;
		return json_pack("{s:o}", "refused", json_text(err->text));
	}
	if (*ret_outcome != OUTCOME_DONE)
		return NULL;
	prediction = json_pack("{s:I}", "start", (json_int_t)answer.start);
	free(answer.said);
	return prediction;
}

enum slurm_outcome call_predict(const json_t *params, json_t **ret_result, struct err *err)
{
	const json_t *candidates = json_object_get(params, "candidates");
	int64_t until_ms = clock_now_ms() + DEADLINE_MS;
	enum slurm_outcome outcome = OUTCOME_DONE;
	struct strv common = STRV_INIT;
	struct slurm_submission wish;
	json_t *predictions;

	if (slurm_submission_decode(json_object_get(params, "submission"), &wish, err) < 0)
		return OUTCOME_REFUSED;
	wish.count = 1;
	strv_copy(&common, &wish.directives);
	predictions = json_array();
	for (size_t i = 0; outcome == OUTCOME_DONE && i < json_array_size(candidates); i++) {
		json_t *one;

		if (i > 0 && until_ms - clock_now_ms() < LEAST_MS)
			break; /* earlier predictions are better than none */
		one = predict(&wish, &common, json_array_get(candidates, i),
			until_ms - clock_now_ms(), &outcome, err);
		if (one)
			json_array_append_new(predictions, one);
	}
	if (outcome == OUTCOME_UNCERTAIN && json_array_size(predictions) > 0)
		outcome = OUTCOME_DONE;
	slurm_submission_finish(&wish);
	strv_finish(&common);
	if (outcome == OUTCOME_DONE)
		*ret_result = json_pack("{s:o}", "predictions", predictions);
	else
		json_decref(predictions);
	/* Nothing is submitted, so a lost answer leaves no doubt. */
	return outcome == OUTCOME_UNCERTAIN ? OUTCOME_UNREACHABLE : outcome;
}
