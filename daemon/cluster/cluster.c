/* cluster.c: the cluster as a whole. Makes and destroys its parts, and reconciles the model with
 * the wishes. */
#include "daemon/cluster/cluster.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/environment.h"
#include "common/expand.h"
#include "common/home.h"
#include "common/log.h"
#include "common/logdir.h"
#include "common/number.h"
#include "common/paths.h"
#include "common/slurm_find.h"
#include "common/slurm_variables.h"
#include "daemon/cluster/access.h"
#include "daemon/cluster/adopt.h"
#include "daemon/cluster/brim.h"
#include "daemon/cluster/deaths.h"
#include "daemon/cluster/ends.h"
#include "daemon/cluster/failure.h"
#include "daemon/cluster/find.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/nodes.h"
#include "daemon/cluster/overdue.h"
#include "daemon/cluster/pauses.h"
#include "daemon/cluster/place.h"
#include "daemon/cluster/pulse.h"
#include "daemon/cluster/queue.h"
#include "daemon/cluster/record.h"
#include "daemon/cluster/scheduler.h"
#include "daemon/cluster/size.h"
#include "daemon/cluster/stall.h"
#include "daemon/cluster/submission.h"
#include "daemon/cluster/unit.h"
#include "daemon/cluster/widen.h"
#include "daemon/cluster/worker_start.h"
#include "daemon/dask/python.h"
#include "daemon/dask/scheduler.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/slurm/helper.h"
#include "daemon/slurm/poll.h"
#include "daemon/slurm/token.h"

#define STOP_DEADLINE_MS 20000 /* how long a stop waits for Slurm to confirm the ends */
#define STOP_MARGIN_MS	 4000

void cluster_set_attached(struct cluster *cluster, int attached)
{
	if (cluster->attached == attached)
		return;
	cluster->attached = attached;
	cluster_wake(cluster, 0);
}

void cluster_someone_comes(struct cluster *cluster)
{
	scaling_someone_comes(&cluster->size.scaling);
	cluster_wake(cluster, 0);
}

static void on_jobs_changed(void *arg)
{
	struct cluster *cluster = arg;

	cluster->calm_since_ms = loop_now_ms();
	cluster_wake(cluster, 0);
	cluster->ops->changed(cluster->arg);
}

/* The number of workers that a start waits for. It respects the site's limit of jobs. */
static int64_t least_workers(const struct cluster *cluster)
{
	const struct settings *settings = &cluster->request.settings;
	int64_t jobs = job_limit_jobs(&cluster->place.limit);

	return jobs < 0 ? settings->minimum
			: min_of(settings->minimum, jobs * settings->processes);
}

static bool is_ready(struct cluster *cluster, const struct jobs_count *count)
{
	if (scheduler_state(cluster->scheduler) != SCHEDULER_UP)
		return false;
	if (cluster->request.settings.minimum == 0)
		return cluster_place_is_there(cluster);
	return count->running > 0 &&
		count->connected + count->given_up >= least_workers(cluster);
}

static void note_milestones(struct cluster *cluster, const struct jobs_count *count)
{
	if (count->in_slurm > 0)
		cluster_reached(cluster, MILESTONE_SUBMITTED);
	if (count->running > 0)
		cluster_reached(cluster, MILESTONE_RUNNING);
	if (count->connected > 0)
		cluster_reached(cluster, MILESTONE_WORKER);
}

/* End jobs whose deadline has passed, and plan the next look. */
static void check_deadlines(struct cluster *cluster)
{
	if (!cluster->adoption.ungreeted) { /* else nobody knows which workers there are */
		cluster_check_worker_start(cluster);
		cluster_check_workers_come(cluster);
	}
	if (!cluster->wanted) /* the check has failed the cluster */
		return;
	cluster_check_held(cluster);
	cluster_check_deaths(cluster);
	cluster_is_due(cluster, cluster->hold_until_ms);
}

static void go_up(struct cluster *cluster)
{
	struct jobs_count count;

	if (cluster_adopt_waits(cluster) || !cluster_find_out(cluster))
		return;
	cluster_reached(cluster, MILESTONE_PREPARED);
	if (scheduler_state(cluster->scheduler) == SCHEDULER_STOPPED)
		cluster_start_scheduler(cluster);
	if (!cluster->wanted) /* the scheduler could not start */
		return;
	count = jobs_count(cluster->jobs);
	note_milestones(cluster, &count);
	cluster_place_settle(cluster);
	if (!cluster->wanted) /* no place was found */
		return;
	cluster_settle_roles(cluster);
	cluster_check_pulse(cluster);
	cluster_check_brim(cluster);
	cluster_check_stall(cluster);
	cluster_check_unit(cluster);
	cluster_size_reconcile(cluster);
	if (!cluster->wanted) /* it was unused for too long and stops */
		return;
	if (cluster->state == CLUSTER_STARTING && is_ready(cluster, &count) &&
		cluster->wanted) {
		cluster_reached(cluster, MILESTONE_READY);
		cluster_set_state(cluster, CLUSTER_RUNNING);
	}
	cluster_check_waiting(cluster);
	check_deadlines(cluster);
	cluster_nodes_settle(cluster);
	cluster_send_ends(cluster);
	cluster_plan_poll(cluster);
}

static void finish_stop(struct cluster *cluster)
{
	poll_stop(cluster->poll);
	slurm_rest(cluster->slurm);
	cluster_pauses_save(cluster);
	cluster_access_end(cluster);
	record_remove(cluster);
	cluster_set_state(cluster, cluster->failure.code ? CLUSTER_FAILED : CLUSTER_STOPPED);
}

/* The stop has reached its deadline: go on without the jobs that are left. */
static void leave_jobs(struct cluster *cluster)
{
	_cleanup_free_ char *ids = NULL;
	struct slurm_health health;
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job->phase != PHASE_GONE) {
			strv_add(&cluster->unconfirmed, job->job_id ? job->id : job->tag);
			jobs_set_gone(cluster->jobs, job, STATE_CANCELLED, "not confirmed");
		}
	ids = strv_join(&cluster->unconfirmed, ", ");
	slurm_health(cluster->slurm, &health);
	cluster->in_silence = !health.answering;
	history_failure("cluster", cluster->name, NULL,
		"%zu job%s not confirmed to be gone (%s): %s", cluster->unconfirmed.count,
		cluster->unconfirmed.count == 1 ? " is" : "s are", ids,
		health.answering ? "Slurm is asked again and again to end what is left"
				 : "what is left is ended as soon as Slurm answers");
}

static void go_down(struct cluster *cluster)
{
	struct jobs_count count;

	cluster->python_search = python_search_cancel(cluster->python_search);
	submissions_stop(cluster->submissions);
	cluster_end_jobs(cluster);
	count = jobs_count(cluster->jobs);
	if (count.alive > 0 &&
		loop_now_ms() - cluster->stop_since_ms >
			STOP_DEADLINE_MS + cluster_end_grace_ms(cluster)) {
		leave_jobs(cluster);
		count.alive = 0;
	} else if (count.alive == 0 && cluster->submission_count > 0 &&
		cluster->unconfirmed.count == 0) {
		cluster->submission_count = 0;
		cluster->ops->has_no_jobs(cluster->arg, cluster->id);
	}
	if (count.alive > 0) {
		cluster_plan_poll(cluster);
		cluster_wake(cluster, 500);
		return;
	}
	scheduler_stop(cluster->scheduler);
	if (scheduler_state(cluster->scheduler) == SCHEDULER_STOPPED)
		finish_stop(cluster);
}

static void cluster_reconcile(void *arg)
{
	struct cluster *cluster = arg;

	if (cluster_is_up(cluster))
		go_up(cluster);
	else if (cluster->state == CLUSTER_STOPPING)
		go_down(cluster);
	jobs_trim(cluster->jobs);
}

static void make_id(char id[static CLUSTER_ID_MAX])
{
	unsigned random = 0;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = (unsigned)loop_now_ms();
	snprintf(id, CLUSTER_ID_MAX, "%08x", random);
}

/* Forget everything about an earlier cluster, except its request and its identity. */
static void clear(struct cluster *cluster)
{
	jobs_clear(cluster->jobs);
	xreplace(&cluster->python, NULL);
	xreplace(&cluster->python_version, NULL);
	xreplace(&cluster->address, NULL);
	xreplace(&cluster->failure_log, NULL);
	cluster->failure = (struct err)ERR_INIT;
	cluster->submission_count = 0;
	cluster->hold_until_ms = 0;
	cluster_place_begin(cluster);
	strv_finish(&cluster->unconfirmed);
	cluster_failure_clear(cluster);
	cluster->spawn = cluster->request.settings.worker_start == WORKER_START_SPAWN;
	cluster_size_begin(cluster);
	cluster->undrain_due = false;
	notices_finish(&cluster->notices);
	strv_finish(&cluster->strays);
	cluster->had_work = false;
	json_decref(TAKE_PTR(cluster->chosen_shares));
	cluster->poll_failures = 0;
	for (int i = 0; i < MILESTONE_COUNT; i++)
		cluster->milestone_ms[i] = -1;
	cluster_adopt_forget(cluster);
}

/* Tell draco-slurm the setting slurm_interface, and where else Slurm's commands may be. */
static void choose_interface(struct cluster_request *request)
{
	const char *path = environment_get(&request->environment, "PATH");
	const char *conda = environment_get(&request->environment, "CONDA_PREFIX");
	_cleanup_free_ char *word =
		settings_format(&request->settings, SETTING_SLURM_INTERFACE);

	strv_addf(&request->slurm.variables, SLURM_VARIABLE_INTERFACE "=%s", word);
	if (path)
		strv_addf(&request->slurm.variables, SLURM_VARIABLE_PATH "=%s", path);
	if (conda)
		strv_addf(&request->slurm.variables, SLURM_VARIABLE_CONDA "=%s", conda);
}

static const char *variable(const void *arg, const char *name)
{
	const struct cluster_request *request = arg;
	const char *value = environment_get(&request->environment, name);

	return value ? value : getenv(name);
}

char *cluster_log_base(const struct cluster_request *request, struct err *err)
{
	const char *set = request->settings.log_directory;
	_cleanup_free_ char *base = NULL;

	if (expand(set ? set : "~/.draco_logs", variable, request, &base, err) < 0)
		return NULL;
	return home_expand(base);
}

static int make_log_directory(
	const struct cluster_request *request, char **ret_path, struct err *err)
{
	_cleanup_free_ char *base = cluster_log_base(request, err);

	return base ? logdir_make(base, ret_path, err) : err_prefix(err, "log_directory");
}

/* Does the token end before the present one? */
static bool is_older(const struct strv *variables, const char *token)
{
	const char *present = environment_get(variables, SLURM_VARIABLE_TOKEN);
	int64_t end = token_end(token);

	return present && end && end <= token_end(present);
}

void cluster_renew_token(struct cluster *cluster, const char *token)
{
	_cleanup_free_ char *variable = xasprintf(SLURM_VARIABLE_TOKEN "=%s", token);
	struct strv *variables = &cluster->request.slurm.variables;

	if (strv_has(variables, variable) || is_older(variables, token))
		return;
	environment_set(variables, variable);
	log_info("slurm: a program has brought a new token (" SLURM_VARIABLE_TOKEN ")");
	cluster->ops->slurm_meant(cluster->arg, &cluster->request.slurm);
	poll_within(cluster->poll, 0);
	cluster_wake(cluster, 0);
}

int cluster_start(struct cluster *cluster, struct cluster_request *request, struct err *err)
{
	char id[CLUSTER_ID_MAX];
	char *log_dir;
	int r;

	if (!cluster_is_down(cluster))
		return err_set(
			err, -EBUSY, "the cluster is %s", cluster_state_name(cluster->state));
	r = make_log_directory(request, &log_dir, err);
	if (r < 0)
		return r;
	make_id(id);
	r = cluster_access_begin(cluster, &request->settings, id, err);
	if (r < 0) {
		rmdir(log_dir);
		free(log_dir);
		return r;
	}
	cluster_request_finish(&cluster->request);
	cluster->request = *request;
	*request = (struct cluster_request){0};
	if (!cluster->request.directory)
		cluster->request.directory = home_expand("~");
	free(cluster->log_dir);
	cluster->log_dir = log_dir;
	memcpy(cluster->id, id, sizeof(id));
	choose_interface(&cluster->request);
	cluster->ops->slurm_meant(cluster->arg, &cluster->request.slurm);
	cluster->ops->log_directory(
		cluster->arg, log_dir, cluster->request.settings.log_retention_ms);
	clear(cluster);
	cluster->started_ms = loop_now_ms();
	cluster->wanted = true;
	history_note(EVENT_DECISION, "cluster", cluster->name, "starting as %s, logs in %s",
		cluster->id, cluster->log_dir);
	cluster_set_state(cluster, CLUSTER_STARTING);
	record_save(cluster);
	cluster_wake(cluster, 0);
	return 0;
}

int cluster_adopt(struct cluster *cluster, const json_t *record, struct err *err)
{
	struct record_scheduler scheduler;
	int r = cluster_adopt_check(record, err);

	if (r == 0)
		r = record_restore_request(cluster, record, err);
	if (r < 0)
		return r;
	clear(cluster);
	record_restore_facts(cluster, record);
	record_scheduler(record, &scheduler);
	r = cluster_access_adopt(cluster, err);
	if (r == 0 && scheduler.pid)
		r = cluster_adopt_scheduler(cluster, &scheduler, err);
	if (r < 0) {
		cluster_access_end(cluster);
		return r;
	}
	record_restore_jobs(cluster, record);
	cluster->wanted = true;
	cluster->ops->slurm_meant(cluster->arg, &cluster->request.slurm);
	cluster->ops->log_directory(
		cluster->arg, cluster->log_dir, cluster->request.settings.log_retention_ms);
	cluster->ops->may_have_jobs(cluster->arg, cluster->id);
	cluster_adopt_begin(cluster, record);
	return 0;
}

int64_t cluster_stop_limit_ms(const struct cluster *cluster)
{
	return STOP_DEADLINE_MS + cluster_end_grace_ms(cluster) + SCHEDULER_STOP_GRACE_MS +
		STOP_MARGIN_MS;
}

struct cluster *cluster_create(struct loop *loop, struct children *children,
	struct slurm *slurm, const struct paths *paths, const char *preload,
	const struct cluster_ops *ops, void *arg)
{
	static const struct jobs_ops jobs_ops = {on_jobs_changed};
	struct cluster *cluster = xcalloc(1, sizeof(*cluster));
	_cleanup_free_ char *prefix = paths_job_prefix(paths->name);

	cluster->loop = loop;
	cluster->children = children;
	cluster->slurm = slurm;
	cluster->name = paths->name;
	cluster->nodes_file = paths->nodes_file;
	cluster->pauses_file = paths->pauses_file;
	cluster->access.tls_directory = paths->tls_dir;
	cluster->access.paths = paths;
	cluster->ops = ops;
	cluster->arg = arg;
	cluster->since_ms = loop_now_ms();
	cluster->reconcile = loop_timer_create(loop, cluster_reconcile, cluster);
	cluster->scheduler = scheduler_create(
		loop, children, preload, paths, &cluster_scheduler_ops, cluster);
	cluster->jobs = jobs_create(&jobs_ops, cluster);
	cluster->submissions = submissions_create(
		loop, slurm, cluster->jobs, &cluster_submissions_ops, cluster);
	cluster->poll = poll_create(loop, slurm, prefix, &cluster_poll_ops, cluster);
	cluster->record.path = paths->cluster_file;
	cluster->record.basis_path = paths->basis_file;
	cluster->record.due = record_timer_create(cluster);
	cluster_stall_begin(cluster);
	cluster_nodes_load(cluster);
	cluster_pauses_load(cluster);
	return cluster;
}

struct cluster *cluster_destroy(struct cluster *cluster)
{
	if (!cluster)
		return NULL;
	cluster_stall_end(cluster);
	python_search_cancel(cluster->python_search);
	poll_destroy(cluster->poll);
	cluster_place_finish(cluster);
	submissions_destroy(cluster->submissions);
	jobs_destroy(cluster->jobs);
	scheduler_destroy(cluster->scheduler);
	loop_timer_destroy(cluster->reconcile);
	loop_timer_destroy(cluster->record.due);
	json_decref(cluster->record.saved);
	json_decref(cluster->record.basis);
	cluster_adopt_forget(cluster);
	cluster_failure_clear(cluster);
	bad_nodes_clear(&cluster->nodes);
	cluster_access_end(cluster);
	free(cluster->access.interface);
	cluster_request_finish(&cluster->request);
	cluster_size_finish(cluster);
	notices_finish(&cluster->notices);
	strv_finish(&cluster->strays);
	strv_finish(&cluster->unconfirmed);
	json_decref(cluster->load);
	json_decref(cluster->shares);
	json_decref(cluster->chosen_shares);
	json_decref(cluster->leaving);
	free(cluster->unit.why);
	free(cluster->end_error);
	free(cluster->failure_log);
	free(cluster->log_dir);
	free(cluster->python);
	free(cluster->python_version);
	free(cluster->address);
	free(cluster);
	return NULL;
}
