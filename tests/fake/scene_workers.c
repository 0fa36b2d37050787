/* scene_workers.c: scenarios: some of a job's workers are missing, or have died of memory.
 *
 * A job has two workers of one thread. */
#include "world.h"

#include <string.h>

START_TEST(some_of_its_workers_never_come)
{
	dask.missing = 1;
	start("{'minimum': 2, 'worker_timeout': 25}");
	await(workers() == 1);
	await_from_to(25, 26, cluster_is("running"));
	check(told("job 1: has had only 1 of its 2 workers for 25 s, and continues with them; "
		   "\"dracoctl --name " NAME " retire 1\" replaces it"));
	holds_for(60, jobs_submitted() == 1);
}
END_TEST

START_TEST(some_of_its_workers_have_gone)
{
	start_running("{'minimum': 2, 'worker_timeout': 25}");
	workers_die(job(0), 1);
	await_from_to(25, 26,
		told("has had only 1 of its 2 workers for 25 s: another job replaces it"));
	await_from_to(0, 1, jobs_submitted() == 2);
	await(strcmp(phase_of(job(0)), "gone") == 0);
	check(told("ready -> draining"));
	check(told("some of its workers are gone"));
	check(strcmp(phase_of(job(1)), "ready") == 0);
	holds_for(600, jobs_submitted() == 2 && workers() == 2);
}
END_TEST

/* It goes only when its task is done, and the other is there. */
START_TEST(some_have_gone_and_the_others_work)
{
	start_running("{'minimum': 2, 'maximum': 2, 'worker_timeout': 25}");
	tasks_come(2);
	workers_die(job(0), 1);
	await(told("another job replaces it"));
	await(jobs_submitted() == 2 && strcmp(phase_of(job(1)), "ready") == 0);
	holds_for(60, job(0)->said.state == STATE_RUNNING && tasks_on(job(0)) == 1);
	check(strcmp(phase_of(job(0)), "draining") == 0);
	tasks_done_on(job(0));
	await(job(0)->said.state == STATE_COMPLETED);
	check(jobs_submitted() == 2);
}
END_TEST

START_TEST(some_have_gone_and_come_back)
{
	start_running("{'minimum': 2, 'worker_timeout': 25}");
	slurm.partition[0].busy = slurm.partition[1].busy = true;
	workers_die(job(0), 1);
	await(jobs_submitted() == 2);
	workers_return(job(0));
	await(job(1)->said.state == STATE_CANCELLED);
	holds_for(60, strcmp(phase_of(job(0)), "ready") == 0 && jobs_submitted() == 2);
}
END_TEST

START_TEST(some_have_gone_in_a_pause)
{
	start_running("{'minimum': 2, 'worker_timeout': 25}");
	ask(me(), "pause", NULL);
	workers_die(job(0), 1);
	holds_for(120, jobs_submitted() == 1 && workers() == 1);
	ask(me(), "resume", NULL);
	await(jobs_submitted() == 2);
}
END_TEST

/* Memory */

#define DEATH(memory)                                                         \
	"{\"task\": \"load\", \"tasks\": 2, \"memory\": " memory              \
	", \"limit\": 536870912, \"held\": 314572800, \"results\": [[\"x\", " \
	"209715200]]}"
#define WHAT(size)                                            \
	"task \"load\" and 1 more ran, its process had " size \
	" of 512.0 MiB, it held results "                     \
	"of 300.0 MiB, the largest \"x\" with 200.0 MiB"

START_TEST(a_worker_dies_of_memory)
{
	start_running("{'minimum': 2}");
	dask.death = DEATH("503316480");
	workers_die(job(0), 1);
	workers_return(job(0));
	await(has_notice("a worker of job 1 died of memory at 09:00:"));
	check(has_notice(WHAT("480.0 MiB") "; each of its 2 workers had 512 MiB of 1 GiB: "
					   "raise the setting memory, or lower processes"));
	check(told("cluster fake: a worker of job 1 died of memory at "));
	/* A task that has killed one worker kills the next: one notice. */
	workers_die(job(0), 1);
	await(told("job 1: another worker died of memory: task"));
	check(times_told("cluster fake: a worker") == 1);
	pass(3700);
	check(!has_notice("died of memory"));
}
END_TEST

START_TEST(a_worker_dies_of_something_else)
{
	start_running("{'minimum': 2}");
	dask.death = DEATH("104857600");
	workers_die(job(0), 1);
	holds_for(10, !told("memory"));
	check(!has_notice("memory"));
}
END_TEST

/* Slurm alone knows that it was memory. */
START_TEST(a_job_ends_of_memory)
{
	start_running("{'minimum': 2}");
	dask.death = DEATH("104857600");
	job_end(job(0), STATE_OUT_OF_MEMORY, 1);
	await(told(
		"job 1: ran out of memory on n1 (OutOfMemory); the last of its workers: " WHAT(
			"100.0 MiB") "; each of its 2 workers had 512 MiB"));
}
END_TEST

Suite *unit_suite(void)
{
	return scenarios("workers", some_of_its_workers_never_come,
		some_of_its_workers_have_gone, some_have_gone_and_the_others_work,
		some_have_gone_and_come_back, some_have_gone_in_a_pause,
		a_worker_dies_of_memory, a_worker_dies_of_something_else, a_job_ends_of_memory);
}
