/* libslurm_jobs.c: the way by libslurm: this user's jobs, ending them and moving them. */
#include <errno.h>
#include <signal.h>
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "daemon/draco-slurm/compat.h"
#include "daemon/draco-slurm/libslurm.h"

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

/* Can the job never start in its place, whichever other jobs end? */
static bool is_never(const slurm_job_info_t *job)
{
	const char *reason = compat_reason_string((enum job_state_reason)job->state_reason);

	return state_of(job) == STATE_PENDING &&
		(slurm_reason_is_never(reason) ||
			(job->state_desc && slurm_reason_is_never(job->state_desc)));
}

static int tell_job(const slurm_job_info_t *info, squeue_job_fn *each, void *arg)
{
	_cleanup_free_ char *reason = xstrdup(reason_of(info));
	bool is_task = info->array_task_id != NO_VAL;
	struct slurm_job job = {
		.job_id = info->array_job_id ? info->array_job_id : info->job_id,
		.task = is_task ? (int64_t)info->array_task_id : SLURM_NO_TASK,
		.name = info->name,
		.state = state_of(info),
		.reason = reason,
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

	return each(arg, &job, is_task ? NULL : info->array_task_str);
}

enum slurm_outcome libslurm_jobs(squeue_job_fn *each, void *arg, struct err *err)
{
	job_info_msg_t *all = NULL;
	int r = 0;

	/* SHOW_LOCAL, as squeue: or else each look asks slurmctld for its federation, too. */
	if (slurm_load_job_user(&all, getuid(), SHOW_ALL | SHOW_LOCAL) != SLURM_SUCCESS)
		return libslurm_failure("cannot read the queue", false, err);
	for (uint32_t i = 0; i < all->record_count && r >= 0; i++)
		if (all->job_array[i].name)
			r = tell_job(&all->job_array[i], each, arg);
	slurm_free_job_info_msg(all);
	return r < 0 ? OUTCOME_UNREACHABLE : OUTCOME_DONE;
}

static int send_signal(const char *ids, enum slurm_cancel_how how)
{
	switch (how) {
	case CANCEL_TERMINATE:
		return slurm_kill_job2(ids, SIGTERM, KILL_JOB_BATCH, NULL);
	case CANCEL_KILL:
		return slurm_kill_job2(ids, SIGKILL, KILL_FULL_JOB, NULL);
	default:
		return slurm_kill_job2(ids, SIGKILL, 0, NULL);
	}
}

/* A job that has ended, or that Slurm no longer knows, needs no cancellation. */
static bool is_over(int code)
{
	return code == ESLURM_ALREADY_DONE || code == ESLURM_INVALID_JOB_ID ||
		code == ESLURM_JOB_PENDING || code == ESLURM_TRANSITION_STATE_NO_UPDATE ||
		code == ESLURM_JOB_NOT_RUNNING;
}

enum slurm_outcome libslurm_cancel(
	const struct strv *ids, enum slurm_cancel_how how, struct err *err)
{
	enum slurm_outcome outcome = OUTCOME_DONE;

	for (size_t i = 0; i < ids->count && outcome == OUTCOME_DONE; i++)
		if (send_signal(ids->item[i], how) != SLURM_SUCCESS &&
			!is_over(compat_errno())) {
			_cleanup_free_ char *what =
				xasprintf("cannot end job %s", ids->item[i]);

			outcome = libslurm_failure(what, true, err);
		}
	return outcome;
}

/* A job that runs or has ended needs no other place. */
static bool is_settled(uint32_t code)
{
	return code == SLURM_SUCCESS || code == ESLURM_JOB_NOT_PENDING ||
		code == ESLURM_ALREADY_DONE || code == ESLURM_INVALID_JOB_ID ||
		code == ESLURM_JOB_FINISHED;
}

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

/* Returns an error code of Slurm. */
static uint32_t update(
	const char *ids, const char *partition, const char *reservation, const char *exclude)
{
	_cleanup_free_ char *ids_copy = copy(ids);
	_cleanup_free_ char *partition_copy = copy(partition);
	_cleanup_free_ char *reservation_copy = copy(reservation ? reservation : "");
	_cleanup_free_ char *exclude_copy = copy(exclude);
	job_array_resp_msg_t *response = NULL;
	uint32_t code = SLURM_SUCCESS;
	job_desc_msg_t job;

	slurm_init_job_desc_msg(&job);
	job.job_id_str = ids_copy;
	job.partition = partition && *partition ? partition_copy : NULL;
	if (partition)
		job.reservation = reservation_copy; /* "" removes it */
	job.exc_nodes = exclude_copy;
	if (slurm_update_job2(&job, &response) != SLURM_SUCCESS)
		code = (uint32_t)compat_errno();
	for (uint32_t i = 0; response && i < response->job_array_count; i++)
		if (!is_settled(response->error_code[i]))
			code = response->error_code[i];
	slurm_free_job_array_resp(response);
	return code;
}

enum slurm_outcome libslurm_update(const char *ids, const char *partition,
	const char *reservation, const char *exclude, struct err *err)
{
	uint32_t code = update(ids, partition, reservation, exclude);
	_cleanup_free_ char *what = NULL;

	if (is_settled(code))
		return OUTCOME_DONE;
	what = xasprintf(
		partition ? "cannot move job %s to %s" : "cannot keep job %s away from %s", ids,
		partition ? partition : exclude);
	return libslurm_failure_of((int)code, what, true, err);
}
