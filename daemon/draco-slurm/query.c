/* query.c: draco-slurm's request "query": this user's jobs whose names begin with a prefix. */
#include <errno.h>
#include <string.h>

#include "common/err.h"
#include "common/json.h"
#include "daemon/draco-slurm/slurm_calls.h"
#include "daemon/draco-slurm/way.h"

#define TASKS_MAX 100000

struct expansion {
	json_t *jobs;
	const char *prefix;
	struct slurm_job *job;
};

static void add_task(void *arg, int64_t task)
{
	struct expansion *e = arg;

	e->job->task = task;
	json_array_append_new(e->jobs, slurm_job_encode(e->job));
}

static int add_job(void *arg, struct slurm_job *job, const char *tasks)
{
	struct expansion *e = arg;

	if (strncmp(job->name, e->prefix, strlen(e->prefix)) != 0)
		return 0;
	e->job = job;
	if (tasks)
		return slurm_tasks_expand(tasks, TASKS_MAX, add_task, e);
	add_task(e, job->task);
	return 0;
}

enum slurm_outcome call_query(const json_t *params, json_t **ret_result, struct err *err)
{
	struct expansion e = {json_array(), json_get_text(params, "prefix", ""), NULL};
	enum slurm_outcome outcome = way()->jobs(add_job, &e, err);

	if (outcome == OUTCOME_DONE) {
		*ret_result = json_pack("{s:o}", "jobs", e.jobs);
		return outcome;
	}
	json_decref(e.jobs);
	if (!err->code) /* fail: dracod takes a missing task for ended */
		err_set(err, -EPROTO, "Slurm lists the tasks of an array in an unknown form");
	return outcome;
}
