/* jobs.c: all jobs of the cluster, and their workers. The one writer of a job's phase. */
#include "daemon/cluster/jobs.h"

#include <assert.h>
#include <ctype.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/number.h"
#include "common/settings.h"
#include "daemon/dask/jobscript.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/policy/failure.h"

#define GONE_KEPT 32
#define LOAD_MAX \
	(INT64_C(1) << 45) /* bounds a worker's tasks and bytes: sums cannot overflow */
#define THREADS_MAX	65535
#define WORKER_YOUNG_MS 15000

struct jobs {
	struct job_list list;
	struct worker_list workers;
	int64_t threads;  /* of the worker that came last; 0: not known */
	void *by_address; /* the workers by address, a tree of tsearch(3) */
	const struct jobs_ops *ops;
	void *arg;
};

static void changed(struct jobs *jobs)
{
	jobs->ops->changed(jobs->arg);
}

static void job_free(struct jobs *jobs, struct job *job)
{
	TAILQ_REMOVE(&jobs->list, job, link);
	free(job->tag);
	free(job->partition);
	free(job->nodes);
	free(job->reason);
	free(job->end_text);
	free(job->death);
	free(job);
}

static int compare_addresses(const void *a, const void *b)
{
	return strcmp(((const struct worker *)a)->address, ((const struct worker *)b)->address);
}

static void worker_free(struct jobs *jobs, struct worker *worker)
{
	tdelete(worker, &jobs->by_address, compare_addresses);
	TAILQ_REMOVE(&jobs->workers, worker, link);
	free(worker->name);
	free(worker->address);
	free(worker);
}

struct jobs *jobs_create(const struct jobs_ops *ops, void *arg)
{
	struct jobs *jobs = xcalloc(1, sizeof(*jobs));

	TAILQ_INIT(&jobs->list);
	TAILQ_INIT(&jobs->workers);
	jobs->ops = ops;
	jobs->arg = arg;
	return jobs;
}

struct jobs *jobs_destroy(struct jobs *jobs)
{
	if (jobs)
		jobs_clear(jobs);
	free(jobs);
	return NULL;
}

struct job_list *jobs_list(struct jobs *jobs)
{
	return &jobs->list;
}

void jobs_clear(struct jobs *jobs)
{
	while (!TAILQ_EMPTY(&jobs->workers))
		worker_free(jobs, TAILQ_FIRST(&jobs->workers));
	while (!TAILQ_EMPTY(&jobs->list))
		job_free(jobs, TAILQ_FIRST(&jobs->list));
	jobs->threads = 0;
}

void jobs_trim(struct jobs *jobs)
{
	struct job *job, *next;
	int gone = 0;

	TAILQ_FOREACH (job, &jobs->list, link)
		gone += job->phase == PHASE_GONE;
	TAILQ_FOREACH_SAFE (job, &jobs->list, link, next)
		if (gone > GONE_KEPT && job->phase == PHASE_GONE) {
			job_free(jobs, job);
			gone--;
		}
}

struct job *jobs_add(
	struct jobs *jobs, const char *tag, int64_t index, const struct settings *settings)
{
	struct job *job = xcalloc(1, sizeof(*job));

	jobs_trim(jobs);
	job->tag = xstrdup(tag);
	job->index = index;
	job->phase = PHASE_NEW;
	job->phase_since_ms = loop_now_ms();
	job->task = SLURM_NO_TASK;
	job->processes = settings->processes;
	job->cores = settings->cores;
	job->memory_mib = settings->memory_mib;
	job->walltime_s = settings->walltime_s;
	TAILQ_INSERT_TAIL(&jobs->list, job, link);
	changed(jobs);
	return job;
}

struct job *jobs_restore(struct jobs *jobs, const struct job *values)
{
	struct job *job = xcalloc(1, sizeof(*job));

	*job = *values;
	if (job->job_id)
		slurm_job_format_id(job->job_id, job->task, job->id);
	job->alone_since_ms = job->idle_since_ms = loop_now_ms();
	if (job->phase == PHASE_ENDING)
		job->ending_since_ms = loop_now_ms();
	TAILQ_INSERT_TAIL(&jobs->list, job, link);
	changed(jobs);
	return job;
}

/* The number of the job's connected workers has changed. */
static void note_connected(struct job *job)
{
	if (job->connected == 0)
		job->alone_since_ms = loop_now_ms();
	if (job->connected >= job->processes) {
		job->short_since_ms = 0;
		job->short_told = job->worn = false;
	} else if (job->phase == PHASE_READY && !job->short_since_ms) {
		job->short_since_ms = loop_now_ms();
	}
}

void jobs_set_phase(struct jobs *jobs, struct job *job, enum job_phase phase, const char *why)
{
	int64_t now = loop_now_ms();

	assert(job_phase_may_follow(job->phase, phase));
	history_job_phase(job->id[0] ? job->id : job->tag, job->partition,
		job_phase_name(job->phase), job_phase_name(phase), now - job->phase_since_ms,
		why);
	job->phase = phase;
	job->phase_since_ms = now;
	if (phase == PHASE_ENDING)
		job->ending_since_ms = now;
	if (phase == PHASE_STARTING)
		job->running_since_ms = job->alone_since_ms = now;
	if (phase == PHASE_PENDING) { /* requeued */
		job->ready_since_ms = job->short_since_ms = 0;
		job->short_told = job->worn = false;
	}
	if (phase == PHASE_READY) {
		job->idle_since_ms = now;
		if (!job->ready_since_ms && job->connected >= job->processes)
			job->ready_since_ms = now;
	}
	job->was_ready |= job->ready_since_ms > 0;
	changed(jobs);
}

void jobs_set_short(struct jobs *jobs, struct job *job)
{
	job->short_told = true;
	if (job->phase != PHASE_STARTING)
		return;
	job->short_since_ms = job->came_ms;
	job->ready_since_ms = loop_now_ms();
	job->wait_known = true; /* mostly a wait for workers that never came */
	jobs_set_phase(jobs, job, PHASE_READY, "no more workers come");
}

/* The job has one more worker. */
static void attach(struct jobs *jobs, struct job *job, struct worker *worker)
{
	worker->job = job;
	job->busy += worker->tasks;
	job->bytes += worker->bytes;
	job->connected++;
	if (worker->threads)
		jobs->threads = worker->threads;
	if (job->cores == CORES_NODE)
		job->cores = worker->threads * job->processes;
	job->came_ms = loop_now_ms();
	note_connected(job);
	job->abandoned = false;
	job->was_connected = true;
	/* The worker shows that the job runs, before the next query of Slurm does. */
	if (job_is_pending(job))
		jobs_set_phase(jobs, job, PHASE_STARTING, "a worker has connected");
	if (job->phase == PHASE_STARTING && job->connected >= job->processes)
		jobs_set_phase(jobs, job, PHASE_READY, NULL);
}

/* The live job to which a worker with this name belongs; NULL: none. */
static struct job *find_by_worker(struct jobs *jobs, const char *name)
{
	if (jobscript_job_id_length(name) == 0)
		return NULL;
	return jobs_find_id(jobs, name + strlen(JOBSCRIPT_WORKER_PREFIX));
}

void jobs_set_id(struct jobs *jobs, struct job *job, uint32_t job_id, int64_t task)
{
	struct worker *worker;

	job->job_id = job_id;
	job->task = task;
	job->known_ms = loop_now_ms();
	slurm_job_format_id(job_id, task, job->id);
	jobs_set_phase(jobs, job, PHASE_SUBMITTED, job->tag);
	/* Workers may connect before Slurm's answer arrives, above all after a lost answer. */
	TAILQ_FOREACH (worker, &jobs->workers, link)
		if (!worker->job && find_by_worker(jobs, worker->name) == job)
			attach(jobs, job, worker);
}

void jobs_set_gone(struct jobs *jobs, struct job *job, enum slurm_state state, const char *text)
{
	struct worker *worker;

	job->end_state = state;
	xreplace(&job->end_text, text);
	TAILQ_FOREACH (worker, &jobs->workers, link)
		if (worker->job == job)
			worker->job = NULL;
	job->connected = 0;
	jobs_set_phase(jobs, job, PHASE_GONE, text);
}

struct job *jobs_find(struct jobs *jobs, uint32_t job_id, int64_t task, const char *tag)
{
	struct job *job;

	TAILQ_FOREACH (job, &jobs->list, link)
		if (job->job_id && job->job_id == job_id && job->task == task &&
			strcmp(job->tag, tag) == 0)
			return job;
	return NULL;
}

struct job *jobs_find_id(struct jobs *jobs, const char *text)
{
	struct job *job;

	TAILQ_FOREACH (job, &jobs->list, link) {
		size_t length = strlen(job->id);

		if (length > 0 && job->phase != PHASE_GONE &&
			strncmp(job->id, text, length) == 0 &&
			(!text[length] || text[length] == '-'))
			return job;
	}
	return NULL;
}

static bool replace_text(char **target, const char *text)
{
	if (*target && text ? strcmp(*target, text) == 0 : *target == text)
		return false;
	xreplace(target, text);
	return true;
}

/* Set *since_ms to now when is becomes true, and to 0 when it becomes false. Returns whether it has
 * changed. */
static bool note_since(int64_t *since_ms, bool is)
{
	if (is == (*since_ms > 0))
		return false;
	*since_ms = is ? loop_now_ms() : 0;
	return true;
}

/* Record whether the job boots or is suspended. Returns whether that has changed. */
static bool note_state(struct job *job, enum slurm_state state)
{
	bool news = note_since(&job->booting_since_ms, state == STATE_CONFIGURING);

	if (news && state == STATE_PENDING) { /* requeued: a new wait begins */
		job->placed_ms = loop_now_ms();
		job->exhausted = false;
	}
	if (!note_since(&job->suspended_since_ms, state == STATE_SUSPENDED))
		return news;
	/* While it was suspended its workers may have left; they may connect again now. */
	if (job->connected == 0)
		job->alone_since_ms = loop_now_ms();
	return true;
}

void jobs_apply(struct jobs *jobs, struct job *job, const struct slurm_job *report)
{
	const char *reason = strcmp(report->reason, "None") != 0 ? report->reason : NULL;
	bool news = job->start_time != report->start_time;

	news |= replace_text(&job->partition, report->partition);
	news |= replace_text(&job->nodes, report->nodes);
	news |= replace_text(&job->reason, reason);
	job->never = report->never;
	news |= note_state(job, report->state);
	job->submit_time = report->submit_time;
	job->start_time = report->start_time;
	if (report->state == STATE_PENDING)
		job->waited_ms = job->seen_ms;
	if (report->state != STATE_PENDING || !failure_is_hold(report->reason)) {
		job->held_since_ms = 0;
		job->held_told = false;
	} else if (!job->held_since_ms) {
		job->held_since_ms = loop_now_ms();
	}
	if (report->end_time == 0)
		job->end_ms = 0;
	else if (job->end_time != report->end_time)
		job->end_ms = loop_now_ms() +
			((int64_t)report->end_time - (int64_t)time(NULL)) * 1000;
	job->end_time = report->end_time;
	if (news)
		changed(jobs);
	if (job->phase == PHASE_GONE)
		return;
	if (slurm_state_is_end(report->state)) {
		_cleanup_free_ char *text = job_describe_end(job, report);

		job->exit_status = report->exit_status;
		job->not_launched = job_was_not_launched(report);
		jobs_set_gone(jobs, job, report->state, text);
		return;
	}
	if (report->state == STATE_PENDING || report->state == STATE_CONFIGURING) {
		if (job->phase == PHASE_SUBMITTED)
			jobs_set_phase(jobs, job, PHASE_PENDING, reason);
		else if (job_is_running(job) && job->seen_ms >= job->running_since_ms)
			jobs_set_phase(jobs, job, PHASE_PENDING, "requeued");
		/* A worker has connected since the query, so the job runs. */
		return;
	}
	if (job_is_pending(job))
		jobs_set_phase(jobs, job, PHASE_STARTING, report->nodes);
	if (job->phase == PHASE_STARTING && job->connected >= job->processes)
		jobs_set_phase(jobs, job, PHASE_READY, NULL);
}

struct worker_list *jobs_workers(struct jobs *jobs)
{
	return &jobs->workers;
}

struct worker *jobs_find_worker(struct jobs *jobs, const char *address)
{
	struct worker key = {.address = UNCONST(address)};
	void *found = tfind(&key, &jobs->by_address, compare_addresses);

	return found ? *(struct worker **)found : NULL;
}

void jobs_worker_added(
	struct jobs *jobs, const char *name, const char *address, int64_t threads)
{
	struct job *job = find_by_worker(jobs, name);
	struct worker *worker;

	if (jobs_find_worker(jobs, address))
		jobs_worker_removed(jobs, address, false);
	worker = xcalloc(1, sizeof(*worker));
	worker->name = xstrdup(name);
	worker->address = xstrdup(address);
	worker->threads = min_of(max_of(threads, 0), THREADS_MAX);
	worker->since_ms = loop_now_ms();
	worker->is_new = true;
	TAILQ_INSERT_TAIL(&jobs->workers, worker, link);
	if (!tsearch(worker, &jobs->by_address, compare_addresses))
		abort(); /* no memory */
	log_debug("worker %s: connected from %s", name, address);
	if (job)
		attach(jobs, job, worker);
	changed(jobs);
}

/* Set the load of a worker, and add the difference to its job. */
static void set_load(struct worker *worker, int64_t tasks, int64_t bytes)
{
	struct job *job = worker->job;

	if (job) {
		bool was_busy = job->busy > 0;

		job->busy += tasks - worker->tasks;
		job->bytes += bytes - worker->bytes;
		if (was_busy && job->busy == 0)
			job->idle_since_ms = loop_now_ms();
	}
	worker->tasks = tasks;
	worker->bytes = bytes;
}

void jobs_worker_load(struct jobs *jobs, const char *address, int64_t tasks, int64_t bytes)
{
	struct worker *worker = jobs_find_worker(jobs, address);

	if (worker)
		set_load(worker, min_of(max_of(tasks, 0), LOAD_MAX),
			min_of(max_of(bytes, 0), LOAD_MAX));
}

static bool is_early_death(const struct worker *worker)
{
	int64_t now = loop_now_ms();

	return job_phase_is_wanted(worker->job->phase) &&
		now - worker->job->running_since_ms < JOB_YOUNG_MS &&
		now - worker->since_ms < WORKER_YOUNG_MS;
}

void jobs_worker_removed(struct jobs *jobs, const char *address, bool asked)
{
	struct worker *worker = jobs_find_worker(jobs, address);
	struct job *job = worker ? worker->job : NULL;

	if (!worker)
		return;
	log_debug("worker %s: left", worker->name);
	set_load(worker, 0, 0);
	if (job) {
		job->connected--;
		note_connected(job);
		job->early_deaths += !asked && is_early_death(worker);
	}
	worker_free(jobs, worker);
	changed(jobs);
}

void jobs_workers_clear(struct jobs *jobs, bool gone)
{
	struct job *job;

	while (!TAILQ_EMPTY(&jobs->workers))
		worker_free(jobs, TAILQ_FIRST(&jobs->workers));
	TAILQ_FOREACH (job, &jobs->list, link) {
		job->abandoned |= job->connected > 0 || (gone && job_is_running(job));
		if (job->busy > 0)
			job->idle_since_ms = loop_now_ms();
		job->connected = job->busy = job->bytes = 0;
		note_connected(job);
	}
	changed(jobs);
}

struct jobs_count jobs_count(const struct jobs *jobs)
{
	struct jobs_count count = {.threads = jobs->threads};
	const struct job *job;
	const struct worker *worker;
	bool unsettled;

	TAILQ_FOREACH (job, &jobs->list, link) {
		count.alive += job_phase_is_alive(job->phase);
		if (job_phase_is_wanted(job->phase) && job->role != ROLE_STANDBY) {
			count.wanted++;
			count.wanted_workers += job->processes;
		}
		count.in_slurm += job->job_id && job->phase != PHASE_GONE;
		unsettled = job->phase != PHASE_GONE &&
			(job->phase != PHASE_READY || job->abandoned || job->connected == 0);
		count.unsettled += unsettled;
		count.changing += unsettled && job->phase >= PHASE_READY;
		count.running += job_is_running(job);
		if (job->phase == PHASE_READY && job->short_told && job->connected > 0)
			count.given_up += job->processes - job->connected;
	}
	TAILQ_FOREACH (worker, &jobs->workers, link)
		count.connected++;
	return count;
}
