/* worker_start.c: the fall-back from forkserver to spawn. Part of the cluster. */
#include "daemon/cluster/worker_start.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/logdir.h"
#include "daemon/cluster/ends.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/dask/jobscript.h"
#include "daemon/io/loop.h"
#include "daemon/io/writer.h"
#include "daemon/policy/worker_start.h"

char *cluster_spawn_mark(const struct cluster *cluster)
{
	return xasprintf("%s/" LOGDIR_SPAWN, cluster->log_dir);
}

/* Half of worker_timeout, so that spawn still has time before the start fails. */
static int64_t patience_ms(const struct cluster *cluster)
{
	return cluster->request.settings.worker_timeout_ms / 2;
}

/* "dask worker" sometimes exits with 0 although its workers died before they connected. */
static bool has_failed(const struct job *job)
{
	return job->phase == PHASE_GONE &&
		(job->end_state == STATE_FAILED || job->end_state == STATE_COMPLETED) &&
		jobscript_workers_may_exit(job->exit_status);
}

static enum worker_start_verdict judge(const struct cluster *cluster, const struct job *job)
{
	return worker_start_judge(&(struct worker_start_facts){
		.forkserver = job->forkserver,
		.phase = job->phase,
		.failed = has_failed(job),
		.was_connected = job->was_connected,
		.was_ready = job->was_ready,
		.had_work = cluster->had_work,
		.processes = job->processes,
		.early_deaths = job->early_deaths,
		.running_ms = loop_now_ms() - job->running_since_ms,
		.patience_ms = patience_ms(cluster),
	});
}

/* The file that tells jobs which are waiting already. */
struct mark {
	char *path;
	int error; /* an errno; 0: none */
};

static void make_mark(void *arg)
{
	struct mark *mark = arg;
	int fd = open(mark->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	mark->error = fd < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
}

static void on_mark_made(void *arg)
{
	struct mark *mark = arg;

	if (mark->error)
		log_warning("cannot make %s: %s; jobs that are waiting already will still try "
			    "forkserver",
			mark->path, strerror(mark->error));
	free(mark->path);
	free(mark);
}

static void fall_back(
	struct cluster *cluster, const struct job *job, enum worker_start_verdict verdict)
{
	_cleanup_free_ char *log = cluster_job_log(cluster, job);
	struct mark *mark;

	if (cluster->spawn)
		return;
	cluster->spawn = true;
	cluster_notice(cluster,
		"job %s %s: from now on workers are started by spawn instead of forkserver, "
		"which is "
		"slower (log: %s)",
		job->id, worker_start_text(verdict), log ? log : "none");
	mark = xcalloc(1, sizeof(*mark));
	mark->path = cluster_spawn_mark(cluster);
	writer_run(WRITER_LOGS, make_mark, on_mark_made, mark);
}

bool cluster_forkserver_is_to_blame(struct cluster *cluster, struct job *job)
{
	enum worker_start_verdict verdict = judge(cluster, job);

	if (verdict == WORKER_START_FINE)
		return false;
	fall_back(cluster, job, verdict);
	return true;
}

void cluster_check_worker_start(struct cluster *cluster)
{
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		enum worker_start_verdict verdict;

		if (!job->forkserver || !job_is_running(job) || job->abandoned)
			continue;
		verdict = judge(cluster, job);
		if (verdict != WORKER_START_FINE) {
			fall_back(cluster, job, verdict);
			cluster_end_job(cluster, job, worker_start_text(verdict));
			continue;
		}
		if (job->phase == PHASE_STARTING && !job->was_connected)
			cluster_is_due(cluster, job->running_since_ms + patience_ms(cluster));
	}
}
