/* scheduler.c: starts the cluster's Dask scheduler and applies the reports of its preload. Part of
 * the cluster. */
#include "daemon/cluster/scheduler.h"

#include "common/alloc.h"
#include "common/err.h"
#include "common/json.h"
#include "common/logdir.h"
#include "common/port.h"
#include "common/slurm_variables.h"
#include "daemon/cluster/access.h"
#include "daemon/cluster/giveback.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/lifetime.h"
#include "daemon/cluster/model.h"
#include "daemon/dask/scheduler.h"

static int choose_port(const struct cluster *cluster, struct err *err)
{
	int first, last, port;

	if (!settings_scheduler_ports(&cluster->request.settings, &first, &last))
		return port_choose(cluster->address, err);
	port = port_choose_in(cluster->address, first, last, cluster->name, err);
	if (port < 0)
		err_prefix(err, "scheduler_port %s", cluster->request.settings.scheduler_port);
	return port;
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
	spec.python = xstrdup(cluster->python);
	spec.cluster_id = xstrdup(cluster->id);
	spec.host = xstrdup(cluster->address);
	spec.port = port;
	spec.log_path = xasprintf("%s/" LOGDIR_SCHEDULER, cluster->log_dir);
	spec.directory = xstrdup(cluster->request.directory);
	spec.timeout_ms = cluster->request.settings.scheduler_timeout_ms;
	for (size_t i = 0; i < cluster->request.environment.count; i++)
		if (!slurm_variable_is_inherited(cluster->request.environment.item[i]))
			strv_add(&spec.environment, cluster->request.environment.item[i]);
	strv_copy(&spec.options, &cluster->request.settings.scheduler_options);
	if (cluster_access_scheduler(cluster, &spec, &err) < 0) {
		scheduler_spec_finish(&spec);
		cluster_fail(cluster, &err, NULL);
		return;
	}
	scheduler_start(cluster->scheduler, &spec);
}

static void on_changed(void *arg)
{
	struct cluster *cluster = arg;

	if (scheduler_state(cluster->scheduler) == SCHEDULER_UP)
		cluster_reached(cluster, MILESTONE_SCHEDULER);
	else
		jobs_workers_clear(cluster->jobs);
	cluster_set_load(cluster, NULL);
	cluster_wake(cluster, 0);
	cluster->ops->changed(cluster->arg);
}

static void on_failed(void *arg, const struct err *err)
{
	struct cluster *cluster = arg;

	cluster_fail(cluster, err, scheduler_log_path(cluster->scheduler));
}

const struct scheduler_ops cluster_scheduler_ops = {on_changed, on_failed};

int cluster_scheduler_hello(struct cluster *cluster, const json_t *hello, struct err *err)
{
	int r = scheduler_hello(cluster->scheduler, hello, err);
	const json_t *worker;
	size_t i;

	if (r < 0)
		return r;
	cluster_access_hello(cluster, hello);
	jobs_workers_clear(cluster->jobs);
	json_array_foreach (json_object_get(hello, "workers"), i, worker) {
		const char *address = json_get_text(worker, "address", "");

		jobs_worker_added(cluster->jobs, json_get_text(worker, "name", ""), address);
		jobs_worker_load(cluster->jobs, address, json_get_integer(worker, "tasks", 0),
			json_get_integer(worker, "bytes", 0));
	}
	cluster_giveback_hello(cluster);
	cluster_lifetime_hello(cluster);
	return 0;
}

void cluster_scheduler_lost(struct cluster *cluster)
{
	scheduler_lost(cluster->scheduler);
}

void cluster_worker_added(struct cluster *cluster, const char *name, const char *address)
{
	jobs_worker_added(cluster->jobs, name, address);
}

void cluster_worker_removed(struct cluster *cluster, const char *address, bool asked)
{
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
