/* nodes.c: the nodes that the cluster's jobs avoid, and the file that remembers them. Part of the
 * cluster. */
#include "daemon/cluster/nodes.h"

#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/directives.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "common/settings_job.h"
#include "common/strv.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/io/statefile.h"
#include "daemon/io/statequeue.h"
#include "daemon/policy/bad_nodes.h"
#include "daemon/slurm/helper.h"

#define STATE_VERSION	   1
#define UPDATE_DEADLINE_MS 15000
#define EXCLUDE_AGAIN_MS   5000

/* The file holds wall-clock seconds; the loop has a clock of its own. */
static int64_t until_s(int64_t until_ms)
{
	return (int64_t)time(NULL) + (until_ms - loop_now_ms()) / 1000;
}

static int64_t until_ms(int64_t until_s)
{
	return loop_now_ms() + (until_s - (int64_t)time(NULL)) * 1000;
}

json_t *cluster_nodes_report(const struct cluster *cluster)
{
	const struct bad_nodes *nodes = &cluster->nodes;
	json_t *array = json_array();
	int64_t now = loop_now_ms();
	struct strv names = STRV_INIT;

	bad_nodes_list(nodes, now, &names);
	for (size_t i = 0; i < names.count; i++)
		json_array_append_new(array,
			json_pack("{s:o, s:I}", "node", json_text(names.item[i]), "until",
				(json_int_t)until_s(bad_nodes_excluded_until_ms(
					nodes, names.item[i], now))));
	strv_finish(&names);
	return array;
}

static void on_saved(void *arg, const struct err *err)
{
	(void)arg;
	if (err)
		log_error("%s: another dracod would use the excluded nodes again", err->text);
}

void cluster_nodes_save(const struct cluster *cluster)
{
	if (cluster->nodes_file)
		statequeue_write(cluster->nodes_file,
			json_pack("{s:i, s:o}", "version", STATE_VERSION, "excluded",
				cluster_nodes_report(cluster)),
			true, on_saved, NULL);
}

void cluster_nodes_load(struct cluster *cluster)
{
	_cleanup_json_ json_t *state = statefile_read(cluster->nodes_file);
	const json_t *item;
	size_t i;

	json_array_foreach (json_object_get(state, "excluded"), i, item) {
		const char *name = json_get_text(item, "node", "");
		int64_t when_ms = until_ms(json_get_time(item, "until"));

		/* A time further ahead was written by a wrong clock. */
		if (*name && when_ms > loop_now_ms() &&
			when_ms <= loop_now_ms() + BAD_NODE_FOR_MS)
			bad_nodes_exclude_until(&cluster->nodes, name, when_ms);
	}
}

bool cluster_nodes_forgive(struct cluster *cluster, const char *why)
{
	struct strv names = STRV_INIT;
	_cleanup_free_ char *list = NULL;

	bad_nodes_list(&cluster->nodes, loop_now_ms(), &names);
	list = strv_join(&names, ", ");
	strv_finish(&names);
	bad_nodes_clear(&cluster->nodes);
	if (!*list)
		return false;
	history_note(EVENT_DECISION, "cluster", cluster->name, "%s: %s may be used again", why,
		list);
	cluster_nodes_save(cluster);
	return true;
}

/* Does Slurm choose the nodes? With the setting nodelist the user does. */
static bool may_choose_nodes(const struct cluster *cluster)
{
	struct strv directives = STRV_INIT;
	bool chooses;

	settings_directives(&cluster->request.settings, &directives);
	chooses = bad_nodes_may_choose(&directives);
	strv_finish(&directives);
	return chooses;
}

static char *excluded_list(const struct cluster *cluster)
{
	struct strv directives = STRV_INIT;
	char *list;

	settings_directives(&cluster->request.settings, &directives);
	bad_nodes_exclude(&cluster->nodes, loop_now_ms(), &directives);
	list = bad_nodes_given(&directives);
	strv_finish(&directives);
	return list;
}

static void on_excluded(
	void *arg, enum slurm_outcome outcome, const json_t *result, const struct err *err)
{
	struct cluster *cluster = arg;

	(void)result;
	cluster->excluding = false;
	cluster_wake(cluster, 0);
	if (outcome == OUTCOME_DONE)
		return;
	log_warning("slurm: pending jobs may start on excluded nodes: %s", err->text);
	if (outcome == OUTCOME_REFUSED) /* they may start on such a node; little is lost */
		return;
	cluster->exclude_due = true;
	cluster->exclude_hold_ms = loop_now_ms() + EXCLUDE_AGAIN_MS;
}

/* Does the place of the job say by itself which nodes are possible? */
static bool has_own_nodes(const struct cluster *cluster, const struct job *job)
{
	const struct placement *placement = &cluster->place.placement;

	for (size_t i = 0; i < placement->count; i++)
		if ((job->placed & (candidate_set)1 << i) &&
			(directives_find(&placement->candidate[i].options, "exclude") ||
				directives_find(&placement->candidate[i].options, "nodelist")))
			return true;
	return false;
}

/* The ids of the pending jobs that can be told of excluded nodes; NULL: none. The caller owns the
 * array. */
static json_t *pending_ids(const struct cluster *cluster)
{
	json_t *ids = NULL;
	struct job *job;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link) {
		if (!job_is_pending(job) || has_own_nodes(cluster, job))
			continue;
		if (!ids)
			ids = json_array();
		json_array_append_new(ids, json_string(job->id));
	}
	return ids;
}

/* Withdraw the notices about nodes that may be used again. */
static void withdraw_notices(struct cluster *cluster)
{
	for (size_t i = cluster->notices.count; i-- > 0;) {
		const struct notice *notice = &cluster->notices.item[i];
		int64_t until_ms;

		if (notice->topic != NOTICE_NODE)
			continue;
		until_ms = bad_nodes_excluded_until_ms(
			&cluster->nodes, notice->subject, loop_now_ms());
		if (until_ms == 0)
			cluster_withdraw(cluster, NOTICE_NODE, notice->subject);
		else
			cluster_is_due(cluster, until_ms);
	}
}

void cluster_nodes_settle(struct cluster *cluster)
{
	_cleanup_free_ char *exclude = NULL;
	json_t *ids;

	withdraw_notices(cluster);
	if (!cluster->exclude_due || cluster->excluding ||
		!cluster_is_due(cluster, cluster->exclude_hold_ms))
		return;
	cluster->exclude_due = false;
	exclude = excluded_list(cluster);
	ids = exclude ? pending_ids(cluster) : NULL;
	if (!ids)
		return;
	cluster->excluding = slurm_request(cluster->slurm, "update",
				     json_pack("{s:o, s:s}", "jobs", ids, "exclude", exclude),
				     UPDATE_DEADLINE_MS, on_excluded, cluster) >= 0;
	if (cluster->excluding)
		return;
	cluster->exclude_due = true; /* the queue of requests is full */
	cluster->exclude_hold_ms = loop_now_ms() + EXCLUDE_AGAIN_MS;
	cluster_wake(cluster, EXCLUDE_AGAIN_MS);
}

void cluster_nodes_blame(
	struct cluster *cluster, const struct job *job, int64_t since_ms, const char *how)
{
	char until[16];
	struct tm local;
	time_t then = time(NULL) + BAD_NODE_FOR_MS / 1000;

	if (!job->nodes || !job->nodes[0] || strpbrk(job->nodes, ",[") ||
		!may_choose_nodes(cluster) ||
		!bad_nodes_blame(&cluster->nodes, job->nodes, since_ms, loop_now_ms()))
		return;
	localtime_r(&then, &local);
	strftime(until, sizeof(until), "%H:%M:%S", &local);
	cluster_tell(cluster, NOTICE_NODE, job->nodes,
		"node %s is excluded until %s: jobs have failed there %d times within an hour, "
		"the last was job %s, which %s",
		job->nodes, until, BAD_NODE_FAILURES, job->id, how);
	cluster_nodes_save(cluster);
	cluster->exclude_due = true;
	cluster_wake(cluster, 0);
}
