/* brim.c: a Dask scheduler whose memory is nearly full. Part of the cluster.
 *
 * The kernel ends a process without a word when the host, or a cgroup such as that of the user, has
 * no memory left. With the scheduler all results are lost, so the user is told before. */
#include "daemon/cluster/brim.h"

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/parse.h"
#include "daemon/cluster/model.h"
#include "daemon/dask/scheduler.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/policy/memory_use.h"

#define EVERY_MS 15000

static void tell(struct cluster *cluster, const struct memory_use *use)
{
	_cleanup_free_ char *room = memory_room_text(use);
	char used[FORMAT_MAX];
	const char *text = cluster_tell(cluster, NOTICE_MEMORY, NULL,
		"the Dask scheduler (process %d) uses %s of memory, and only %s is left: when that "
		"is used up, the kernel ends the scheduler, and all results are lost. Fewer tasks "
		"at a time, and fewer results that are kept, need less",
		scheduler_pid(cluster->scheduler), format_bytes(use->used, used), room);
	history_failure("scheduler", NULL, scheduler_log_path(cluster->scheduler), "%s", text);
}

void cluster_check_brim(struct cluster *cluster)
{
	struct cluster_brim *brim = &cluster->brim;
	const struct memory_use *use;
	bool told;

	if (scheduler_state(cluster->scheduler) != SCHEDULER_UP ||
		!cluster_is_due(cluster, brim->next_ms))
		return;
	brim->next_ms = loop_now_ms() + EVERY_MS;
	cluster_is_due(cluster, brim->next_ms);
	use = scheduler_look(cluster->scheduler);
	told = cluster_told(cluster, NOTICE_MEMORY, NULL) != NULL;
	if (!memory_is_short(use, told))
		cluster_withdraw(cluster, NOTICE_MEMORY, NULL);
	else if (!told)
		tell(cluster, use);
}

void cluster_brim_finish(struct cluster *cluster)
{
	cluster_withdraw(cluster, NOTICE_MEMORY, NULL);
	cluster->brim.next_ms = 0;
}
