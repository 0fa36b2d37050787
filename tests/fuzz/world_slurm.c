/* world_slurm.c: what a dracod without the world around it asks of draco-slurm. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/queue.h"
#include "daemon/io/loop.h"
#include "daemon/slurm/helper.h"
#include "fuzz.h"
#include "world.h"

#define WAITING_MAX 64 /* requests, as in helper.c */

struct question {
	TAILQ_ENTRY(question) link; /* questions */
	char *method;
	json_t *params;
	slurm_reply_fn fn;
	void *arg;
};

static TAILQ_HEAD(, question) questions = TAILQ_HEAD_INITIALIZER(questions);
static int question_count;

bool __wrap_slurm_withdraw(struct slurm *slurm, const void *arg);
int __wrap_slurm_request(struct slurm *slurm, const char *method, json_t *params,
	int64_t deadline_ms, slurm_reply_fn fn, void *arg);
void __wrap_slurm_rest(struct slurm *slurm);
void __wrap_slurm_use(struct slurm *slurm, const struct strv *variables, json_t *expected);
void __wrap_slurm_health(const struct slurm *slurm, struct slurm_health *ret);
int __wrap_slurm_helper_pid(const struct slurm *slurm);

static void question_free(struct question *question)
{
	TAILQ_REMOVE(&questions, question, link);
	question_count--;
	free(question->method);
	json_decref(question->params);
	free(question);
}

int __wrap_slurm_request(struct slurm *slurm, const char *method, json_t *params,
	int64_t deadline_ms, slurm_reply_fn fn, void *arg)
{
	struct question *question;

	(void)slurm;
	fuzz_require(deadline_ms > 0 && json_is_object(params));
	if (question_count >= WAITING_MAX) {
		json_decref(params);
		return -EBUSY;
	}
	world_deeds++;
	question = xcalloc(1, sizeof(*question));
	question->method = xstrdup(method);
	question->params = params;
	question->fn = fn;
	question->arg = arg;
	question_count++;
	TAILQ_INSERT_TAIL(&questions, question, link);
	return 0;
}

/* The first is in work. */
bool __wrap_slurm_withdraw(struct slurm *slurm, const void *arg)
{
	struct question *question, *next;
	bool any = false;

	(void)slurm;
	TAILQ_FOREACH_SAFE (question, &questions, link, next) {
		if (question->arg != arg || question == TAILQ_FIRST(&questions))
			continue;
		question_free(question);
		any = true;
	}
	return any;
}

const char *world_question(const json_t **ret_params)
{
	struct question *question = TAILQ_FIRST(&questions);

	if (!question)
		return NULL;
	*ret_params = question->params;
	return question->method;
}

bool world_answer_slurm(const char *method, enum slurm_outcome outcome, const json_t *result,
	const struct err *err)
{
	struct question *question;
	slurm_reply_fn fn;
	void *arg;

	TAILQ_FOREACH (question, &questions, link)
		if (strcmp(question->method, method) == 0)
			break;
	if (!question)
		return false;
	fn = question->fn;
	arg = question->arg;
	question_free(question); /* first: fn may ask the next one */
	if (fn)
		fn(arg, outcome, outcome == OUTCOME_DONE ? result : NULL,
			outcome == OUTCOME_DONE ? NULL : err);
	return true;
}

void __wrap_slurm_use(struct slurm *slurm, const struct strv *variables, json_t *expected)
{
	(void)slurm;
	(void)variables;
	json_decref(expected);
}

void __wrap_slurm_rest(struct slurm *slurm)
{
	(void)slurm;
}

void __wrap_slurm_health(const struct slurm *slurm, struct slurm_health *ret)
{
	(void)slurm;
	*ret = (struct slurm_health){.asked = true,
		.answering = TAILQ_EMPTY(&questions),
		.since_ms = loop_now_ms(),
		.text = "",
		.version = "22.05.8"};
}

int __wrap_slurm_helper_pid(const struct slurm *slurm)
{
	(void)slurm;
	return WORLD_PID;
}

void world_reset_slurm(void)
{
	while (!TAILQ_EMPTY(&questions))
		question_free(TAILQ_FIRST(&questions));
}
