/* submit.c: draco-slurm's request "submit": equal jobs by one RPC. */
#include <errno.h>
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/strv.h"
#include "daemon/draco-slurm/compat.h"
#include "daemon/draco-slurm/directives.h"
#include "daemon/draco-slurm/slurm_calls.h"

static char no_input[] = "/dev/null";

void submit_describe(
	const struct slurm_submission *wish, char array[SUBMIT_ARRAY_MAX], job_desc_msg_t *job)
{
	slurm_init_job_desc_msg(job);
	job->std_in = no_input;
	job->name = wish->name;
	job->script = wish->script;
	job->partition = wish->partition;
	job->reservation = wish->reservation;
	job->std_out = wish->output;
	job->work_dir = wish->directory;
	job->user_id = getuid();
	job->group_id = getgid();
	job->environment = wish->environment.item;
	job->env_size = (uint32_t)wish->environment.count;
	job->min_nodes = job->max_nodes = 1;
	job->num_tasks = 1;
	job->min_cpus = (uint32_t)wish->cores;
	job->pn_min_cpus = (uint16_t)wish->cores;
	job->cpus_per_task = (uint16_t)wish->cores;
	job->pn_min_memory = (uint64_t)wish->memory_mib;
	job->time_limit = (uint32_t)((wish->walltime_s + 59) / 60);
	job->requeue = 0; /* draco replaces jobs itself */
	compat_init_job(job);
#ifdef JOB_CPUS_SET
	/* The partition's DefCpuPerGPU does not count where cores are asked for. */
	job->bitflags |= JOB_CPUS_SET | JOB_NTASKS_SET;
#endif
	if (wish->count > 1) {
		snprintf(array, SUBMIT_ARRAY_MAX, "0-%lld", (long long)wish->count - 1);
		job->array_inx = array;
	}
}

enum slurm_outcome call_submit(const json_t *params, json_t **ret_result, struct err *err)
{
	struct slurm_submission wish;
	struct strv texts = STRV_INIT;
	submit_response_msg_t *response = NULL;
	job_desc_msg_t job;
	char array[SUBMIT_ARRAY_MAX];
	enum slurm_outcome outcome = OUTCOME_DONE;

	if (slurm_submission_decode(params, &wish, err) < 0)
		return OUTCOME_REFUSED;
	submit_describe(&wish, array, &job);
	if (directives_apply(&wish.directives, &job, &texts, err) < 0)
		outcome = OUTCOME_REFUSED;
	else if (slurm_submit_batch_job(&job, &response) != SLURM_SUCCESS)
		outcome = call_failure("Slurm did not accept the job", true, err);
	else
		*ret_result = json_pack("{s:I, s:I}", "job_id",
			(json_int_t)compat_submitted_id(response), "tasks",
			(json_int_t)(wish.count > 1 ? wish.count : 0));
	if (response)
		slurm_free_submit_response_response_msg(response);
	strv_finish(&texts);
	slurm_submission_finish(&wish);
	return outcome;
}
