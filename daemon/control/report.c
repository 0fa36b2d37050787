/* report.c: the model as users and programs see it: JSON, and one line of progress. */
#include "daemon/control/report.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/paths.h"
#include "daemon/cluster/access.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/nodes.h"
#include "daemon/control/report_size.h"
#include "daemon/dask/scheduler.h"
#include "daemon/io/cgroup.h"
#include "daemon/io/instance.h"
#include "daemon/io/loop.h"
#include "daemon/io/tail.h"
#include "daemon/policy/memory_use.h"
#include "daemon/slurm/helper.h"

#define TAIL_LINES 20

static json_t *seconds_since(int64_t ms)
{
	return json_real((double)(loop_now_ms() - ms) / 1000);
}

/* Convert a loop time to seconds since the epoch. */
static json_t *epoch(int64_t ms)
{
	return json_integer((json_int_t)(time(NULL) - (loop_now_ms() - ms) / 1000));
}

static json_t *time_or_null(time_t when)
{
	return when ? json_integer((json_int_t)when) : json_null();
}

/* For how long the job has had no task; null: it has one, or its load is not known. */
static json_t *idle_or_null(const struct job *job)
{
	return job->connected > 0 && job->busy == 0 && job->idle_since_ms > 0
		? seconds_since(job->idle_since_ms)
		: json_null();
}

/* Why the job does not run, in Slurm's words or in draco's; NULL: it runs. The caller frees. */
static char *describe_reason(const struct job *job)
{
	char text[FORMAT_MAX];

	if (job->suspended_since_ms && job->phase != PHASE_GONE)
		return xasprintf("suspended for %s",
			format_duration(
				(loop_now_ms() - job->suspended_since_ms) / 1000 * 1000, text));
	if (job->phase != PHASE_PENDING)
		return NULL;
	if (job->booting_since_ms)
		return xasprintf("booting %s for %s",
			job->nodes && job->nodes[0] ? job->nodes : "its node",
			format_duration(
				(loop_now_ms() - job->booting_since_ms) / 1000 * 1000, text));
	return job->reason ? xstrdup(job->reason) : NULL;
}

/* The options of sbatch of the job's place. */
static json_t *place_options(const struct cluster *cluster, const struct job *job)
{
	const struct placement *placement = &cluster->place.placement;

	for (size_t i = 0; i < placement->count; i++)
		if (job->placed & (candidate_set)1 << i)
			return json_texts(&placement->candidate[i].options);
	return json_array();
}

static json_t *report_job(const struct cluster *cluster, const struct job *job)
{
	_cleanup_free_ char *log = cluster_job_log(cluster, job);
	_cleanup_free_ char *reason = describe_reason(job);
	bool has_started = job->phase >= PHASE_STARTING || job->booting_since_ms;

	return json_pack(
		"{s:o, s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:o, "
		"s:o, s:o, s:o, s:o, s:o, s:b, s:o}",
		"id", json_text(job->id[0] ? job->id : NULL), "phase",
		job_phase_name(job->phase), "phase_s", seconds_since(job->phase_since_ms),
		"partition", json_text(job->partition), "nodes", json_text(job->nodes),
		"reason", json_text(reason), "workers", (json_int_t)job->connected, "busy",
		(json_int_t)job->busy, "bytes", (json_int_t)job->bytes, "idle_s",
		idle_or_null(job), "processes", (json_int_t)job->processes, "cores",
		(json_int_t)job->cores, "memory_mib",
		(json_int_t)(job->memory_mib > 0 ? job->memory_mib : 0), "walltime_s",
		(json_int_t)job->walltime_s, "submit_time", time_or_null(job->submit_time),
		"start_time", time_or_null(has_started ? job->start_time : 0),
		"predicted_start", time_or_null(has_started ? 0 : job->start_time), "end_time",
		time_or_null(job->end_time), "end", json_text(job->end_text), "log",
		json_text(log), "stuck", job->stuck, "options", place_options(cluster, job));
}

static json_t *report_memory(const struct memory_use *use)
{
	if (use->used == 0)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:s}", "used", (json_int_t)use->used, "left",
		(json_int_t)use->room, "limit", (json_int_t)use->limit, "limit_of",
		use->of_cgroup ? "cgroup" : "host");
}

static json_t *report_scheduler(const struct cluster *cluster)
{
	const struct scheduler *scheduler = cluster->scheduler;
	enum scheduler_state state = scheduler_state(scheduler);
	_cleanup_free_ char *dashboard = dashboard_url(&cluster->access.dashboard);
	const char *unit = scheduler_unit_directory(scheduler);
	bool stopped = state == SCHEDULER_STOPPED;

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "state",
		scheduler_state_name(state), "since", epoch(scheduler_since_ms(scheduler)),
		"address", json_text(stopped ? NULL : scheduler_address(scheduler)),
		"dashboard", json_text(stopped ? NULL : dashboard), "pid",
		stopped ? json_null() : json_integer(scheduler_pid(scheduler)), "unit",
		json_text(unit ? cgroup_unit_name(unit) : NULL), "distributed",
		json_text(stopped ? NULL : scheduler_distributed(scheduler)), "python",
		json_text(stopped ? NULL : cluster->python), "memory",
		stopped ? json_null() : report_memory(scheduler_memory(scheduler)), "load",
		cluster->load ? json_incref(cluster->load) : json_null());
}

static json_t *report_slurm(const struct cluster *cluster)
{
	struct slurm_health health;

	slurm_health(cluster->slurm, &health);
	if (!health.asked)
		return json_pack(
			"{s:b, s:n, s:n, s:n}", "asked", 0, "answering", "since", "error");
	return json_pack("{s:b, s:b, s:o, s:o, s:s, s:s, s:o, s:i}", "asked", 1, "answering",
		health.answering, "since",
		health.since_ms ? epoch(health.since_ms) : json_null(), "error",
		json_text(health.text[0] ? health.text : NULL), "version", health.version,
		"interface", health.interface, "why", json_text(health.why), "helper_pid",
		slurm_helper_pid(cluster->slurm));
}

static json_t *report_milestones(const struct cluster *cluster)
{
	json_t *object = json_object();

	for (int i = 0; i < MILESTONE_COUNT; i++)
		if (cluster->milestone_ms[i] >= 0)
			json_object_set_new(object, cluster_milestone_name(i),
				json_real((double)cluster->milestone_ms[i] / 1000));
	return object;
}

static json_t *report_notices(const struct cluster *cluster)
{
	json_t *array = json_array();

	for (size_t i = 0; i < cluster->notices.count; i++)
		json_array_append_new(array, json_text(cluster->notices.item[i].text));
	return array;
}

json_t *report_failure(const struct cluster *cluster)
{
	_cleanup_free_ char *tail = NULL;

	if (!cluster->failure.code)
		return NULL;
	if (cluster->failure_log)
		tail = tail_read(cluster->failure_log, TAIL_LINES);
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "message",
		json_text(cluster->failure.text), "log", json_text(cluster->failure_log),
		"tail", json_text(tail), "candidates",
		cluster->place.failed ? placement_to_json(&cluster->place.placement)
				      : json_null(),
		"notices", report_notices(cluster));
}

json_t *report_status(const struct cluster *cluster)
{
	struct jobs_count count = jobs_count(cluster->jobs);
	bool known = cluster->id[0];
	json_t *jobs = json_array(), *status;
	const struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job->phase != PHASE_GONE || job->job_id)
			json_array_append_new(jobs, report_job(cluster, job));
	status = json_pack(
		"{s:s, s:{s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o}, s:o, s:o, "
		"s:o, s:o, s:o}",
		"name", cluster->name, "cluster", "state", cluster_state_name(cluster->state),
		"since", epoch(cluster->since_ms), "id", json_text(known ? cluster->id : NULL),
		"failure", cluster->failure.code ? report_failure(cluster) : json_null(),
		"notices", report_notices(cluster), "workers", (json_int_t)count.connected,
		"workers_wanted", (json_int_t)(known ? cluster->request.settings.minimum : 0),
		"jobs", (json_int_t)count.wanted, "jobs_wanted",
		(json_int_t)(known ? cluster_jobs_wanted(cluster) : 0), "log_directory",
		json_text(cluster->log_dir), "milestones",
		known ? report_milestones(cluster) : json_null(), "candidates",
		placement_to_json(&cluster->place.placement), "size", report_size(cluster),
		"scheduler", report_scheduler(cluster), "slurm", report_slurm(cluster), "jobs",
		jobs, "settings",
		known ? settings_to_json(&cluster->request.settings) : json_null());
	json_object_set_new(json_object_get(status, "cluster"), "excluded_nodes",
		cluster_nodes_report(cluster));
	cluster_access_report(cluster, status);
	json_object_set_new(status, "daemon", instance_describe());
	return status;
}

/* The job of a start that has come furthest; NULL: there is no job. */
static const struct job *foremost(const struct cluster *cluster)
{
	const struct job *job, *best = NULL;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job_phase_is_wanted(job->phase) && (!best || job->phase > best->phase))
			best = job;
	return best;
}

static char *describe_pending(const struct job *job)
{
	_cleanup_free_ char *reason = describe_reason(job);
	bool told = reason && *reason;
	struct tm local;
	char when[48] = "";

	if (job->booting_since_ms)
		return xasprintf("job %s is %s", job->id, reason);
	if (job->start_time > time(NULL)) {
		localtime_r(&job->start_time, &local);
		strftime(when, sizeof(when), ", expected to start at %H:%M:%S", &local);
	}
	if (job->never)
		return xasprintf("Slurm does not start job %s in %s: %s", job->id,
			job->partition ? job->partition : "?",
			told ? job->reason : "no reason known");
	return xasprintf("job %s is pending in %s%s%s%s", job->id,
		job->partition ? job->partition : "?", told ? ": " : "", told ? reason : "",
		when);
}

/* The steps of a start and of a stop, in the order in which they are shown. */
enum step { STEP_PREPARE, STEP_PLACE, STEP_PENDING, STEP_RUNNING, STEP_JOBS, STEP_SCHEDULER };

static char *describe_start(
	const struct cluster *cluster, const struct jobs_count *count, enum step *ret_step)
{
	const struct job *job = foremost(cluster);
	struct slurm_health health;

	slurm_health(cluster->slurm, &health);
	*ret_step = STEP_PREPARE;
	if (health.asked && !health.answering)
		return xasprintf("Slurm does not answer: %s", health.text);
	if (!cluster->python)
		return xstrdup("looking for a Python with distributed");
	if (!cluster->address)
		return xstrdup("asking Slurm");
	*ret_step = STEP_PLACE;
	if (!job && cluster->place.placer)
		return xstrdup("looking where jobs start soonest");
	if (!job && cluster_jobs_wanted(cluster) == 0)
		return xstrdup("starting the Dask scheduler; jobs come with the work");
	if (!job || job->phase == PHASE_NEW)
		return xasprintf("submitting %" PRId64 " job%s", cluster_jobs_wanted(cluster),
			cluster_jobs_wanted(cluster) == 1 ? "" : "s");
	*ret_step = STEP_PENDING;
	if (job->phase == PHASE_SUBMITTED)
		return xasprintf("job %s is submitted", job->id);
	if (job->phase == PHASE_PENDING)
		return describe_pending(job);
	*ret_step = STEP_RUNNING;
	if (scheduler_state(cluster->scheduler) != SCHEDULER_UP)
		return xasprintf("job %s runs, the Dask scheduler is %s", job->id,
			scheduler_state_name(scheduler_state(cluster->scheduler)));
	return xasprintf("job %s runs on %s, %" PRId64 " of %" PRId64 " workers", job->id,
		job->nodes && job->nodes[0] ? job->nodes : "a node", count->connected,
		cluster->request.settings.minimum);
}

char *report_waits_for(const struct cluster *cluster)
{
	struct jobs_count count = jobs_count(cluster->jobs);
	const struct job *job;
	enum step step;

	if (cluster->state == CLUSTER_STARTING)
		return describe_start(cluster, &count, &step);
	if (cluster->state == CLUSTER_STOPPING)
		return xstrdup("waits for the end of its jobs");
	if (cluster->state == CLUSTER_RUNNING)
		TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
			if (job->phase == PHASE_PENDING)
				return describe_pending(job);
	return xstrdup("");
}

json_t *report_progress(const struct cluster *cluster)
{
	struct jobs_count count = jobs_count(cluster->jobs);
	_cleanup_free_ char *message = NULL;
	enum step step = STEP_SCHEDULER;

	if (cluster->state == CLUSTER_STARTING) {
		message = describe_start(cluster, &count, &step);
	} else if (cluster->state == CLUSTER_STOPPING && count.alive > 0) {
		step = STEP_JOBS;
		message = xasprintf(
			"ending %" PRId64 " job%s", count.alive, count.alive == 1 ? "" : "s");
	} else if (cluster->state == CLUSTER_STOPPING) {
		message = xstrdup("ending the Dask scheduler");
	} else {
		message = xasprintf("the cluster is %s", cluster_state_name(cluster->state));
	}
	return json_pack("{s:s, s:i, s:o, s:o, s:s, s:I, s:I, s:o}", "state",
		cluster_state_name(cluster->state), "step", (int)step, "message",
		json_text(message), "elapsed_s",
		seconds_since(cluster->state == CLUSTER_STOPPING ? cluster->stop_since_ms
								 : cluster->started_ms),
		"scheduler", scheduler_state_name(scheduler_state(cluster->scheduler)),
		"workers", (json_int_t)count.connected, "workers_wanted",
		(json_int_t)cluster->request.settings.minimum, "milestones",
		report_milestones(cluster));
}

json_t *report_environment(const struct cluster *cluster)
{
	const char *address = scheduler_address(cluster->scheduler);
	json_t *variables;

	if (!*address)
		return NULL;
	variables = json_pack("{s:s}", "DASK_SCHEDULER_ADDRESS", address);
	cluster_access_variables(cluster, variables);
	return variables;
}

json_t *report_logs(const struct cluster *cluster, const char *daemon_log)
{
	json_t *jobs = json_object();
	const struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		_cleanup_free_ char *log = cluster_job_log(cluster, job);

		if (log)
			json_object_set_new(jobs, job->id, json_text(log));
	}
	return json_pack("{s:o, s:o, s:o}", "daemon", json_text(daemon_log), "scheduler",
		json_text(scheduler_log_path(cluster->scheduler)), "jobs", jobs);
}

char *report_no_cluster(const struct cluster *cluster)
{
	_cleanup_free_ char *start = paths_command(cluster->name, "start");

	return xasprintf("no cluster \"%s\" is running (%s starts one)", cluster->name, start);
}
