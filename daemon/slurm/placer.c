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
#include "common/settings_job.h"
#include "common/settings_places.h"
#include "common/survey.h"
#include "daemon/io/loop.h"
#include "daemon/policy/bad_nodes.h"
#include "daemon/slurm/helper.h"

#define SURVEY_DEADLINE_MS  20000
#define PREDICT_DEADLINE_MS 20000
#define SURVEY_AGE_MS	    300000

struct placer {
	struct slurm *slurm;
	struct placement placement;
	struct placement_shape shape;
	json_t *submission;
	json_t *question;	/* of the survey */
	struct strv directives; /* of all jobs */
	struct placer_memory *memory;
	placer_fn fn;
	void *arg;
};

void placer_forget(struct placer_memory *memory)
{
	json_decref(memory->asked);
	json_decref(memory->answer);
	*memory = (struct placer_memory){0};
}

struct placer *placer_destroy(struct placer *placer)
{
	if (!placer)
		return NULL;
	placement_finish(&placer->placement);
	json_decref(placer->submission);
	json_decref(placer->question);
	strv_finish(&placer->directives);
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

/* Slurm refuses a place: the survey did not say so, and may be out of date. */
static void refuse(struct placer *placer, size_t at, const char *why)
{
	placement_refuse(&placer->placement, at, why);
	if (placer->memory)
		placer_forget(placer->memory);
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
			refuse(placer, i, refused);
		else if (json_get_time(prediction, "start") > 0)
			placement_predict(&placer->placement, i,
				(time_t)json_get_time(prediction, "start"));
	}
	succeed(placer);
}

/* The options of sbatch for a job at this candidate; NULL: those of all jobs. */
static json_t *directives_at(const struct placer *placer, const struct candidate *candidate)
{
	struct strv directives = STRV_INIT;
	json_t *list;

	if (candidate->options.count == 0)
		return NULL;
	strv_copy(&directives, &placer->directives);
	settings_directives_at(&directives, &candidate->options);
	list = json_texts(&directives);
	strv_finish(&directives);
	return list;
}

static json_t *list_candidates(const struct placer *placer)
{
	json_t *candidates = json_array();

	for (size_t i = 0; i < placer->placement.count; i++) {
		const struct candidate *c = &placer->placement.candidate[i];

		if (c->verdict != PLACEMENT_SKIPPED)
			json_array_append_new(candidates,
				json_pack("{s:o, s:o, s:o*}", "partition",
					json_text(c->partition), "reservation",
					json_text(c->reservation), "directives",
					directives_at(placer, c)));
	}
	return candidates;
}

/* Takes the candidates over. 0, or -errno with err. */
static int predict(struct placer *placer, json_t *candidates, struct err *err)
{
	if (slurm_request(placer->slurm, "predict",
		    json_pack("{s:O, s:o}", "submission", placer->submission, "candidates",
			    candidates),
		    PREDICT_DEADLINE_MS, on_predicted, placer) < 0)
		return err_set(err, -EBUSY, "too many requests to Slurm wait");
	return 0;
}

/* Rule out what the survey rules out. 0, or -errno with err. */
static int judge(struct placer *placer, const json_t *answer, struct err *err)
{
	struct survey survey = {0};
	int r = survey_decode(answer, &survey, err);

	if (r < 0)
		return r;
	placement_judge(&placer->placement, &survey, &placer->shape, time(NULL));
	survey_finish(&survey);
	if (placer->placement.no_memory)
		json_object_set_new(
			placer->submission, "memory_mib", json_integer(MEMORY_NONE));
	return 0;
}

static void remember(struct placer *placer, const json_t *answer)
{
	struct placer_memory *memory = placer->memory;

	if (!memory)
		return;
	placer_forget(memory);
	*memory = (struct placer_memory){.asked = json_incref(placer->question),
		.answer = json_deep_copy(answer),
		.at_ms = loop_now_ms()};
}

static void on_surveyed(
	void *arg, enum slurm_outcome outcome, const json_t *result, const struct err *err)
{
	struct placer *placer = arg;
	struct err local = ERR_INIT;
	json_t *candidates;

	if (outcome != OUTCOME_DONE) {
		fail(placer, outcome, err);
		return;
	}
	if (judge(placer, result, &local) < 0) {
		fail(placer, OUTCOME_UNUSABLE, &local);
		return;
	}
	remember(placer, result);
	candidates = list_candidates(placer);
	if (json_array_size(candidates) == 0) {
		json_decref(candidates);
		succeed(placer);
	} else if (predict(placer, candidates, &local) < 0) {
		fail(placer, OUTCOME_UNREACHABLE, &local);
	}
}

/* The candidates that the remembered survey leaves; NULL: it is none for this search. */
static json_t *recall(struct placer *placer)
{
	const struct placer_memory *memory = placer->memory;
	struct err err = ERR_INIT;
	json_t *candidates;

	if (!memory || !memory->answer || loop_now_ms() - memory->at_ms >= SURVEY_AGE_MS ||
		!json_equal(memory->asked, placer->question) ||
		judge(placer, memory->answer, &err) < 0)
		return NULL;
	candidates = list_candidates(placer);
	if (json_array_size(candidates) > 0)
		return candidates;
	json_decref(candidates);
	return NULL;
}

static void find_candidates(struct placer *placer, const struct settings *settings)
{
	struct strv places = STRV_INIT;

	placement_finish(&placer->placement);
	settings_places(settings, &places);
	placement_init(&placer->placement, settings->reservation, &places);
	strv_finish(&places);
}

static int ask(struct placer *placer, const struct settings *settings, struct err *err)
{
	json_t *candidates;

	find_candidates(placer, settings);
	candidates = recall(placer);
	if (candidates)
		return predict(placer, candidates, err);
	find_candidates(placer, settings);
	if (slurm_request(placer->slurm, "survey", json_incref(placer->question),
		    SURVEY_DEADLINE_MS, on_surveyed, placer) < 0)
		return err_set(err, -EBUSY, "too many requests to Slurm wait");
	return 0;
}

struct placer *placer_start(struct slurm *slurm, const struct slurm_submission *wish,
	const struct settings *settings, struct placer_memory *memory, placer_fn fn, void *arg,
	struct err *err)
{
	struct placer *placer = xcalloc(1, sizeof(*placer));
	_cleanup_free_ char *exclude = bad_nodes_given(&wish->directives);

	placer->slurm = slurm;
	placer->memory = memory;
	placer->fn = fn;
	placer->arg = arg;
	placer->submission = slurm_submission_encode(wish);
	placer->shape = (struct placement_shape){
		.cores = wish->cores,
		.memory_mib = wish->memory_mib,
		.walltime_s = settings->least_walltime_s ? settings->least_walltime_s
							 : wish->walltime_s,
	};
	strv_copy(&placer->directives, &wish->directives);
	placer->question = json_pack("{s:I, s:I, s:s}", "cores", (json_int_t)wish->cores,
		"memory_mib", (json_int_t)wish->memory_mib, "exclude", exclude ? exclude : "");
	if (ask(placer, settings, err) == 0)
		return placer;
	return placer_destroy(placer);
}
