/* placer.c: searches for places where jobs can run. */
#include "daemon/slurm/placer.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "common/settings.h"
#include "common/survey.h"
#include "daemon/policy/bad_nodes.h"
#include "daemon/slurm/helper.h"

#define SURVEY_DEADLINE_MS  20000
#define PREDICT_DEADLINE_MS 20000

struct placer {
	struct slurm *slurm;
	struct placement placement;
	struct placement_shape shape;
	json_t *submission;
	placer_fn fn;
	void *arg;
};

struct placer *placer_destroy(struct placer *placer)
{
	if (!placer)
		return NULL;
	placement_finish(&placer->placement);
	json_decref(placer->submission);
	free(placer);
	return NULL;
}

static void fail(struct placer *placer, enum slurm_outcome outcome, const struct err *err)
{
	placer->fn(placer->arg, NULL, outcome, err);
	placer_destroy(placer);
}

static void succeed(struct placer *placer)
{
	struct placement found = placer->placement;

	placer->placement = (struct placement){0};
	placer->fn(placer->arg, &found, OUTCOME_DONE, NULL);
	placer_destroy(placer);
}

/* The predictions, in the order of the candidates that are not skipped. */
static void on_predicted(
	void *arg, enum slurm_outcome outcome, const json_t *result, const struct err *err)
{
	struct placer *placer = arg;
	const json_t *predictions = json_object_get(result, "predictions");
	size_t at = 0;

	if (outcome == OUTCOME_REFUSED) {
		fail(placer, outcome, err);
		return;
	}
	/* A busy slurmctld may still accept jobs. */
	if (outcome != OUTCOME_DONE)
		log_warning("slurm: no predictions, so the first suitable place is taken: %s",
			err->text);
	for (size_t i = 0; i < placer->placement.count; i++) {
		const json_t *prediction;
		const char *refused;

		if (placer->placement.candidate[i].verdict == PLACEMENT_SKIPPED)
			continue;
		prediction = json_array_get(predictions, at++);
		refused = json_get_text(prediction, "refused", NULL);
		if (refused)
			placement_refuse(&placer->placement, i, refused);
		else if (json_get_time(prediction, "start") > 0)
			placement_predict(&placer->placement, i,
				(time_t)json_get_time(prediction, "start"));
	}
	succeed(placer);
}

static void predict(struct placer *placer)
{
	json_t *candidates = json_array();
	struct err err = ERR_INIT;

	for (size_t i = 0; i < placer->placement.count; i++) {
		const struct candidate *c = &placer->placement.candidate[i];

		if (c->verdict != PLACEMENT_SKIPPED)
			json_array_append_new(candidates,
				json_pack("{s:o, s:o}", "partition", json_text(c->partition),
					"reservation", json_text(c->reservation)));
	}
	if (json_array_size(candidates) == 0) {
		json_decref(candidates);
		succeed(placer);
		return;
	}
	if (slurm_request(placer->slurm, "predict",
		    json_pack("{s:O, s:o}", "submission", placer->submission, "candidates",
			    candidates),
		    PREDICT_DEADLINE_MS, on_predicted, placer) < 0) {
		err_set(&err, -EBUSY, "too many requests to Slurm wait");
		fail(placer, OUTCOME_UNREACHABLE, &err);
	}
}

static void on_surveyed(
	void *arg, enum slurm_outcome outcome, const json_t *result, const struct err *err)
{
	struct placer *placer = arg;
	struct survey survey = {0};
	struct err local = ERR_INIT;

	if (outcome != OUTCOME_DONE) {
		fail(placer, outcome, err);
	} else if (survey_decode(result, &survey, &local) < 0) {
		fail(placer, OUTCOME_UNUSABLE, &local);
	} else {
		placement_judge(&placer->placement, &survey, &placer->shape, time(NULL));
		survey_finish(&survey);
		if (placer->placement.no_memory)
			json_object_set_new(
				placer->submission, "memory_mib", json_integer(MEMORY_NONE));
		predict(placer);
	}
}

struct placer *placer_start(struct slurm *slurm, const struct slurm_submission *wish,
	const struct settings *settings, placer_fn fn, void *arg, struct err *err)
{
	struct placer *placer = xcalloc(1, sizeof(*placer));
	_cleanup_free_ char *exclude = bad_nodes_given(&wish->directives);

	placer->slurm = slurm;
	placer->fn = fn;
	placer->arg = arg;
	placer->submission = slurm_submission_encode(wish);
	placer->shape = (struct placement_shape){
		.cores = wish->cores,
		.memory_mib = wish->memory_mib,
		.walltime_s = settings->least_walltime_s ? settings->least_walltime_s
							 : wish->walltime_s,
	};
	placement_init(&placer->placement, settings->reservation, &settings->queues_to_try);
	if (slurm_request(slurm, "survey",
		    json_pack("{s:I, s:I, s:s}", "cores", (json_int_t)wish->cores, "memory_mib",
			    (json_int_t)wish->memory_mib, "exclude", exclude ? exclude : ""),
		    SURVEY_DEADLINE_MS, on_surveyed, placer) == 0)
		return placer;
	placer_destroy(placer);
	err_set(err, -EBUSY, "too many requests to Slurm wait");
	return NULL;
}
