/* giveback.c: giving a job back without losing a task or a result. Part of the cluster.
 *
 * The preload is first asked to send a job's workers no new tasks (DRAINING), then to move their
 * results to other workers (RETIRING). Then the job ends. The preload refuses if a task has arrived
 * in the meantime, or if no other worker has room for the results. Then the job stays. */
#include "daemon/cluster/giveback.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "daemon/cluster/ends.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/leaving.h"
#include "daemon/cluster/model.h"
#include "daemon/dask/jobscript.h"
#include "daemon/io/loop.h"

#define ASK_DEADLINE_MS	 10000
#define MOVE_DEADLINE_MS 120000
#define BUSY_HOLD_MS	 1000 /* its workers had a task */
#define FAILED_HOLD_MS	 5000 /* the scheduler did not answer */
#define AGAIN_MS	 1000
/* Workers in one request, which keeps it far below the limit of a line. */
#define WORKERS_MAX  5000
#define FULL_HOLD_MS 10000 /* no worker had room for the results */

/* One request to the preload about one job. */
struct question {
	struct cluster *cluster;
	char cluster_id[CLUSTER_ID_MAX];
	char job[SLURM_JOB_ID_MAX];
	size_t workers;
};

static json_t *addresses(struct cluster *cluster, const struct job *job)
{
	json_t *array = json_array();
	struct worker *worker;

	TAILQ_FOREACH (worker, jobs_workers(cluster->jobs), link)
		if (worker->job == job)
			json_array_append_new(array, json_text(worker->address));
	return array;
}

/* The job that question is about, if it is still in phase; otherwise NULL. Frees question. */
static struct job *answered(struct question *question, enum job_phase phase)
{
	struct cluster *cluster = question->cluster;
	struct job *job = NULL;

	if (strcmp(question->cluster_id, cluster->id) == 0)
		job = jobs_find_id(cluster->jobs, question->job);
	free(question);
	if (!job)
		return NULL;
	job->asking = false;
	cluster_wake(cluster, 0);
	return job->phase == phase ? job : NULL;
}

static int ask(struct cluster *cluster, struct job *job, const char *method, json_t *params,
	int64_t deadline_ms, scheduler_answer *done)
{
	struct question *question = xcalloc(1, sizeof(*question));
	int r;

	question->cluster = cluster;
	memcpy(question->cluster_id, cluster->id, sizeof(question->cluster_id));
	snprintf(question->job, sizeof(question->job), "%s", job->id);
	question->workers = json_array_size(json_object_get(params, "workers"));
	r = cluster->ops->ask_scheduler(
		cluster->arg, method, params, deadline_ms, done, question);
	job->asking = r >= 0;
	if (r < 0)
		free(question);
	return r;
}

static void take_back(
	struct cluster *cluster, struct job *job, int64_t hold_ms, const char *why)
{
	cluster->undrain_due = true;
	job->hold_ms = loop_now_ms() + hold_ms;
	jobs_set_phase(cluster->jobs, job, PHASE_READY, why);
}

static void on_drained(void *arg, const json_t *result, const struct err *err)
{
	struct question *question = arg;
	struct cluster *cluster = question->cluster;
	struct job *job = answered(question, PHASE_DRAINING);

	if (!job)
		return;
	if (!result)
		take_back(cluster, job, FAILED_HOLD_MS, err->text);
	else if (!json_is_true(json_object_get(result, "drained")))
		take_back(cluster, job, BUSY_HOLD_MS, "a task arrived");
}

static void drain(struct cluster *cluster, struct job *job, bool forced, const char *why)
{
	bool asked;

	if (job->connected == 0) {
		cluster_end_job(cluster, job, why);
		return;
	}
	asked = ask(cluster, job, "drain",
			json_pack("{s:o, s:b}", "workers", addresses(cluster, job), "only_idle",
				!forced),
			ASK_DEADLINE_MS, on_drained) >= 0;
	if (asked)
		jobs_set_phase(cluster->jobs, job, PHASE_DRAINING, why);
	else
		job->hold_ms = loop_now_ms() + FAILED_HOLD_MS;
}

static void on_retired(void *arg, const json_t *result, const struct err *err)
{
	struct question *question = arg;
	struct cluster *cluster = question->cluster;
	size_t asked = question->workers;
	struct job *job = answered(question, PHASE_RETIRING);

	if (!job)
		return;
	if (!result)
		take_back(cluster, job, FAILED_HOLD_MS, err->text);
	else if (json_array_size(json_object_get(result, "retired")) >= asked)
		cluster_end_job(cluster, job, "its data has moved");
	else if (json_array_size(json_object_get(result, "busy")) > 0)
		take_back(cluster, job, BUSY_HOLD_MS, "a task arrived");
	else
		take_back(cluster, job, FULL_HOLD_MS, "its data has nowhere to go");
}

static void retire(struct cluster *cluster, struct job *job, bool forced, const char *why)
{
	bool asked = ask(cluster, job, "retire",
			     json_pack("{s:o, s:b}", "workers", addresses(cluster, job),
				     "force", forced),
			     MOVE_DEADLINE_MS, on_retired) >= 0;

	if (asked)
		jobs_set_phase(cluster->jobs, job, PHASE_RETIRING, why);
	else
		take_back(cluster, job, FAILED_HOLD_MS, "the scheduler is not connected");
}

void cluster_giveback(struct cluster *cluster, struct job *job, enum fleet_action action,
	bool forced, const char *why)
{
	switch (action) {
	case FLEET_KEEP:
		break;
	case FLEET_CANCEL:
	case FLEET_END:
		cluster_end_job(cluster, job, why);
		break;
	case FLEET_DRAIN:
		if (!job->asking)
			drain(cluster, job, forced, why);
		break;
	case FLEET_UNDRAIN:
		take_back(cluster, job, 0, why);
		break;
	case FLEET_RETIRE:
		if (!job->asking)
			retire(cluster, job, forced, why);
		break;
	}
}

/* Nothing depends on this answer: the request is repeated when the job is retired. */
static void on_drained_late(void *arg, const json_t *result, const struct err *err)
{
	(void)arg;
	if (!result)
		log_debug("scheduler: %s", err->text);
}

/* Takes workers over. Returns 0. */
static int ask_drain_late(struct cluster *cluster, json_t *workers)
{
	cluster->ops->ask_scheduler(cluster->arg, "drain",
		json_pack("{s:o, s:b}", "workers", workers, "only_idle", 0), ASK_DEADLINE_MS,
		on_drained_late, NULL);
	return 0;
}

/* Send the addresses of all workers for which is_concerned() holds, in requests of at most
 * WORKERS_MAX. Stops at the first request that send() refuses, and returns the last result of
 * send(). */
static int send_in_parts(struct cluster *cluster,
	bool (*is_concerned)(const struct worker *worker),
	int (*send)(struct cluster *cluster, json_t *workers))
{
	json_t *part = NULL;
	struct worker *worker;
	int r = 0;

	TAILQ_FOREACH (worker, jobs_workers(cluster->jobs), link) {
		if (!is_concerned(worker))
			continue;
		if (!part)
			part = json_array();
		json_array_append_new(part, json_text(worker->address));
		if (json_array_size(part) < WORKERS_MAX)
			continue;
		r = send(cluster, part);
		part = NULL;
		if (r < 0)
			break;
	}
	return part ? send(cluster, part) : r;
}

static bool is_late(const struct worker *worker)
{
	return worker->is_new && worker->job && job_is_leaving(worker->job);
}

/* A worker that connects while its job is on its way out must get no tasks. The preload sees to
 * that if it knows the job, see leaving.c. */
static void drain_late(struct cluster *cluster)
{
	struct worker *worker;

	send_in_parts(cluster, is_late, ask_drain_late);
	TAILQ_FOREACH (worker, jobs_workers(cluster->jobs), link)
		worker->is_new = false;
}

void cluster_giveback_hello(struct cluster *cluster)
{
	cluster->undrain_due = true;
	cluster_leaving_hello(cluster);
}

static void on_undrained(void *arg, const json_t *result, const struct err *err)
{
	struct cluster *cluster = arg;

	cluster->undraining--;
	if (result) {
		if (cluster->undrain_due)
			/* Meanwhile another undrain became due. */
			cluster_wake(cluster, 0);
		return;
	}
	log_warning("scheduler: %s", err->text);
	cluster->undrain_due = true;
	cluster_wake(cluster, AGAIN_MS);
}

/* Takes array over. */
static int undrain(struct cluster *cluster, json_t *array)
{
	int r = cluster->ops->ask_scheduler(cluster->arg, "undrain",
		json_pack("{s:o}", "workers", array), ASK_DEADLINE_MS, on_undrained, cluster);

	cluster->undraining += r >= 0;
	return r;
}

/* While Slurm suspends a job, its workers must get no tasks. */
static void settle_suspended(struct cluster *cluster)
{
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		bool suspended = job->suspended_since_ms && job_is_running(job);

		if (suspended == job->suspended_told)
			continue;
		job->suspended_told = suspended;
		if (suspended)
			ask_drain_late(cluster, addresses(cluster, job));
		else
			cluster->undrain_due = true;
	}
}

static bool shall_work(const struct worker *worker)
{
	return !worker->job || !(job_is_leaving(worker->job) || worker->job->suspended_told);
}

void cluster_giveback_settle(struct cluster *cluster)
{
	int r;

	cluster_leaving_settle(cluster);
	drain_late(cluster);
	settle_suspended(cluster);
	if (!cluster->undrain_due || cluster->undraining > 0)
		return;
	r = send_in_parts(cluster, shall_work, undrain);
	cluster->undrain_due = r < 0;
	if (r == -EBUSY) /* without a connection, the preload's next hello comes back to this */
		cluster_wake(cluster, AGAIN_MS);
}
