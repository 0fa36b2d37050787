/* query.c: draco-slurm's request "query": this user's jobs whose names begin with a prefix.
 *
 * One RPC reads all jobs of the user, whatever their number. */
#include <errno.h>
#include <signal.h>
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/json.h"
#include "daemon/draco-slurm/compat.h"
#include "daemon/draco-slurm/slurm_calls.h"

#define TASKS_MAX 100000

static enum slurm_state state_of(const slurm_job_info_t *job)
{
	static const enum slurm_state states[] = {
		[JOB_PENDING] = STATE_PENDING,
		[JOB_RUNNING] = STATE_RUNNING,
		[JOB_SUSPENDED] = STATE_SUSPENDED,
		[JOB_COMPLETE] = STATE_COMPLETED,
		[JOB_CANCELLED] = STATE_CANCELLED,
		[JOB_FAILED] = STATE_FAILED,
		[JOB_TIMEOUT] = STATE_TIMEOUT,
		[JOB_NODE_FAIL] = STATE_NODE_FAIL,
		[JOB_PREEMPTED] = STATE_PREEMPTED,
		[JOB_BOOT_FAIL] = STATE_NODE_FAIL,
		[JOB_DEADLINE] = STATE_DEADLINE,
		[JOB_OOM] = STATE_OUT_OF_MEMORY,
	};
	uint32_t base = job->job_state & JOB_STATE_BASE;

	if (base == JOB_RUNNING && (job->job_state & JOB_CONFIGURING))
		return STATE_CONFIGURING;
	if (base >= sizeof(states) / sizeof(states[0]))
		return STATE_FAILED;
	return states[base];
}

/* The reason of a job, as squeue(1) shows it. */
static const char *reason_of(const slurm_job_info_t *job)
{
	if (job->state_desc)
		return job->state_desc;
	return compat_reason_string((enum job_state_reason)job->state_reason);
}

/* Can the job never start in its place, whichever other jobs end? The names of Slurm's reasons
 * tell. */
static bool is_never(const slurm_job_info_t *job)
{
	static const char *const reasons[] = {"AccountNotAllowed", "BadConstraints",
		"DependencyNeverSatisfied", "InvalidAccount", "InvalidQOS",
		"PartitionTimeLimit", "QOSNotAllowed"};
	/* Slurm sets these texts some moments before the reason. */
	static const char *const texts[] = {"Job's account not ", "Job's QOS not "};
	const char *reason = compat_reason_string((enum job_state_reason)job->state_reason);
	const char *text = job->state_desc ? job->state_desc : "";

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strncmp(text, texts[i], strlen(texts[i])) == 0)
			return state_of(job) == STATE_PENDING;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(reason, reasons[i]) == 0)
			return state_of(job) == STATE_PENDING;
	return false;
}

struct expansion {
	json_t *jobs;
	struct slurm_job *job;
};

static void add_task(void *arg, int64_t task)
{
	struct expansion *e = arg;

	e->job->task = task;
	json_array_append_new(e->jobs, slurm_job_encode(e->job));
}

static int add_job(json_t *jobs, const slurm_job_info_t *info)
{
	struct slurm_job job = {
		.job_id = info->array_job_id ? info->array_job_id : info->job_id,
		.task = SLURM_NO_TASK,
		.name = info->name,
		.state = state_of(info),
		.reason = strdup(reason_of(info)),
		.never = is_never(info),
		.partition = info->partition,
		.nodes = info->nodes,
		.submit_time = info->submit_time,
		.start_time = info->start_time,
		.end_time = info->end_time,
		.exit_status =
			WIFEXITED((int)info->exit_code) ? WEXITSTATUS((int)info->exit_code) : 0,
		.exit_signal =
			WIFSIGNALED((int)info->exit_code) ? WTERMSIG((int)info->exit_code) : 0,
	};
	struct expansion expansion = {jobs, &job};
	int r = 0;

	if (info->array_task_id != NO_VAL)
		add_task(&expansion, info->array_task_id);
	else if (!info->array_task_str)
		add_task(&expansion, SLURM_NO_TASK);
	else
		r = slurm_tasks_expand(info->array_task_str, TASKS_MAX, add_task, &expansion);
	free(job.reason);
	return r;
}

enum slurm_outcome call_query(const json_t *params, json_t **ret_result, struct err *err)
{
	const char *prefix = json_get_text(params, "prefix", "");
	job_info_msg_t *all = NULL;
	json_t *jobs;
	int r = 0;

	if (slurm_load_job_user(&all, getuid(), SHOW_ALL) != SLURM_SUCCESS)
		return call_failure("cannot read the queue", false, err);
	jobs = json_array();
	for (uint32_t i = 0; i < all->record_count && r >= 0; i++) {
		const slurm_job_info_t *job = &all->job_array[i];

		if (job->name && strncmp(job->name, prefix, strlen(prefix)) == 0)
			r = add_job(jobs, job);
	}
	slurm_free_job_info_msg(all);
	if (r < 0) { /* fail: dracod takes a missing task for ended */
		json_decref(jobs);
		err_set(err, -EPROTO, "Slurm lists the tasks of an array in an unknown form");
		return OUTCOME_UNREACHABLE;
	}
	*ret_result = json_pack("{s:o}", "jobs", jobs);
	return OUTCOME_DONE;
}
