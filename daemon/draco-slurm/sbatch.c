/* sbatch.c: runs the site's own sbatch(1) to submit a job or to predict its start.
 *
 * The site's defaults, filters and plugins act in sbatch, and their messages come through it. So
 * draco can do what users here can do with sbatch. Options from draco are on the command line,
 * which has precedence over variables. The job's environment is sbatch's own. */
#include "daemon/draco-slurm/sbatch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/environment.h"
#include "common/err.h"
#include "common/inheritance.h"
#include "common/sbatch_options.h"
#include "common/sbatch_words.h"
#include "common/slurm_variables.h"
#include "daemon/draco-slurm/program.h"

#define SUBMIT_DEADLINE_MS 20000 /* shorter than dracod's own deadline for "submit" */

/* Variables by which this program's libslurm, and therefore sbatch, finds its Slurm. */
static const char *const slurms[] = {"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT"};

/* The sbatch in the PATH of an environment. One of a conda environment is not the site's. */
static char *find(const struct strv *environment)
{
	return program_find("sbatch", environment_get(environment, "PATH"),
		environment_get(environment, "CONDA_PREFIX"));
}

char *sbatch_find_command(const char *name)
{
	char *found = program_find(name, getenv("PATH"), getenv("CONDA_PREFIX"));

	return found
		? found
		: program_find(name, getenv(SLURM_VARIABLE_PATH), getenv(SLURM_VARIABLE_CONDA));
}

char *sbatch_find(const struct strv *environment)
{
	char *found = find(environment);

	return found ? found : sbatch_find_command("sbatch");
}

static void make_environment(
	const struct slurm_submission *wish, bool predicts, struct strv *ret)
{
	for (size_t i = 0; i < wish->environment.count; i++)
		if (!sbatch_variable_is_dropped(wish->environment.item[i]) &&
			strncmp(wish->environment.item[i], "SLURM_", 6) != 0)
			strv_add(ret, wish->environment.item[i]);
	for (size_t i = 0; i < sizeof(slurms) / sizeof(slurms[0]); i++)
		if (getenv(slurms[i]))
			strv_addf(ret, "%s=%s", slurms[i], getenv(slurms[i]));
	if (predicts) /* only here, because a job would inherit it */
		strv_add(ret, "SLURM_TIME_FORMAT=%s");
}

enum slurm_outcome sbatch_outcome(enum sbatch_reason reason)
{
	switch (reason) {
	case SBATCH_REASON_ANSWER:
		return OUTCOME_REFUSED;
	case SBATCH_REASON_BUSY:
		return OUTCOME_BUSY;
	case SBATCH_REASON_NOT_REACHED:
		return OUTCOME_UNREACHABLE;
	case SBATCH_REASON_LOST:
		return OUTCOME_UNCERTAIN;
	case SBATCH_REASON_UNUSABLE:
		return OUTCOME_UNUSABLE;
	}
	abort();
}

/* sbatch has ended, and there is no job: find the outcome. */
static enum slurm_outcome failure_of(
	const struct program *program, const struct sbatch_words *words, struct err *err)
{
	const char *text = *words->text ? words->text : "it says nothing";

	if (program->stopped) {
		err_set(err, -EAGAIN, "Slurm is busy and takes no jobs in this moment");
		return OUTCOME_BUSY;
	}
	if (!program->ended) {
		err_set(err, -ETIMEDOUT, "sbatch has not ended within %d s: %s",
			(int)(program->deadline_ms / 1000), text);
		return OUTCOME_UNCERTAIN;
	}
	if (WIFSIGNALED(program->status)) {
		err_set(err, -EIO, "sbatch was ended by signal %d: %s",
			WTERMSIG(program->status), text);
		return OUTCOME_UNCERTAIN;
	}
	if (WEXITSTATUS(program->status) == 0) {
		err_set(err, -EPROTO, "sbatch tells no id of a job: %s", text);
		return OUTCOME_UNCERTAIN;
	}
	if (*words->text)
		err_set(err, -EIO, "%s", words->text);
	else
		err_set(err, -EIO, "sbatch ended with status %d and said nothing",
			WEXITSTATUS(program->status));
	return sbatch_outcome(sbatch_reason_find(words));
}

static enum slurm_outcome understand(const struct program *program, bool predicts,
	struct sbatch_answer *ret, struct err *err)
{
	enum slurm_outcome outcome = OUTCOME_DONE;
	struct sbatch_words words;

	*ret = (struct sbatch_answer){0};
	sbatch_words_read(program->words, &words);
	if (program->ended && WIFEXITED(program->status) && WEXITSTATUS(program->status) == 0)
		ret->job_id = predicts ? 0 : sbatch_job_id(program->out);
	else
		outcome = failure_of(program, &words, err);
	if (outcome == OUTCOME_DONE && !predicts && !ret->job_id)
		outcome = failure_of(program, &words, err);
	if (outcome == OUTCOME_DONE) {
		ret->start = words.start;
		ret->said = TAKE_PTR(words.text);
	}
	sbatch_words_finish(&words);
	return outcome;
}

/* The job inherits umask, limits and nice value from the process of sbatch. Set them as the start
 * had them. */
static void inherit(const void *arg)
{
	inheritance_apply(arg);
}

static enum slurm_outcome ask(const struct slurm_submission *wish, bool predicts,
	int64_t deadline_ms, struct sbatch_answer *ret, struct err *err)
{
	struct strv arguments = STRV_INIT, environment = STRV_INIT;
	_cleanup_free_ char *path = sbatch_find(&wish->environment);
	struct program program = {
		.path = path,
		.name = "sbatch", /* sbatch uses it in its messages */
		.arguments = &arguments,
		.environment = &environment,
		.directory = wish->directory,
		.input = wish->script,
		.deadline_ms = deadline_ms,
		.prepare = inherit,
		.prepare_arg = &wish->environment,
		.enough = sbatch_words_tell_busy,
	};
	enum slurm_outcome outcome;

	if (!path) {
		err_set(err, -ENOENT, "no sbatch is in PATH (%s)",
			getenv("PATH") ? getenv("PATH") : "not set");
		return OUTCOME_UNUSABLE;
	}
	strv_add(&arguments, predicts ? "--test-only" : "--parsable");
	sbatch_options(wish, &arguments);
	make_environment(wish, predicts, &environment);
	if (program_run(&program, err) < 0)
		outcome = OUTCOME_UNUSABLE;
	else
		outcome = understand(&program, predicts, ret, err);
	program_finish(&program);
	strv_finish(&arguments);
	strv_finish(&environment);
	return outcome;
}

enum slurm_outcome sbatch_submit(
	const struct slurm_submission *wish, struct sbatch_answer *ret, struct err *err)
{
	return ask(wish, false, SUBMIT_DEADLINE_MS, ret, err);
}

enum slurm_outcome sbatch_predict(const struct slurm_submission *wish, int64_t deadline_ms,
	struct sbatch_answer *ret, struct err *err)
{
	return ask(wish, true, deadline_ms, ret, err);
}
