/* full.c: workers that are paused because their memory is full. Part of the cluster.
 *
 * Dask pauses a worker above a share of its memory (distributed.worker.memory.pause): it begins no
 * task until it has less. Where all of them are paused and nothing lets go of the results, tasks
 * wait for ever. */
#include "daemon/cluster/full.h"

#include <inttypes.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"

#define SETTLE_MS 5000 /* a worker that writes results to its disk has room again in less */

static void withdraw(struct cluster *cluster)
{
	cluster_withdraw(cluster, NOTICE_FULL, NULL);
	cluster->size.limits.full_workers = 0;
}

static char *describe(const struct demand *demand, int64_t connected)
{
	_cleanup_free_ char *above = demand->pause_percent > 0
		? xasprintf(" above %" PRId64 " %%", demand->pause_percent)
		: xstrdup(" is full");

	return xasprintf(
		"%" PRId64 " of %" PRId64 " workers are paused: memory%s; tasks wait "
		"until results are released, or for workers with more memory (settings "
		"memory and processes)",
		connected, connected, above);
}

void cluster_check_full(struct cluster *cluster)
{
	struct cluster_size *size = &cluster->size;
	const struct demand *demand = &size->demand;
	int64_t connected = jobs_count(cluster->jobs).connected;
	_cleanup_free_ char *text = NULL;

	if (connected == 0 || demand->paused < connected || demand->ready == 0) {
		size->full_since_ms = 0;
		withdraw(cluster);
		return;
	}
	if (!size->full_since_ms)
		size->full_since_ms = loop_now_ms();
	if (!cluster_is_due(cluster, size->full_since_ms + SETTLE_MS))
		return;
	size->limits.full_workers = connected;
	text = describe(demand, connected);
	if (!cluster_told(cluster, NOTICE_FULL, NULL))
		history_failure("cluster", cluster->name, NULL, "%s", text);
	cluster_tell(cluster, NOTICE_FULL, NULL, "%s", text);
}
