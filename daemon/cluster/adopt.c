/* adopt.c: goes on with the cluster of an earlier dracod, after a crash or an upgrade. Part of the
 * cluster.
 *
 * The record gives what was wanted and asked for. Slurm's queue and the hello of the scheduler's
 * plugin give what is true now: the phases of jobs, and their workers. Both are awaited before
 * anything is decided. */
#include "daemon/cluster/adopt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/host.h"
#include "common/number.h"
#include "common/slurm_msg.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/record.h"
#include "daemon/dask/scheduler.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/slurm/poll.h"

#define QUERY_AGAIN_MS	   1000
#define SUBMISSIONS_UNSEEN 16 /* more than dracod has under way at once */

int cluster_adopt_check(const json_t *record, struct err *err)
{
	struct record_scheduler scheduler;
	bool may_have_none;

	record_scheduler(record, &scheduler);
	may_have_none =
		scheduler.port || record_was_starting(record) || record_is_stopping(record);
	if (!record_is_of_this_boot(record))
		return err_set(err, -EXDEV,
			"it was on another host, or before this one was booted, and its scheduler "
			"with it");
	if (scheduler.pid ? host_process_start(scheduler.pid) != scheduler.start
			  : !may_have_none)
		return err_set(err, -ESRCH, "its scheduler has ended, too");
	return 0;
}

/* Describe what runs on. */
static void tell(struct cluster *cluster)
{
	struct cluster_adoption *adoption = &cluster->adoption;
	int64_t jobs = jobs_count(cluster->jobs).in_slurm;
	_cleanup_free_ char *jobs_text =
		xasprintf("%" PRId64 " job%s", jobs, jobs == 1 ? "" : "s");
	bool scheduler = scheduler_pid(cluster->scheduler) != 0;
	char when[32] = "";
	struct tm local;

	if (adoption->alone_since) {
		localtime_r(&adoption->alone_since, &local);
		strftime(when, sizeof(when), " at %H:%M", &local);
	}
	if (adoption->killed && jobs == 0 && !scheduler)
		adoption->text = xasprintf("dracod was killed%s; %s", when,
			cluster->state == CLUSTER_STARTING ? "its start goes on"
							   : "nothing of its cluster runs");
	else if (adoption->killed)
		adoption->text = xasprintf("dracod was killed%s; %s%s run%s on", when,
			jobs > 0 ? jobs_text : "",
			!scheduler	   ? ""
				: jobs > 0 ? " and the scheduler"
					   : "the scheduler",
			(jobs > 0) + scheduler + (jobs > 1) > 1 ? "" : "s");
	history_note(EVENT_NOTE, "dracod", NULL, "%s",
		adoption->text ? adoption->text : "goes on after a restart");
}

/* The record was damaged. The jobs come from the queue. */
static void begin_to_rebuild(struct cluster *cluster, const char *damage)
{
	cluster->adoption.rebuilds = true;
	cluster_notice(cluster,
		"%s: the cluster goes on with the jobs that Slurm's queue shows, and with what "
		"its scheduler tells",
		damage);
}

void cluster_adopt_begin(struct cluster *cluster, const json_t *record)
{
	struct cluster_adoption *adoption = &cluster->adoption;
	struct record_scheduler scheduler;

	record_scheduler(record, &scheduler);
	*adoption = (struct cluster_adoption){
		.port = scheduler.port,
		.waits = true,
		.unread = true,
		.ungreeted = scheduler_state(cluster->scheduler) == SCHEDULER_UP,
		.killed = !record_is_handed_over(record),
		.until_ms = loop_now_ms() + ADOPT_PATIENCE_MS,
	};
	history_note(EVENT_DECISION, "cluster", cluster->name, "goes on with %s, logs in %s",
		cluster->id, cluster->log_dir);
	if (record_damage(record))
		begin_to_rebuild(cluster, record_damage(record));
	cluster_go_on(
		cluster, record_was_starting(record) ? CLUSTER_STARTING : CLUSTER_RUNNING);
	if (record_is_stopping(record)) {
		adoption->waits = false;
		tell(cluster);
		cluster_stop(cluster, "the former dracod was stopping it");
	}
	poll_within(cluster->poll, 0);
	cluster_wake(cluster, 0);
}

bool cluster_adopt_waits(struct cluster *cluster)
{
	struct cluster_adoption *adoption = &cluster->adoption;

	if (!adoption->waits && !cluster_is_blind(cluster))
		return false;
	if (!adoption->waits) {
		poll_within(cluster->poll, QUERY_AGAIN_MS);
		return true;
	}
	if ((adoption->unread || adoption->ungreeted) &&
		!cluster_is_due(cluster, adoption->until_ms)) {
		if (adoption->unread)
			poll_within(cluster->poll, QUERY_AGAIN_MS);
		return true;
	}
	adoption->waits = false;
	tell(cluster);
	cluster->ops->changed(cluster->arg);
	return cluster_adopt_waits(cluster);
}

void cluster_adopt_job(struct cluster *cluster, const struct slurm_job *report)
{
	const char *dot = strrchr(report->name, '.');
	int submission = dot ? atoi(dot + 1) : 0;
	struct job *job;

	if (!cluster_is_blind(cluster))
		return;
	/* The next submission must not look like one that is in the queue, or still comes there. */
	cluster->submission_count =
		max_of(cluster->submission_count, submission + SUBMISSIONS_UNSEEN);
	if (slurm_state_is_end(report->state) ||
		jobs_find(cluster->jobs, report->job_id, report->task, report->name))
		return;
	job = jobs_add(cluster->jobs, report->name,
		report->task == SLURM_NO_TASK ? 0 : report->task, &cluster->request.settings);
	jobs_set_id(cluster->jobs, job, report->job_id, report->task);
}

void cluster_adopt_failed(struct cluster *cluster, const struct err *err)
{
	cluster_adopt_forget(cluster);
	cluster->adoption.text = xasprintf(
		"dracod was killed, and its cluster cannot go on: %s; what is left of it is ended",
		err->text);
}

void cluster_adopt_queue(struct cluster *cluster)
{
	cluster->adoption.unread = false;
}

void cluster_adopt_hello(struct cluster *cluster, double alone_s)
{
	struct cluster_adoption *adoption = &cluster->adoption;

	adoption->ungreeted = false;
	if (adoption->waits && alone_s > 0)
		adoption->alone_since = time(NULL) - (time_t)alone_s;
	cluster_wake(cluster, 0);
}

void cluster_adopt_forget(struct cluster *cluster)
{
	xreplace(&cluster->adoption.text, NULL);
	cluster->adoption = (struct cluster_adoption){0};
}

const char *cluster_adopt_text(const struct cluster *cluster)
{
	return cluster->adoption.text;
}
