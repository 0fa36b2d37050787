/* fuzz_slurm_msg.c: slurm_msg.c and survey.c with any JSON, and any text for the tasks of an
 * array. */
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/settings.h"
#include "common/slurm_msg.h"
#include "common/survey.h"

const char fuzz_name[] = "slurm_msg";
const char *const fuzz_words[] = {"\"job_id\":", "\"task\":-1,", "\"name\":\"draco\",",
	"\"state\":\"RUNNING\",", "\"reason\":null,", "\"exit_signal\":9", "\"count\":0",
	"\"environment\":[\"A=1\"]", "4294967296", "-2", "9223372036854775807", "1.0",
	"0-3,7%2", "0-10:2", ",", "%", "...", "9223372036854775806-9223372036854775807", NULL};

#define TASKS_MAX 1000

static void take_job(const json_t *object)
{
	struct slurm_job job;
	struct err err = ERR_INIT;
	char id[SLURM_JOB_ID_MAX];
	json_t *encoded, *again;
	int r = slurm_job_decode(object, &job, &err);

	if (r < 0) {
		fuzz_require(r == -EPROTO && err.text[0]);
		fuzz_require(!job.name && !job.reason && !job.partition && !job.nodes);
		return;
	}
	fuzz_took();
	fuzz_require(job.job_id > 0 && job.task >= SLURM_NO_TASK && job.name && job.reason);
	slurm_job_format_id(job.job_id, job.task, id);
	fuzz_require(strtoul(id, NULL, 10) == job.job_id);
	fuzz_require(job.task == SLURM_NO_TASK
			? !strchr(id, '_')
			: strtoll(strchr(id, '_') + 1, NULL, 10) == job.task);
	encoded = slurm_job_encode(&job);
	slurm_job_finish(&job);
	fuzz_require(slurm_job_decode(encoded, &job, NULL) == 0);
	again = slurm_job_encode(&job);
	fuzz_require(json_equal(encoded, again));
	slurm_job_finish(&job);
	json_decref(encoded);
	json_decref(again);
}

static void take_submission(const json_t *object)
{
	struct slurm_submission submission;
	struct err err = ERR_INIT;
	json_t *encoded, *again;
	int r = slurm_submission_decode(object, &submission, &err);

	if (r < 0) {
		fuzz_require(r == -EPROTO && err.text[0]);
		fuzz_require(
			!submission.name && !submission.script && !submission.environment.item);
		return;
	}
	fuzz_require(submission.count > 0 && submission.cores > 0 &&
		submission.memory_mib >= MEMORY_NONE && submission.walltime_s > 0 &&
		submission.script && submission.directory);
	encoded = slurm_submission_encode(&submission);
	slurm_submission_finish(&submission);
	fuzz_require(slurm_submission_decode(encoded, &submission, NULL) == 0);
	again = slurm_submission_encode(&submission);
	fuzz_require(json_equal(encoded, again));
	slurm_submission_finish(&submission);
	json_decref(encoded);
	json_decref(again);
}

static void take_survey(const json_t *object)
{
	struct survey survey;
	struct err err = ERR_INIT;
	json_t *encoded, *again;
	int r = survey_decode(object, &survey, &err);

	if (r < 0) {
		fuzz_require(r == -EPROTO && err.text[0]);
		fuzz_require(!survey.partition && !survey.reservation);
		return;
	}
	for (size_t i = 0; i < survey.partitions; i++)
		fuzz_require(survey_find_partition(&survey, survey.partition[i].name));
	for (size_t i = 0; i < survey.reservations; i++)
		fuzz_require(survey_find_reservation(&survey, survey.reservation[i].name));
	encoded = survey_encode(&survey);
	survey_finish(&survey);
	fuzz_require(survey_decode(encoded, &survey, NULL) == 0);
	again = survey_encode(&survey);
	fuzz_require(json_equal(encoded, again));
	survey_finish(&survey);
	json_decref(encoded);
	json_decref(again);
}

struct tasks {
	int count;
};

static void add(void *arg, int64_t task)
{
	struct tasks *tasks = arg;

	fuzz_require(task >= 0 && ++tasks->count <= TASKS_MAX);
}

static void take_tasks(const uint8_t *data, size_t size)
{
	char *text = calloc(size + 1, 1);
	struct tasks tasks = {0};
	int r;

	memcpy(text, data, size);
	r = slurm_tasks_expand(text, TASKS_MAX, add, &tasks);
	fuzz_require(r == -EINVAL || (r > 0 && r == tasks.count));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *object = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL);

	take_tasks(data, size);
	if (object) {
		take_job(object);
		take_submission(object);
		take_survey(object);
	}
	json_decref(object);
	return 0;
}
