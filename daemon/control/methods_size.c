/* methods_size.c: the requests that change the size of the cluster: scale, adapt, pause,
 * resume, retire. */
#include "daemon/control/methods_size.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/amount.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/rpc.h"
#include "common/strv.h"
#include "daemon/cluster/hand.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/record.h"
#include "daemon/control/control.h"
#include "daemon/control/report.h"
#include "daemon/control/report_size.h"
#include "daemon/io/writer.h"

/* Find the only amount in params, in whichever unit it is given. -EINVAL with err. */
static int find_amount(
	const json_t *params, enum amount_unit *ret_unit, int64_t *ret, struct err *err)
{
	int found = -1;

	for (int unit = 0; unit < AMOUNT_UNIT_COUNT; unit++) {
		if (!json_object_get(params, amount_name(unit)))
			continue;
		if (found >= 0)
			return err_set(err, -EINVAL,
				"scale: give the size in %s or in %s, not in both",
				amount_name(found), amount_name(unit));
		found = unit;
	}
	if (found < 0)
		return err_set(err, -EINVAL,
			"scale: no size was given: jobs, workers, cores or memory_mib");
	*ret_unit = (enum amount_unit)found;
	*ret = json_get_integer(params, amount_name(*ret_unit), 0);
	if (*ret < 0)
		return err_set(err, -EINVAL, "scale: %s %" PRId64 " is too small: at least 0",
			amount_name(*ret_unit), *ret);
	return 0;
}

static int scale(struct cluster *cluster, const json_t *params, struct err *err)
{
	enum amount_unit unit = AMOUNT_JOBS;
	int64_t amount = 0, per_job;
	int r = find_amount(params, &unit, &amount, err);

	if (r < 0)
		return r;
	per_job = amount_per_job(unit, &cluster->request.settings);
	if (per_job == 0)
		return err_set(err, -EINVAL,
			unit == AMOUNT_CORES
				? "scale: how many cores a job has is not known, as the setting "
				  "cores is a word: give jobs or workers"
				: "scale: how much memory a job has is not known, as the setting "
				  "memory is a word: give jobs, workers or cores");
	r = cluster_scale(cluster, amount_to_jobs(amount, per_job), err);
	if (r == -ERANGE) {
		_cleanup_free_ char *asked = amount_describe(unit, amount);
		int64_t jobs = amount_to_jobs(amount, per_job);

		if (unit == AMOUNT_JOBS)
			return err_set(err, r, "scale: %s are %s", asked, err->text);
		return err_set(
			err, r, "scale: %s are %" PRId64 " jobs, %s", asked, jobs, err->text);
	}
	return r;
}

/* An optional bound in workers; *ret is -1 if it is missing. */
static int find_bound(const json_t *params, enum setting_id id, int64_t at_least, int64_t *ret,
	struct err *err)
{
	const struct setting *setting = &settings_table[id];

	*ret = json_get_integer(params, setting->name, -1);
	if (json_object_get(params, setting->name) &&
		(*ret < at_least || *ret > setting->maximum))
		return err_set(err, -EINVAL,
			"adapt: %s %" PRId64 " is out of range: from %" PRId64 " to %" PRId64
			" workers",
			setting->name, *ret, at_least, setting->maximum);
	return 0;
}

static int adapt(struct cluster *cluster, const json_t *params, struct err *err)
{
	int64_t minimum = -1, maximum = -1;
	int r = find_bound(params, SETTING_MINIMUM, 0, &minimum, err);

	if (r == 0)
		r = find_bound(params, SETTING_MAXIMUM, 1, &maximum, err);
	if (r < 0)
		return r;
	if (maximum >= 0 && minimum > maximum)
		return err_set(err, -EINVAL,
			"adapt: minimum %" PRId64 " is more than maximum %" PRId64 " (workers)",
			minimum, maximum);
	r = cluster_adapt(cluster, minimum, maximum, err);
	if (r == -ERANGE)
		err_prefix(err, "adapt");
	return r;
}

/* The ids of the jobs that can be retired, for a person: "4711_0, 4711_1". The caller frees. */
static char *list_jobs(const struct cluster *cluster)
{
	struct strv ids = STRV_INIT;
	const struct job *job;
	char *text;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (job->id[0] && job_phase_is_wanted(job->phase))
			strv_add(&ids, job->id);
	text = strv_join(&ids, ", ");
	strv_finish(&ids);
	return text;
}

static int no_job(const struct cluster *cluster, const char *id, struct err *err)
{
	_cleanup_free_ char *others = list_jobs(cluster);
	const struct job *job, *found = NULL;

	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		if (strcmp(job->id, id) == 0)
			found = job;
	if (found && *id)
		return err_set(err, -ENOENT, "retire: job %s is %s already%s%s", id,
			job_phase_name(found->phase), *others ? "; others: " : "", others);
	return err_set(err, -ENOENT, "retire: there is no job \"%s\"%s%s", id,
		*others ? "; the jobs are: " : ", and no other", others);
}

static int retire(struct cluster *cluster, const json_t *params, struct err *err)
{
	const char *id = json_get_text(params, "job", "");
	bool force = json_get_boolean(params, "force", 0);
	struct job *job = jobs_find_id(cluster->jobs, id);

	if (!job || strcmp(job->id, id) != 0 ||
		!(force ? job->phase < PHASE_ENDING : job_phase_is_wanted(job->phase)))
		return no_job(cluster, id, err);
	cluster_retire(cluster, job, force);
	return 0;
}

/* The answer: the size. For a retired job, also whether it waits until other jobs take its
 * results. */
static json_t *answer(struct cluster *cluster, enum rpc_method_id method, const json_t *params)
{
	json_t *size = report_size(cluster);
	const struct job *job = method == RPC_RETIRE
		? jobs_find_id(cluster->jobs, json_get_text(params, "job", ""))
		: NULL;

	if (job)
		json_object_set_new(
			size, "waits", json_boolean(cluster_retire_waits(cluster, job)));
	return size;
}

static int change(struct cluster *cluster, enum rpc_method_id method, const json_t *params,
	struct err *err)
{
	if (cluster->state == CLUSTER_STARTING)
		return err_set(err, -EBUSY,
			"the cluster is starting: its size can be changed once it runs");
	if (cluster->state != CLUSTER_RUNNING) {
		_cleanup_free_ char *text = report_no_cluster(cluster);

		return err_set(err, -ESRCH, "%s", text);
	}
	switch (method) {
	case RPC_SCALE:
		return scale(cluster, params, err);
	case RPC_ADAPT:
		return adapt(cluster, params, err);
	case RPC_PAUSE:
		cluster_pause(cluster, "by hand");
		return 0;
	case RPC_RESUME:
		cluster_resume(cluster);
		return 0;
	case RPC_RETIRE:
		return retire(cluster, params, err);
	default:
		return err_set(
			err, -ENOSYS, "%s does not change the size", rpc_methods[method].name);
	}
}

void methods_size_request(
	struct cluster *cluster, struct client *client, const struct rpc_message *message)
{
	int method = rpc_method_find(message->method);
	struct err err = ERR_INIT;
	int r = change(cluster, (enum rpc_method_id)method, message->params, &err);

	if (r == 0) {
		record_save(cluster); /* what a user was told to be so must stay so ... */
		writer_settle(WRITER_STATE, WRITER_WAIT_MS); /* ... unless the home hangs */
		client_reply(client, message->id,
			answer(cluster, (enum rpc_method_id)method, message->params));
	} else {
		client_refuse(client, message->id,
			r == -ESRCH			       ? RPC_NOT_RUNNING
				: r == -EINVAL || r == -ERANGE ? RPC_INVALID_PARAMS
							       : RPC_FAILED,
			err.text, NULL);
	}
}
