/* find.c: what a start has to find out first: the Python, and this host's address. */
#include "daemon/cluster/find.h"

#include <errno.h>

#include "common/alloc.h"
#include "common/json.h"
#include "common/log.h"
#include "common/number.h"
#include "daemon/cluster/access.h"
#include "daemon/cluster/model.h"
#include "daemon/dask/python.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/slurm/helper.h"

#define SITE_DEADLINE_MS 20000
#define SITE_PATIENCE_MS 15000 /* how long a start waits for a Slurm that was never reached */
#define SITE_PAUSE_MS	 1000

static void on_python(void *arg, const struct python *found, const struct err *err)
{
	struct cluster *cluster = arg;

	cluster->python_search = NULL;
	if (!found) {
		cluster_fail(cluster, err, NULL);
		return;
	}
	history_note(EVENT_NOTE, "cluster", cluster->name, "Python %s with distributed %s: %s",
		found->version, found->distributed, found->path);
	cluster->python = xstrdup(found->path);
	cluster->python_version = xstrdup(found->version);
	cluster_wake(cluster, 0);
}

static void on_site(
	void *arg, enum slurm_outcome outcome, const json_t *result, const struct err *err)
{
	struct cluster *cluster = arg;
	struct err told = ERR_INIT;

	cluster->site_asked = false;
	if (!cluster->wanted || cluster->state != CLUSTER_STARTING) {
		cluster_wake(cluster, 0);
		return;
	}
	if (outcome == OUTCOME_DONE) {
		cluster->array_max = max_of(json_get_integer(result, "array_max", 1), 1);
		cluster->ops->slurm_told(cluster->arg, json_object_get(result, "slurm"));
		log_info("slurm: slurmctld on %s, reached from %s",
			json_get_text(result, "controller", "?"),
			json_get_text(result, "address", "?"));
		if (cluster_access_choose_address(cluster, result, &told) < 0)
			cluster_fail(cluster, &told, NULL);
		cluster_wake(cluster, 0);
	} else if (outcome == OUTCOME_UNUSABLE || outcome == OUTCOME_REFUSED) {
		err_set(&told, -EIO, "Slurm cannot be used: %s (does sinfo work on this host?)",
			err->text);
		cluster_fail(cluster, &told, NULL);
	} else if (loop_now_ms() - cluster->started_ms > SITE_PATIENCE_MS) {
		err_set(&told, -EIO,
			"Slurm does not answer: %s (does sinfo work on this host?)", err->text);
		cluster_fail(cluster, &told, NULL);
	} else {
		cluster_wake(cluster, SITE_PAUSE_MS);
	}
}

bool cluster_find_out(struct cluster *cluster)
{
	if (!cluster->python && !cluster->python_search)
		cluster->python_search = python_search_start(cluster->loop, cluster->children,
			cluster->request.settings.python, &cluster->request.environment,
			on_python, cluster);
	if (!cluster->address && !cluster->site_asked &&
		slurm_request(cluster->slurm, "site", cluster_access_question(cluster),
			SITE_DEADLINE_MS, on_site, cluster) == 0)
		cluster->site_asked = true;
	return cluster->python && cluster->address;
}
