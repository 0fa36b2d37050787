/* jobs_fixture.c: what the tests of jobs.c share. */
#include "jobs_fixture.h"

#include "common/alloc.h"
#include "daemon/io/loop.h"
#include "unit.h"

struct jobs *jobs;
struct settings settings;
int changes;
uint32_t next_id;

static void on_changed(void *arg)
{
	ck_assert_ptr_eq(arg, &changes);
	changes++;
}

static const struct jobs_ops ops = {on_changed};

void jobs_setup(void)
{
	settings_init(&settings);
	settings.processes = 2;
	settings.cores = 4;
	jobs = jobs_create(&ops, &changes);
	changes = 0;
	next_id = 42;
}

void jobs_teardown(void)
{
	ck_assert_ptr_null(jobs_destroy(jobs));
	ck_assert_ptr_null(jobs_destroy(NULL));
	settings_finish(&settings);
}

struct slurm_job report(uint32_t job_id, enum slurm_state state)
{
	return (struct slurm_job){
		.job_id = job_id,
		.task = SLURM_NO_TASK,
		.name = UNCONST("draco-default-1.0"),
		.state = state,
		.reason = UNCONST(state == STATE_PENDING ? "Resources" : "None"),
		.partition = UNCONST("short"),
		.nodes = UNCONST(state == STATE_PENDING ? "" : "n1"),
		.submit_time = 100,
		.start_time = 200,
		.end_time = 300,
	};
}

/* The job's worker connects: its number, from 0. */
static void connect_worker(const struct job *job, int number)
{
	char *name = xasprintf("draco-%s-%d", job->id, number);
	char *address = xasprintf("tcp://n1:%d", number + 1);

	jobs_worker_added(jobs, name, address, 1);
	free(name);
	free(address);
}

void apply(struct job *job, enum slurm_state state)
{
	struct slurm_job said = report(job->job_id, state);

	job->seen_ms = loop_now_ms();
	jobs_apply(jobs, job, &said);
}

struct job *job_in(enum job_phase phase)
{
	struct job *job = jobs_add(jobs, "draco-default-1.0", 0, &settings);

	if (phase == PHASE_NEW)
		return job;
	jobs_set_id(jobs, job, next_id, SLURM_NO_TASK);
	if (phase == PHASE_SUBMITTED)
		return job;
	apply(job, STATE_PENDING);
	if (phase == PHASE_PENDING)
		return job;
	apply(job, STATE_RUNNING);
	if (phase == PHASE_STARTING)
		return job;
	for (int i = 0; i < job->processes; i++)
		connect_worker(job, i);
	if (phase == PHASE_READY)
		return job;
	if (phase == PHASE_DRAINING || phase == PHASE_RETIRING)
		jobs_set_phase(jobs, job, PHASE_DRAINING, "for a test");
	if (phase == PHASE_RETIRING)
		jobs_set_phase(jobs, job, PHASE_RETIRING, NULL);
	if (phase == PHASE_ENDING)
		jobs_set_phase(jobs, job, PHASE_ENDING, NULL);
	if (phase == PHASE_GONE)
		apply(job, STATE_COMPLETED);
	return job;
}
