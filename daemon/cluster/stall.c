/* stall.c: state files that cannot be written, because their file system does not answer. Part of
 * the cluster.
 *
 * The computation goes on without them. What waits is what the next dracod would have to know: new
 * jobs, above all. */
#include "daemon/cluster/stall.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/cluster/model.h"
#include "daemon/cluster/submission.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/io/statequeue.h"

#define TELL_MS 3000 /* the user is told when something has waited for so long */

static void on_written(void *arg)
{
	struct cluster *cluster = arg;

	submissions_recorded(cluster->submissions);
	cluster_wake(cluster, 0);
}

void cluster_stall_begin(struct cluster *cluster)
{
	statequeue_listen(on_written, cluster);
}

void cluster_stall_end(struct cluster *cluster)
{
	statequeue_listen(NULL, NULL);
	statequeue_forget(cluster);
}

static void tell(struct cluster *cluster, int64_t since_ms)
{
	time_t then = time(NULL) - (time_t)((loop_now_ms() - since_ms) / 1000);
	const char *path = cluster->record.path;
	const char *text;
	char since[16];
	struct tm local;

	localtime_r(&then, &local);
	strftime(since, sizeof(since), "%H:%M:%S", &local);
	text = cluster_tell(cluster, NOTICE_STALL, NULL,
		"the file system of %.*s has not answered since %s: the computation goes on, and "
		"new jobs are requested when it answers",
		(int)(strrchr(path, '/') - path), path, since);
	history_note(EVENT_FAILURE, "dracod", NULL, "%s", text);
}

void cluster_check_stall(struct cluster *cluster)
{
	int64_t since_ms = statequeue_waits_since_ms();
	bool stalls = since_ms > 0 && cluster_is_due(cluster, since_ms + TELL_MS);

	bool told = cluster_told(cluster, NOTICE_STALL, NULL) != NULL;

	if (stalls && !told)
		tell(cluster, since_ms);
	if (stalls || !told)
		return;
	history_note(EVENT_NOTE, "dracod", NULL, "its file system answers again");
	cluster_withdraw(cluster, NOTICE_STALL, NULL);
}
