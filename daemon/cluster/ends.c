/* ends.c: ending the cluster's jobs: first a request to end, later a cancellation. Requests are
 * repeated until the queue shows that the job is gone. */
#include "daemon/cluster/ends.h"

#include <string.h>

#include "common/alloc.h"
#include "common/log.h"
#include "common/strv.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/record.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/io/statequeue.h"
#include "daemon/slurm/helper.h"
#include "daemon/slurm/poll.h"

#define CANCEL_DEADLINE_MS 15000
#define AGAIN_MS	   1000
#define TERMINATE_GRACE_MS 3000	 /* a job may take so long to end before it is cancelled */
#define RECORD_PATIENCE_MS 2000	 /* a job may wait so long for the record before it is ended */
#define EPILOGUE_GRACE_MS  30000 /* the same for a job with an epilogue */

/* Requests have failed: all are due again. */
static void end_again(struct cluster *cluster)
{
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		job->ending_sent = false;
	cluster_wake(cluster, AGAIN_MS);
}

static void on_cancelled(
	void *arg, enum slurm_outcome outcome, const json_t *result, const struct err *err)
{
	struct cluster *cluster = arg;

	(void)result;
	if (outcome != OUTCOME_DONE) {
		if (!cluster->end_error || strcmp(cluster->end_error, err->text) != 0)
			log_warning(
				"slurm: jobs could not be ended, trying again: %s", err->text);
		xreplace(&cluster->end_error, err->text);
		end_again(cluster);
		return;
	}
	xreplace(&cluster->end_error, NULL);
	poll_within(cluster->poll, 200);
}

/* The strongest signal that is due for a job in phase ENDING. */
static enum slurm_cancel_how due_signal(
	const struct cluster *cluster, const struct job *job, int64_t now)
{
	int64_t grace_ms = cluster_end_grace_ms(cluster);

	if (now - job->ending_since_ms > grace_ms + TERMINATE_GRACE_MS)
		return CANCEL_KILL;
	if (now - job->ending_since_ms > grace_ms)
		return CANCEL_CANCEL;
	return job->ending;
}

void cluster_end_job(struct cluster *cluster, struct job *job, const char *why)
{
	bool runs = !job_is_pending(job);

	job->ending = runs ? CANCEL_TERMINATE : CANCEL_CANCEL;
	job->ending_sent = false;
	job->ending_mark = 0;
	jobs_set_phase(cluster->jobs, job, PHASE_ENDING, why);
}

void cluster_end_jobs(struct cluster *cluster)
{
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job->job_id && job->phase != PHASE_GONE && job->phase != PHASE_ENDING)
			cluster_end_job(cluster, job, "the cluster stops");
	cluster_send_ends(cluster);
}

int64_t cluster_end_grace_ms(const struct cluster *cluster)
{
	return cluster->request.settings.epilogue ? EPILOGUE_GRACE_MS : TERMINATE_GRACE_MS;
}

/* Send one request for all ids, and take them over. */
static void request(struct cluster *cluster, json_t *ids, enum slurm_cancel_how how)
{
	if (json_array_size(ids) == 0) {
		json_decref(ids);
	} else if (slurm_request(cluster->slurm, "cancel",
			   json_pack("{s:o, s:s}", "jobs", ids, "how", slurm_cancel_name(how)),
			   CANCEL_DEADLINE_MS, on_cancelled, cluster) < 0) {
		log_warning("slurm: too many requests wait; jobs are ended later");
		end_again(cluster);
	}
}

/* A stray whose cancellation fails is found in the queue again. */
static void cancel_strays(struct cluster *cluster)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < cluster->strays.count; i++)
		json_array_append_new(ids, json_string(cluster->strays.item[i]));
	strv_finish(&cluster->strays);
	request(cluster, ids, CANCEL_CANCEL);
}

/* The next dracod must not take a job back that was asked to end, so that is recorded first. But a
 * file system that does not answer keeps no job alive for long. */
static bool is_recorded(struct cluster *cluster, const struct job *job)
{
	return statequeue_is_done(job->ending_mark) ||
		cluster_is_due(cluster, job->ending_since_ms + RECORD_PATIENCE_MS);
}

/* Record the jobs that have begun to end. */
static void record_ends(struct cluster *cluster)
{
	bool saved = false;
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (job->phase != PHASE_ENDING || job->ending_mark)
			continue;
		if (!saved)
			record_save(cluster);
		saved = true;
		job->ending_mark = statequeue_mark();
	}
}

void cluster_send_ends(struct cluster *cluster)
{
	json_t *ids[CANCEL_COUNT] = {json_array(), json_array(), json_array()};
	int64_t now = loop_now_ms();
	struct job *job;

	record_ends(cluster);
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		enum slurm_cancel_how due;

		if (job->phase != PHASE_ENDING)
			continue;
		due = due_signal(cluster, job, now);
		if ((job->ending_sent && due == job->ending) || !is_recorded(cluster, job))
			continue;
		if (job->ending_sent) /* a gentler request was sent before */
			history_note(EVENT_DECISION, "job", job->id, "does not end: %s it",
				due == CANCEL_KILL ? "killing" : "cancelling");
		job->ending = due;
		job->ending_sent = true;
		json_array_append_new(ids[due], json_string(job->id));
	}
	for (int how = 0; how < CANCEL_COUNT; how++)
		request(cluster, ids[how], (enum slurm_cancel_how)how);
	cancel_strays(cluster);
}
