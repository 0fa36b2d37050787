/* shares.c: tells the preload in the scheduler the shares that the attached programs have of the
 * cluster, whenever they change. Part of the cluster. */
#include "daemon/cluster/shares.h"

#include <errno.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/log.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/record.h"

#define ASK_DEADLINE_MS 10000
#define AGAIN_MS	1000

void cluster_set_shares(struct cluster *cluster, json_t *shares)
{
	if (cluster->shares ? json_equal(cluster->shares, shares)
			    : json_object_size(shares) == 0) {
		json_decref(shares);
		return;
	}
	json_decref(cluster->shares);
	cluster->shares = shares;
	cluster_shares_hello(cluster);
}

void cluster_choose_share(struct cluster *cluster, const char *client, const json_t *share)
{
	if (!*client)
		return;
	if (!cluster->chosen_shares)
		cluster->chosen_shares = json_object();
	json_object_set(cluster->chosen_shares, client, UNCONST(share));
	record_touch(cluster);
}

void cluster_shares_hello(struct cluster *cluster)
{
	cluster->shares_due = true;
	cluster_wake(cluster, 0);
}

static void on_told(void *arg, const json_t *result, const struct err *err)
{
	(void)arg;
	if (!result)
		log_warning("scheduler: %s", err->text);
}

void cluster_shares_settle(struct cluster *cluster)
{
	int r;

	if (!cluster->shares_due || !cluster->shares)
		return;
	r = cluster->ops->ask_scheduler(cluster->arg, "share",
		json_pack("{s:O}", "programs", cluster->shares), ASK_DEADLINE_MS, on_told,
		cluster);
	if (r == -EBUSY)
		cluster_wake(cluster, AGAIN_MS);
	else /* without a connection, the next hello comes back to this */
		cluster->shares_due = false;
}
