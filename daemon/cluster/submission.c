/* submission.c: submissions of jobs, each carried out exactly once. */
#include "daemon/cluster/submission.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "common/queue.h"
#include "common/slurm_msg.h"
#include "daemon/cluster/jobs.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/io/statequeue.h"
#include "daemon/slurm/helper.h"

#define DEADLINE_MS    25000
#define RETRY_FIRST_MS 500
#define RETRY_MAX_MS   10000

/* A request that was cut off may still wait in slurmctld's accept queue. So the queue must be read
 * twice without showing the tag, the second time at least this long after the first. */
#define SETTLE_MS 2500

enum submission_state {
	SUBMISSION_WAITING,  /* not sent yet, or waiting for a pause to end */
	SUBMISSION_SENT,     /* sent, without an answer yet */
	SUBMISSION_IN_DOUBT, /* the answer was lost */
};

struct submission {
	TAILQ_ENTRY(submission) link; /* submissions.list */
	struct submissions *owner;
	struct slurm_submission wish;
	enum submission_state state;
	bool unwanted;		 /* it must not be sent again */
	uint64_t mark;		 /* statequeue_mark() of its record; 0: not known yet */
	bool unrecorded;	 /* it waits for that */
	int64_t doubt_since_ms;	 /* loop time at which the answer was lost */
	int64_t first_absent_ms; /* loop time of the first query without the tag; 0: none */
	int64_t retry_ms;
	struct loop_timer *retry;
};

struct submissions {
	struct loop *loop;
	struct slurm *slurm;
	struct jobs *jobs;
	TAILQ_HEAD(, submission) list;
	const struct submissions_ops *ops;
	void *arg;
};

/* The tag without the cluster's name, as users know it. */
static const char *short_tag(const struct slurm_submission *wish)
{
	const char *dash = strrchr(wish->name, '-');

	return dash ? dash + 1 : wish->name;
}

static void submission_free(struct submission *submission)
{
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(submission->owner->jobs), link)
		if (job->submission == submission)
			job->submission = NULL;
	TAILQ_REMOVE(&submission->owner->list, submission, link);
	loop_timer_destroy(submission->retry);
	slurm_submission_finish(&submission->wish);
	free(submission);
}

/* Slurm has accepted the jobs under this id. */
static void settle(struct submission *submission, uint32_t job_id, bool array)
{
	struct jobs *jobs = submission->owner->jobs;
	struct job *job, *next;

	TAILQ_FOREACH_SAFE (job, jobs_list(jobs), link, next)
		if (job->submission == submission && job->phase == PHASE_NEW)
			jobs_set_id(jobs, job, job_id, array ? job->index : SLURM_NO_TASK);
	submission_free(submission);
}

/* Slurm will have no jobs of this submission. */
static void give_up(struct submission *submission, const char *why)
{
	struct jobs *jobs = submission->owner->jobs;
	struct job *job, *next;

	TAILQ_FOREACH_SAFE (job, jobs_list(jobs), link, next)
		if (job->submission == submission && job->phase == PHASE_NEW)
			jobs_set_gone(jobs, job, STATE_CANCELLED, why);
	submission_free(submission);
}

static void send_again(struct submission *submission, int64_t in_ms)
{
	submission->state = SUBMISSION_WAITING;
	if (submission->unwanted)
		give_up(submission, "not submitted");
	else
		loop_timer_start(submission->retry, in_ms);
}

static void pause_and_retry(struct submission *submission)
{
	int64_t pause_ms = submission->retry_ms;

	submission->retry_ms = pause_ms * 2 < RETRY_MAX_MS ? pause_ms * 2 : RETRY_MAX_MS;
	send_again(submission, pause_ms);
}

static void on_reply(
	void *arg, enum slurm_outcome outcome, const json_t *result, const struct err *err)
{
	struct submission *submission = arg;
	struct submissions *owner = submission->owner;
	json_int_t job_id = json_get_integer(result, "job_id", 0);
	_cleanup_free_ char *tag = NULL;
	struct err no_id = ERR_INIT;

	if (outcome == OUTCOME_DONE && (job_id < 1 || job_id > UINT32_MAX)) {
		err_set(&no_id, -EPROTO, "draco-slurm reported no job id");
		outcome = OUTCOME_UNCERTAIN;
		err = &no_id;
	}
	switch (outcome) {
	case OUTCOME_DONE:
		history_note(EVENT_NOTE, "submission", short_tag(&submission->wish),
			"submitted as job %" JSON_INTEGER_FORMAT ", %" PRId64 " in all", job_id,
			submission->wish.count);
		if (*json_get_text(result, "said", ""))
			history_note(EVENT_NOTE, "submission", short_tag(&submission->wish),
				"Slurm says: %s", json_get_text(result, "said", ""));
		settle(submission, (uint32_t)job_id, submission->wish.count > 1);
		owner->ops->query(owner->arg);
		return;
	case OUTCOME_REFUSED:
		tag = xstrdup(submission->wish.name);
		give_up(submission, err->text);
		owner->ops->refused(owner->arg, tag, err);
		return;
	case OUTCOME_BUSY:
	case OUTCOME_UNREACHABLE:
	case OUTCOME_UNUSABLE:
	case OUTCOME_FOREIGN:
		history_failure("submission", short_tag(&submission->wish), NULL,
			"not submitted, trying again: %s", err->text);
		pause_and_retry(submission);
		return;
	default:
		history_failure("submission", short_tag(&submission->wish), NULL,
			"the answer was lost, looking for it in the queue: %s", err->text);
		submission->state = SUBMISSION_IN_DOUBT;
		submission->doubt_since_ms = loop_now_ms();
		submission->first_absent_ms = 0;
		owner->ops->query(owner->arg);
	}
}

static void send_wish(void *arg)
{
	struct submission *submission = arg;

	/* A job that no record names could be asked for twice. */
	if (!submission->mark)
		submission->mark = statequeue_mark();
	submission->unrecorded = !statequeue_is_done(submission->mark);
	if (submission->unrecorded)
		return;
	submission->state = SUBMISSION_SENT;
	if (slurm_request(submission->owner->slurm, "submit",
		    slurm_submission_encode(&submission->wish), DEADLINE_MS, on_reply,
		    submission) < 0)
		pause_and_retry(submission);
}

struct submissions *submissions_create(struct loop *loop, struct slurm *slurm,
	struct jobs *jobs, const struct submissions_ops *ops, void *arg)
{
	struct submissions *submissions = xcalloc(1, sizeof(*submissions));

	submissions->loop = loop;
	submissions->slurm = slurm;
	submissions->jobs = jobs;
	submissions->ops = ops;
	submissions->arg = arg;
	TAILQ_INIT(&submissions->list);
	return submissions;
}

/* slurm_destroy() must come first: it drops the requests that refer to a submission. */
struct submissions *submissions_destroy(struct submissions *submissions)
{
	if (!submissions)
		return NULL;
	while (!TAILQ_EMPTY(&submissions->list))
		submission_free(TAILQ_FIRST(&submissions->list));
	free(submissions);
	return NULL;
}

void submissions_add(struct submissions *submissions, struct slurm_submission *wish,
	const struct settings *settings)
{
	struct submission *submission = xcalloc(1, sizeof(*submission));

	submission->owner = submissions;
	submission->wish = *wish;
	*wish = (struct slurm_submission){0};
	submission->retry_ms = RETRY_FIRST_MS;
	submission->retry = loop_timer_create(submissions->loop, send_wish, submission);
	TAILQ_INSERT_TAIL(&submissions->list, submission, link);
	for (int64_t i = 0; i < submission->wish.count; i++)
		jobs_add(submissions->jobs, submission->wish.name, i, settings)->submission =
			submission;
	loop_timer_start(submission->retry, 0);
}

void submissions_adopt(struct submissions *submissions, const char *tag, int64_t count)
{
	struct submission *submission = xcalloc(1, sizeof(*submission));
	struct job *job;

	submission->owner = submissions;
	submission->wish.name = xstrdup(tag);
	submission->wish.count = count;
	submission->state = SUBMISSION_IN_DOUBT;
	submission->unwanted = true; /* the caller decides anew on jobs that do not exist */
	submission->doubt_since_ms = loop_now_ms();
	submission->retry = loop_timer_create(submissions->loop, send_wish, submission);
	TAILQ_INSERT_TAIL(&submissions->list, submission, link);
	TAILQ_FOREACH (job, jobs_list(submissions->jobs), link)
		if (job->phase == PHASE_NEW && strcmp(job->tag, tag) == 0)
			job->submission = submission;
}

void submissions_recorded(struct submissions *submissions)
{
	struct submission *submission;

	TAILQ_FOREACH (submission, &submissions->list, link)
		if (submission->unrecorded)
			loop_timer_start(submission->retry, 0);
}

void submissions_stop(struct submissions *submissions)
{
	struct submission *submission, *next;

	TAILQ_FOREACH_SAFE (submission, &submissions->list, link, next) {
		submission->unwanted = true;
		if (submission->state == SUBMISSION_WAITING ||
			slurm_withdraw(submissions->slurm, submission))
			give_up(submission, "not submitted");
	}
}

bool submissions_recognise(struct submissions *submissions, const struct slurm_job *report)
{
	struct submission *submission;

	TAILQ_FOREACH (submission, &submissions->list, link) {
		if (submission->state == SUBMISSION_SENT ||
			strcmp(submission->wish.name, report->name) != 0)
			continue;
		history_note(EVENT_NOTE, "submission", short_tag(&submission->wish),
			"found in the queue as job %u", (unsigned)report->job_id);
		settle(submission, report->job_id, report->task != SLURM_NO_TASK);
		return true;
	}
	return false;
}

void submissions_queue_read(struct submissions *submissions, int64_t asked_ms)
{
	struct submission *submission, *next;

	TAILQ_FOREACH_SAFE (submission, &submissions->list, link, next) {
		if (submission->state != SUBMISSION_IN_DOUBT ||
			asked_ms < submission->doubt_since_ms)
			continue;
		if (!submission->first_absent_ms) {
			submission->first_absent_ms = asked_ms;
		} else if (asked_ms - submission->first_absent_ms >= SETTLE_MS) {
			history_note(EVENT_NOTE, "submission", short_tag(&submission->wish),
				"is not in the queue");
			send_again(submission, 0);
		}
	}
}

bool submissions_any(const struct submissions *submissions)
{
	return !TAILQ_EMPTY(&submissions->list);
}

bool submissions_in_doubt(const struct submissions *submissions)
{
	const struct submission *submission;

	TAILQ_FOREACH (submission, &submissions->list, link)
		if (submission->state == SUBMISSION_IN_DOUBT)
			return true;
	return false;
}
