/* size.c: the cluster's size: gives the model to the pure policies (scaling, fleet, handover) and
 * carries out their decisions. Part of the cluster. */
#include "daemon/cluster/size.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/number.h"
#include "common/parse.h"
#include "common/paths.h"
#include "daemon/cluster/full.h"
#include "daemon/cluster/giveback.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/lifetime.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/place.h"
#include "daemon/cluster/shares.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"

#define TOLD_MAX 16

void cluster_size_finish(struct cluster *cluster)
{
	strv_finish(&cluster->size.told);
	xreplace(&cluster->size.paused, NULL);
	cluster->size.full_since_ms = 0;
}

void cluster_size_begin(struct cluster *cluster)
{
	struct cluster_size *size = &cluster->size;
	struct hold_state hold = size->fleet.hold;

	cluster_size_finish(cluster);
	*size = (struct cluster_size){.unused_since_ms = -1};
	scaling_limits_of(&cluster->request.settings, &size->limits);
	scaling_state_init(&size->scaling);
	fleet_state_init(&size->fleet);
	/* What was learned about the user's pauses holds for the next cluster, too. */
	size->fleet.hold = hold;
	hold_restart(&size->fleet.hold);
	hold_choose(&size->fleet.hold, cluster->request.settings.idle_hold_ms, 0);
	size->target.jobs = size->limits.minimum_jobs;
}

static void describe(const struct job *job, struct fleet_job *ret)
{
	*ret = (struct fleet_job){
		/* A booting job has its nodes, like a running one. */
		.phase = job->booting_since_ms && job_is_pending(job) ? PHASE_STARTING
								      : job->phase,
		.phase_since_ms = job->phase_since_ms,
		.busy = job->busy,
		.idle_since_ms = job->idle_since_ms,
		.bytes = job->bytes,
		.end_ms = cluster_job_end_ms(job),
		.walltime_ms = cluster_job_length_ms(job),
		.hold_ms = job->hold_ms,
		.by_hand = job->by_hand,
		.worn = job->worn,
	};
	if (ret->phase == PHASE_STARTING && job->phase_since_ms > ret->idle_since_ms)
		ret->idle_since_ms = job->phase_since_ms;
}

/* Slurm's predicted wait in the place in use, in ms. */
static int64_t predicted_wait_ms(const struct cluster *cluster)
{
	const struct placement *placement = &cluster->place.placement;
	int at = placement_choose(
		placement, time(NULL), cluster->request.settings.wait_timeout_ms / 1000);
	int64_t wait_s;

	if (at < 0 || placement->candidate[at].verdict != PLACEMENT_PREDICTED)
		return 0;
	wait_s = (int64_t)placement->candidate[at].start - (int64_t)time(NULL);
	return wait_s > 0 ? wait_s * 1000 : 0;
}

/* suspended: jobs that count as missing, and yet belong to the maximum. */
static void limits_of(
	const struct cluster *cluster, int64_t suspended, struct fleet_limits *ret)
{
	const struct settings *s = &cluster->request.settings;
	const struct cluster_size *size = &cluster->size;

	*ret = (struct fleet_limits){
		.target = min_of(
			size->target.jobs, max_of(size->limits.maximum_jobs - suspended, 0)),
		.maximum = size->limits.maximum_jobs,
		.backlog = s->backlog,
		.idle_hold_ms = s->idle_hold_ms,
		.wait_ms = handover_usual_ms(&size->waits),
		.boot_ms = handover_usual_ms(&size->boots),
		.lead_ms = handover_lead_ms(&size->waits, predicted_wait_ms(cluster)),
		.margin_ms = s->handover_margin_ms,
		.longest_ms = (int64_t)(size->demand.longest_s * 1000),
		.by_hand = size->limits.fixed_jobs >= 0,
		/* Before the hello nobody knows what the workers do. */
		.paused = size->paused != NULL || cluster->adoption.ungreeted,
		.may_submit = !cluster->place.placer && loop_now_ms() >= cluster->hold_until_ms,
	};
}

static const char *why_of(const struct fleet_job *job, bool by_hand)
{
	if (job->by_hand)
		return "retired by hand";
	if (job->holds)
		return "its data has nowhere to go";
	if (job->action == FLEET_UNDRAIN)
		return "it is needed again";
	if (job->action == FLEET_RETIRE && job->forced)
		return "its time is over";
	if (job->action == FLEET_RETIRE)
		return "its tasks are done";
	if (job->worn)
		return "some of its workers are gone";
	if (job->expiring)
		return "its walltime ends soon";
	if (by_hand)
		return "the size was set by hand";
	return job->forced ? "there are more jobs than the maximum" : "not needed any more";
}

/* Learn from each job how long it waited in the queue, and how long its workers took to come. */
static void observe(struct cluster_size *size, struct job *job)
{
	if (!job->ready_since_ms || job->wait_known)
		return;
	job->wait_known = true;
	handover_observe(&size->waits, job->ready_since_ms - job->known_ms);
	if (job->running_since_ms)
		handover_observe(&size->boots, job->ready_since_ms - job->running_since_ms);
}

static void note_stuck(const struct cluster *cluster, struct job *job, bool stuck)
{
	_cleanup_free_ char *retire = paths_command(cluster->name, "retire --force");

	if (stuck && !job->stuck)
		history_failure("job", job->id, NULL,
			"has nothing to do any more, but its results have nowhere to go: it "
			"stays until they are not needed, or another job takes them; "
			"\"%s %s\" ends it without them",
			retire, job->id);
	job->stuck = stuck;
}

/* Tell that the job stays for its results, as long as it does. */
static void note_stays(struct cluster *cluster, const struct job *job, bool stays)
{
	if (stays)
		cluster_tell(cluster, NOTICE_STAYS, job->id,
			"job %s stays although no job is wanted: it holds results that no other "
			"could take",
			job->id);
	else
		cluster_withdraw(cluster, NOTICE_STAYS, job->id);
}

static void act(
	struct cluster *cluster, struct job **jobs, const struct fleet_job *says, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		note_stays(cluster, jobs[i], says[i].holds);
		note_stuck(cluster, jobs[i], says[i].stuck);
		if (says[i].action != FLEET_KEEP)
			cluster_giveback(cluster, jobs[i], says[i].action, says[i].forced,
				why_of(&says[i], cluster->size.limits.fixed_jobs >= 0));
	}
}

static void reconcile_fleet(struct cluster *cluster)
{
	_cleanup_free_ struct fleet_job *says = NULL;
	_cleanup_free_ struct job **jobs = NULL;
	struct fleet_decision decision;
	struct fleet_limits limits;
	int64_t now = loop_now_ms(), suspended = 0;
	struct job *job;
	size_t count = 0;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		count++;
	says = xcalloc(count + 1, sizeof(*says));
	jobs = xcalloc(count + 1, sizeof(struct job *));
	count = 0;
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (job->phase == PHASE_GONE)
			note_stays(cluster, job, false);
		if (job->phase == PHASE_GONE || job->role == ROLE_STANDBY)
			continue;
		if (job->suspended_since_ms && job_is_running(job)) {
			suspended++; /* it is missing */
			continue;
		}
		observe(&cluster->size, job);
		describe(job, &says[count]);
		jobs[count++] = job;
	}
	limits_of(cluster, suspended, &limits);
	fleet_decide(&cluster->size.fleet, &limits, says, count, now, &decision);
	act(cluster, jobs, says, count);
	if (decision.submit > 0)
		cluster_place(cluster, decision.submit);
	cluster_is_due(cluster, decision.wake_ms); /* hold_until_ms holds the end of a hold */
}

/* A task that takes longer than the walltime of any job can never finish. */
static void warn_of_long_tasks(struct cluster *cluster)
{
	const struct settings *s = &cluster->request.settings;
	struct cluster_size *size = &cluster->size;
	char takes[FORMAT_MAX], lives[FORMAT_MAX];
	int64_t longest_ms = (int64_t)(size->demand.longest_s * 1000);

	if (longest_ms <= s->walltime_s * 1000 - s->handover_margin_ms / 2 ||
		size->told.count >= TOLD_MAX || strv_has(&size->told, size->demand.longest))
		return;
	strv_add(&size->told, size->demand.longest);
	cluster_notice(cluster,
		"tasks \"%s\" take about %s, and a job lives for %s (walltime): they may never be "
		"done; ask for a longer walltime",
		size->demand.longest, format_duration(longest_ms, takes),
		format_walltime(s->walltime_s, lives));
}

/* Tell the user that tasks wait and that the pause keeps jobs from coming. */
static void check_stranded(struct cluster *cluster)
{
	struct cluster_size *size = &cluster->size;
	_cleanup_free_ char *resume = paths_command(cluster->name, "resume");
	bool was_stranded = size->stranded;
	const struct job *job;

	size->stranded = size->paused && size->demand.ready > 0;
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job_phase_is_wanted(job->phase))
			size->stranded = false;
	if (size->stranded && !was_stranded)
		history_failure("cluster", cluster->name, NULL,
			"%" PRId64 " tasks wait, and the pause leaves no job for them (%s): "
			"\"%s\" requests one",
			size->demand.ready, size->paused, resume);
	if (size->stranded != was_stranded)
		cluster->ops->changed(cluster->arg);
}

/* Stop a cluster that nobody has used for idle_shutdown: no client, nobody attached, no work. */
static void check_unused(struct cluster *cluster)
{
	struct cluster_size *size = &cluster->size;
	const struct demand *demand = &size->demand;
	int64_t timeout_ms = cluster->request.settings.idle_shutdown_ms;
	_cleanup_free_ char *why = NULL;
	char text[FORMAT_MAX];

	if (!demand->known || demand->clients > 0 || cluster->attached > 0 ||
		demand_has_work(demand) || demand->memory > 0 ||
		cluster->state != CLUSTER_RUNNING) {
		size->unused_since_ms = -1;
		return;
	}
	if (size->unused_since_ms < 0)
		size->unused_since_ms = loop_now_ms();
	if (timeout_ms == 0 || !cluster_is_due(cluster, size->unused_since_ms + timeout_ms))
		return;
	why = xasprintf("no client, nobody attached and nothing to do for %s (idle_shutdown)",
		format_duration(timeout_ms, text));
	cluster_stop(cluster, why);
}

/* Collect the facts for the next decision. */
static void take_stock(struct cluster *cluster)
{
	struct scaling_limits *limits = &cluster->size.limits;
	const struct job *job;

	limits->ready_threads = limits->kept_threads = 0;
	if (settings_threads_per_worker(&cluster->request.settings) == 0)
		limits->threads = jobs_count(cluster->jobs).threads;
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (job->phase == PHASE_READY && !job->suspended_since_ms)
			limits->ready_threads += job->connected * limits->threads;
		if (job_phase_is_wanted(job->phase) && job->role != ROLE_STANDBY)
			limits->kept_threads += limits->processes * limits->threads;
	}
	limits->wait_ms = handover_shortest_ms(&cluster->size.waits);
	/* A start keeps its size, however long it takes. */
	if (cluster->state == CLUSTER_STARTING)
		cluster->size.scaling.workless_since_ms = -1;
}

void cluster_size_reconcile(struct cluster *cluster)
{
	struct cluster_size *size = &cluster->size;
	int64_t before = size->target.jobs;

	take_stock(cluster);
	cluster_check_full(cluster);
	scaling_decide(
		&size->scaling, &size->limits, &size->demand, loop_now_ms(), &size->target);
	if (size->target.jobs != before) {
		_cleanup_free_ char *why = cluster_size_why(cluster);

		history_note(EVENT_DECISION, "cluster", cluster->name,
			"%" PRId64 " job%s wanted, were %" PRId64 ": %s", size->target.jobs,
			size->target.jobs == 1 ? "" : "s", before, why);
		cluster->ops->changed(cluster->arg);
	}
	warn_of_long_tasks(cluster);
	check_stranded(cluster);
	cluster_is_due(cluster, size->target.wake_ms);
	reconcile_fleet(cluster);
	cluster_giveback_settle(cluster);
	cluster_lifetime_settle(cluster);
	cluster_shares_settle(cluster);
	check_unused(cluster);
}

char *cluster_size_why(const struct cluster *cluster)
{
	const struct cluster_size *size = &cluster->size;

	return scaling_explain(&size->target, &size->limits, &size->demand);
}
