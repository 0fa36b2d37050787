/* leftover.c: ends jobs of earlier clusters whose end dracod has not seen.
 *
 * The state file lists the clusters that may have jobs. One of them may run now. The jobs of the
 * others are looked up in the queue and cancelled until there are none. */
#include "daemon/slurm/leftover.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "common/paths.h"
#include "common/slurm_msg.h"
#include "common/strv.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/io/statefile.h"
#include "daemon/io/statequeue.h"
#include "daemon/slurm/helper.h"
#include "daemon/slurm/poll.h"

#define CANCEL_DEADLINE_MS 15000
/* A submission that a crash cut off may arrive late: look twice. */
#define AGAIN_MS      3000
#define AGAIN_MAX_MS  60000
#define STATE_VERSION 1

struct leftover {
	struct slurm *slurm;
	char *name;
	char *state_file;
	struct strv ids; /* of clusters that may have jobs */
	/* The running cluster, which looks after its jobs itself; NULL: none. */
	char *running;
	struct strv absent; /* those of ids without jobs in the last query */
	struct poll *poll;
	int64_t again_ms;
	bool cancelled; /* Slurm has accepted a cancellation since leftover_clean() */
};

static void on_saved(void *arg, const struct err *err)
{
	(void)arg;
	if (err)
		history_note(EVENT_FAILURE, "dracod", NULL,
			"%s: after a crash the jobs of now would not be found", err->text);
}

static void save(struct leftover *leftover)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < leftover->ids.count; i++)
		json_array_append_new(ids, json_string(leftover->ids.item[i]));
	statequeue_write(leftover->state_file,
		json_pack("{s:i, s:o}", "version", STATE_VERSION, "clusters", ids), true,
		on_saved, NULL);
}

static void load(struct leftover *leftover)
{
	_cleanup_json_ json_t *state = statefile_read(leftover->state_file);

	json_add_texts(json_object_get(state, "clusters"), &leftover->ids);
}

static void remove_id(struct leftover *leftover, const char *id)
{
	struct strv rest = STRV_INIT;

	for (size_t i = 0; i < leftover->ids.count; i++)
		if (strcmp(leftover->ids.item[i], id) != 0)
			strv_add(&rest, leftover->ids.item[i]);
	strv_finish(&leftover->ids);
	leftover->ids = rest;
	save(leftover);
}

static bool is_running(const struct leftover *leftover, const char *id)
{
	return leftover->running && strcmp(leftover->running, id) == 0;
}

static void look_again(struct leftover *leftover)
{
	poll_within(leftover->poll, leftover->again_ms);
	leftover->again_ms *= 2;
	if (leftover->again_ms > AGAIN_MAX_MS)
		leftover->again_ms = AGAIN_MAX_MS;
}

static void on_cancelled(
	void *arg, enum slurm_outcome outcome, const json_t *result, const struct err *err)
{
	struct leftover *leftover = arg;

	(void)result;
	if (outcome == OUTCOME_DONE)
		leftover->cancelled = true;
	else
		log_warning("slurm: jobs of an earlier cluster could not be ended yet: %s",
			err->text);
}

static void send_cancel(struct leftover *leftover, json_t *ids, enum slurm_cancel_how how)
{
	if (json_array_size(ids) > 0 &&
		slurm_request(leftover->slurm, "cancel",
			json_pack("{s:O, s:s}", "jobs", ids, "how", slurm_cancel_name(how)),
			CANCEL_DEADLINE_MS, on_cancelled, leftover) < 0)
		log_warning("slurm: too many requests wait; jobs are ended later");
	json_decref(ids);
}

/* Cancel the jobs of one cluster, and kill those that still run afterwards. Returns how many there
 * are. */
static int cancel(
	struct leftover *leftover, const char *id, const struct slurm_job *jobs, int count)
{
	_cleanup_free_ char *prefix = paths_job_prefix(leftover->name);
	_cleanup_free_ char *tag = xasprintf("%s%s.", prefix, id);
	json_t *ids = json_array(), *clinging = json_array();
	char job_id[SLURM_JOB_ID_MAX];
	int found;

	for (int i = 0; i < count; i++)
		if (strncmp(jobs[i].name, tag, strlen(tag)) == 0 &&
			!slurm_state_is_end(jobs[i].state)) {
			slurm_job_format_id(jobs[i].job_id, jobs[i].task, job_id);
			history_note(EVENT_DECISION, "job", job_id,
				"ending it, it is of an earlier cluster (%s)", jobs[i].name);
			json_array_append_new(
				leftover->cancelled && jobs[i].state != STATE_PENDING ? clinging
										      : ids,
				json_string(job_id));
		}
	found = (int)(json_array_size(ids) + json_array_size(clinging));
	send_cancel(leftover, ids, CANCEL_CANCEL);
	send_cancel(leftover, clinging, CANCEL_KILL);
	return found;
}

static void on_read(void *arg, const struct slurm_job *jobs, int count, int64_t asked_ms)
{
	struct leftover *leftover = arg;
	struct strv ids = STRV_INIT, absent = STRV_INIT;
	bool any = false, doubt = false;

	(void)asked_ms;
	strv_copy(&ids, &leftover->ids);
	for (size_t i = 0; i < ids.count; i++) {
		if (is_running(leftover, ids.item[i]))
			continue;
		if (cancel(leftover, ids.item[i], jobs, count) > 0) {
			any = true;
		} else if (strv_has(&leftover->absent, ids.item[i])) {
			remove_id(leftover, ids.item[i]);
		} else {
			strv_add(&absent, ids.item[i]);
			doubt = true;
		}
	}
	strv_finish(&ids);
	strv_finish(&leftover->absent);
	leftover->absent = absent;
	if (any)
		look_again(leftover);
	else if (doubt)
		poll_within(leftover->poll, AGAIN_MS);
	else if (!leftover->running)
		slurm_rest(leftover->slurm);
}

static void on_read_failed(void *arg, const struct err *err)
{
	(void)err; /* helper.c logs it */
	look_again(arg);
}

struct leftover *leftover_create(
	struct loop *loop, struct slurm *slurm, const char *name, const char *state_file)
{
	static const struct poll_ops ops = {on_read, on_read_failed};
	struct leftover *leftover = xcalloc(1, sizeof(*leftover));
	_cleanup_free_ char *prefix = paths_job_prefix(name);

	leftover->slurm = slurm;
	leftover->name = xstrdup(name);
	leftover->state_file = xstrdup(state_file);
	leftover->poll = poll_create(loop, slurm, prefix, &ops, leftover);
	load(leftover);
	leftover_clean(leftover);
	return leftover;
}

/* Call it after slurm_destroy(). */
struct leftover *leftover_destroy(struct leftover *leftover)
{
	if (!leftover)
		return NULL;
	poll_destroy(leftover->poll);
	strv_finish(&leftover->ids);
	strv_finish(&leftover->absent);
	free(leftover->running);
	free(leftover->name);
	free(leftover->state_file);
	free(leftover);
	return NULL;
}

bool leftover_has_any(const struct leftover *leftover)
{
	return leftover->ids.count > 0;
}

void leftover_remember(struct leftover *leftover, const char *cluster_id)
{
	xreplace(&leftover->running, cluster_id);
	if (strv_has(&leftover->ids, cluster_id))
		return;
	strv_add(&leftover->ids, cluster_id);
	save(leftover);
}

void leftover_forget(struct leftover *leftover, const char *cluster_id)
{
	if (is_running(leftover, cluster_id))
		xreplace(&leftover->running, NULL);
	remove_id(leftover, cluster_id);
}

void leftover_clean(struct leftover *leftover)
{
	xreplace(&leftover->running, NULL);
	leftover->again_ms = AGAIN_MS;
	leftover->cancelled = false;
	if (leftover->ids.count > 0)
		poll_within(leftover->poll, 0);
}
