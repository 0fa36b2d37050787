/* scheduler.c: starts the cluster's Dask scheduler and applies the reports of its preload. Part of
 * the cluster. */
#include "daemon/cluster/scheduler.h"
#include "daemon/cluster/deaths.h"

#include <errno.h>
#include <inttypes.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/json.h"
#include "common/logdir.h"
#include "common/port.h"
#include "common/slurm_variables.h"
#include "daemon/cluster/access.h"
#include "daemon/cluster/adopt.h"
#include "daemon/cluster/brim.h"
#include "daemon/cluster/giveback.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/lifetime.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/pulse.h"
#include "daemon/cluster/record.h"
#include "daemon/cluster/shares.h"
#include "daemon/cluster/unit.h"
#include "daemon/dask/scheduler.h"

/* How long a scheduler without dracod and without work lives, as in draco_scheduler.py; the setting
 * idle_shutdown may say less. */
#define ALONE_MS 600000

static int choose_port(const struct cluster *cluster, struct err *err)
{
	int first, last, port;

	if (cluster->adoption.port) /* there jobs of the former dracod look for it */
		return cluster->adoption.port;
	if (!settings_ports(&cluster->request.settings, SETTING_SCHEDULER_PORT, &first, &last))
		return port_choose(cluster->address, err);
	port = port_choose_in(cluster->address, first, last, cluster->name, err);
	if (port < 0)
		err_prefix(err, "scheduler_port %s", cluster->request.settings.scheduler_port);
	return port;
}

/* The scheduler at this port, for the cluster's settings and facts. */
static void describe(const struct cluster *cluster, int port, struct scheduler_spec *ret)
{
	const struct strv *environment = &cluster->request.environment;
	int64_t idle_ms = cluster->request.settings.idle_shutdown_ms;

	ret->python = xstrdup(cluster->python);
	ret->cluster_id = xstrdup(cluster->id);
	ret->host = xstrdup(cluster->address);
	ret->port = port;
	ret->log_path = xasprintf("%s/" LOGDIR_SCHEDULER, cluster->log_dir);
	ret->directory = xstrdup(cluster->request.directory);
	ret->timeout_ms = cluster->request.settings.scheduler_timeout_ms;
	ret->silence_ms = cluster->request.settings.scheduler_silence_ms;
	for (size_t i = 0; i < environment->count; i++)
		if (!slurm_variable_is_inherited(environment->item[i]))
			strv_add(&ret->environment, environment->item[i]);
	if (idle_ms > 0 && idle_ms < ALONE_MS)
		strv_addf(&ret->environment, "DRACO_ORPHAN_TIMEOUT=%" PRId64,
			(idle_ms + 999) / 1000);
	ret->fair_share = cluster->request.settings.fair_share;
	strv_copy(&ret->options, &cluster->request.settings.scheduler_options);
	cluster_access_scheduler(cluster, ret);
}

void cluster_start_scheduler(struct cluster *cluster)
{
	struct err err = ERR_INIT;
	struct scheduler_spec spec = {0};
	int port = choose_port(cluster, &err);

	if (port < 0) {
		cluster_fail(cluster, &err, NULL);
		return;
	}
	if (cluster_access_plan(cluster, &err) < 0) {
		cluster_fail(cluster, &err, NULL);
		return;
	}
	describe(cluster, port, &spec);
	scheduler_start(cluster->scheduler, &spec);
}

int cluster_adopt_scheduler(
	struct cluster *cluster, const struct record_scheduler *recorded, struct err *err)
{
	struct scheduler_spec spec = {0};

	if (!cluster->python || !cluster->address)
		return err_set(err, -EBADMSG, "%s does not say how its scheduler was started",
			cluster->record.path);
	describe(cluster, recorded->port, &spec);
	if (scheduler_adopt(cluster->scheduler, &spec, recorded->pid, recorded->since_ms))
		return 0;
	scheduler_spec_finish(&spec);
	return err_set(err, -ESRCH, "its scheduler has ended, too");
}

/* Is it another state than that of the first start, in which jobs wait for the scheduler? */
static bool has_gone(const struct cluster *cluster)
{
	return cluster->milestone_ms[MILESTONE_SCHEDULER] >= 0 ||
		scheduler_state(cluster->scheduler) == SCHEDULER_BACKOFF;
}

static void on_changed(void *arg)
{
	struct cluster *cluster = arg;

	if (scheduler_state(cluster->scheduler) == SCHEDULER_UP) {
		cluster_reached(cluster, MILESTONE_SCHEDULER);
	} else {
		jobs_workers_clear(cluster->jobs, has_gone(cluster));
		cluster->adoption.ungreeted = false; /* there is nobody to greet */
		cluster_unit_finish(cluster);
	}
	cluster_set_load(cluster, NULL);
	cluster_pulse_finish(cluster);
	cluster_brim_finish(cluster);
	if (scheduler_state(cluster->scheduler) == SCHEDULER_BACKOFF &&
		scheduler_memory_end(cluster->scheduler))
		cluster_notice(cluster, "the Dask scheduler %s: its results are lost",
			scheduler_memory_end(cluster->scheduler));
	record_save(cluster); /* a process that no record names could not be adopted */
	cluster_wake(cluster, 0);
	cluster->ops->changed(cluster->arg);
}

static void on_failed(void *arg, const struct err *err)
{
	struct cluster *cluster = arg;

	cluster_fail(cluster, err, scheduler_log_path(cluster->scheduler));
}

const struct scheduler_ops cluster_scheduler_ops = {on_changed, on_failed};

void cluster_worker_added(
	struct cluster *cluster, const char *name, const char *address, int64_t threads)
{
	/* Threads that the user chose do not tell the cores. */
	jobs_worker_added(
		cluster->jobs, name, address, cluster->request.settings.threads ? 0 : threads);
}

int cluster_scheduler_hello(struct cluster *cluster, const json_t *hello, struct err *err)
{
	int r = scheduler_hello(cluster->scheduler, hello, err);
	const json_t *worker;
	size_t i;

	if (r < 0)
		return r;
	cluster_access_hello(cluster, hello);
	jobs_workers_clear(cluster->jobs, false);
	json_array_foreach (json_object_get(hello, "workers"), i, worker) {
		const char *address = json_get_text(worker, "address", "");

		cluster_worker_added(cluster, json_get_text(worker, "name", ""), address,
			json_get_integer(worker, "threads", 0));
		jobs_worker_load(cluster->jobs, address, json_get_integer(worker, "tasks", 0),
			json_get_integer(worker, "bytes", 0));
	}
	cluster_adopt_hello(cluster, (double)json_get_ms(hello, "alone_s") / 1000);
	cluster_giveback_hello(cluster);
	cluster_lifetime_hello(cluster);
	cluster_shares_hello(cluster);
	return 0;
}

void cluster_scheduler_lost(struct cluster *cluster)
{
	scheduler_lost(cluster->scheduler);
}

void cluster_worker_removed(
	struct cluster *cluster, const char *address, bool asked, const json_t *death)
{
	if (!asked)
		cluster_note_death(cluster, address, death);
	jobs_worker_removed(cluster->jobs, address, asked);
}

/* workers: [[address, tasks, bytes], ...], only those that have changed. */
void cluster_workers_load(struct cluster *cluster, const json_t *workers)
{
	const json_t *worker;
	size_t i;

	json_array_foreach (workers, i, worker) {
		const char *address = json_string_value(json_array_get(worker, 0));

		if (address)
			jobs_worker_load(cluster->jobs, address,
				json_integer_value(json_array_get(worker, 1)),
				json_integer_value(json_array_get(worker, 2)));
	}
	cluster_wake(cluster, 0);
}

void cluster_set_load(struct cluster *cluster, const json_t *load)
{
	json_decref(cluster->load);
	cluster->load = json_deep_copy(load);
	demand_parse(load, &cluster->size.demand);
	cluster->had_work |= cluster->size.demand.tasks > 0;
	cluster_wake(cluster, 0);
}
