/* deaths.c: tells of workers that died of memory. Part of the cluster.
 *
 * The preload tells what each worker did when it left without being asked. If its process had
 * nearly all the memory that it may have, memory was why: the nanny, or the kernel, has ended it.
 * Otherwise its last words are kept for the case that Slurm calls the end of its job one of
 * memory. */
#include "daemon/cluster/deaths.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/policy/death.h"
#include "daemon/policy/failure.h"

#define SERIES_MS \
	10000 /* deaths within this time are one notice: a task kills several workers */
#define KEPT_MS	  3600000 /* for how long the notice stays */
#define RECENT_MS 60000	  /* a death so long before the end of its job may be why it ended */

static void tell(struct cluster *cluster, const struct job *job, const char *what)
{
	struct cluster_deaths *deaths = &cluster->deaths;
	_cleanup_free_ char *hint = failure_memory_hint(job->processes, job->memory_mib);
	int64_t now = loop_now_ms();
	time_t clock = time(NULL);
	struct tm local;
	char when[16] = "";
	const char *text;

	if (cluster_told(cluster, NOTICE_DEATH, NULL) && deaths->told_ms &&
		now - deaths->told_ms < SERIES_MS) {
		history_note(
			EVENT_NOTE, "job", job->id, "another worker died of memory: %s", what);
		return;
	}
	localtime_r(&clock, &local);
	strftime(when, sizeof(when), "%H:%M:%S", &local);
	deaths->told_ms = now;
	text = cluster_tell(cluster, NOTICE_DEATH, NULL,
		"a worker of job %s died of memory at %s: %s; %s", job->id, when, what, hint);
	if (text)
		history_failure("cluster", cluster->name, NULL, "%s", text);
}

void cluster_note_death(struct cluster *cluster, const char *address, const json_t *death)
{
	const struct worker *worker = jobs_find_worker(cluster->jobs, address);
	struct job *job = worker ? worker->job : NULL;
	bool of_memory = death_is_of_memory(death);
	_cleanup_free_ char *what = death_describe(death);

	if (!job || !what)
		return;
	/* One of memory says more than those that leave with their job. */
	if (of_memory || !cluster_last_death(job)) {
		xreplace(&job->death, what);
		job->death_ms = loop_now_ms();
	}
	if (of_memory && job_phase_is_alive(job->phase) && job->phase != PHASE_ENDING)
		tell(cluster, job, what);
}

const char *cluster_last_death(const struct job *job)
{
	return job->death && loop_now_ms() - job->death_ms <= RECENT_MS ? job->death : NULL;
}

void cluster_check_deaths(struct cluster *cluster)
{
	struct cluster_deaths *deaths = &cluster->deaths;

	if (!cluster_told(cluster, NOTICE_DEATH, NULL))
		return;
	if (!deaths->told_ms) /* an earlier dracod has told it */
		deaths->told_ms = loop_now_ms();
	if (cluster_is_due(cluster, deaths->told_ms + KEPT_MS))
		cluster_withdraw(cluster, NOTICE_DEATH, NULL);
}
