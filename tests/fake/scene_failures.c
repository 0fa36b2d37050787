/* scene_failures.c: scenarios: dracod's reactions to the end of a job. They follow the table "What
 * happens when a job ends" of the documentation, row by row. */
#include "world.h"

#include <signal.h>
#include <string.h>

#define YOUNG_S 35
#define OLD_S	100

/* A kind of end that Slurm reports. Vanished: Slurm no longer knows the job. */
static const struct row {
	const char *name;
	enum slurm_state state;
	int exit_status;
	bool vanished;
	bool old;	      /* ready for more than a minute before */
	bool counts;	      /* a counted failure: the next job waits */
	bool blames_node;     /* the third such end excludes the node */
	const char *says;     /* dracod's text about job 1_0 on n1 */
	const char *and_says; /* a later part of the same line */
} rows[] = {
	{"failed, young", STATE_FAILED, 1, .counts = true, .blames_node = true,
		.says = "job 1_0: failed with exit status 1 on n1 (NonZeroExitCode)",
		.and_says = "; the next submission waits 5 s (failure 1 in a row)"},
	{"failed, old", STATE_FAILED, 1, .old = true,
		.says = "job 1_0: failed with exit status 1 on n1",
		.and_says = "; another one is submitted"},
	{"cannot connect to the scheduler", STATE_FAILED, 96, .counts = true,
		.blames_node = true, /* while others can */
		.says = "job 1_0: failed on n1: the node cannot connect to the scheduler at tls://",
		.and_says = "; the next submission waits 5 s (failure 1 in a row)"},
	{"out of memory, young", STATE_OUT_OF_MEMORY, 1, .counts = true,
		.says = "job 1_0: ran out of memory on n1",
		.and_says =
			"each of its 2 workers had 512 MiB of 1 GiB: raise the setting memory"},
	{"out of memory, old", STATE_OUT_OF_MEMORY, 1, .old = true, .counts = true,
		.says = "job 1_0: ran out of memory on n1",
		.and_says =
			"each of its 2 workers had 512 MiB of 1 GiB: raise the setting memory"},
	{"completed, young", STATE_COMPLETED, 0, .counts = true,
		.says = "job 1_0: completed on n1",
		.and_says = "; the next submission waits 5 s"},
	{"completed, old", STATE_COMPLETED, 0, .old = true, .says = "job 1_0: completed on n1",
		.and_says = "; another one is submitted when it is needed"},
	{"time limit", STATE_TIMEOUT, 0, .old = true,
		.says = "job 1_0: reached its time limit on n1",
		.and_says = "; another one is submitted when it is needed"},
	{"cancelled, young", STATE_CANCELLED, 0, .says = "job 1_0: was cancelled on n1",
		.and_says = ", not by draco; another one is submitted when it is needed"},
	{"cancelled, old", STATE_CANCELLED, 0, .old = true,
		.says = "job 1_0: was cancelled on n1",
		.and_says = ", not by draco; another one is submitted when it is needed"},
	{"preempted, young", STATE_PREEMPTED, 0, .says = "job 1_0: was preempted on n1",
		.and_says = ", for a job of higher priority; another one is submitted"},
	{"preempted, old", STATE_PREEMPTED, 0, .old = true,
		.says = "job 1_0: was preempted on n1",
		.and_says = ", for a job of higher priority; another one is submitted"},
	{"its node failed, young", STATE_NODE_FAIL, 0, .blames_node = true,
		.says = "job 1_0: lost its node on n1",
		.and_says = "; another one is submitted"},
	{"its node failed, old", STATE_NODE_FAIL, 0, .old = true, .blames_node = true,
		.says = "job 1_0: lost its node on n1",
		.and_says = "; another one is submitted"},
	{"missed its deadline, young", STATE_DEADLINE, 0, .counts = true,
		.says = "job 1_0: missed its deadline",
		.and_says = "; the next submission waits 5 s"},
	{"missed its deadline, old", STATE_DEADLINE, 0, .old = true,
		.says = "job 1_0: missed its deadline",
		.and_says = "; another one is submitted when it is needed"},
	{"unknown to Slurm, young", .vanished = true, .counts = true,
		.says = "job 1_0: is not known to Slurm any more",
		.and_says = "; the next submission waits 5 s"},
	{"unknown to Slurm, old", .vanished = true, .old = true,
		.says = "job 1_0: is not known to Slurm any more",
		.and_says = "; another one is submitted when it is needed"},
};

/* The job on n1. */
static struct fake_job *on_n1(void)
{
	for (int i = 0; i < jobs_submitted(); i++)
		if (job(i)->said.state == STATE_RUNNING && job(i)->node == 0)
			return job(i);
	return NULL;
}

/* Is a job pending, and do all pending jobs avoid the node? */
static bool pending_avoids(const char *node)
{
	bool any = false;

	for (int i = 0; i < jobs_submitted(); i++) {
		if (job(i)->said.state != STATE_PENDING)
			continue;
		if (!job(i)->exclude || !strstr(job(i)->exclude, node))
			return false;
		any = true;
	}
	return any;
}

static void let_end(const struct row *row)
{
	await(on_n1() && strcmp(phase_of(on_n1()), "ready") == 0);
	pass(row->old ? OLD_S : YOUNG_S);
	if (row->vanished)
		job_forget(on_n1());
	else
		job_end(on_n1(), row->state, row->exit_status);
}

START_TEST(a_job_ends)
{
	const struct row *row = &rows[_i];

	world_note("%s", row->name);
	slurm.nodes = 2; /* so that the next job runs on n1, too */
	start_running("{'minimum': 4, 'poll_interval': 1}");
	slurm.submissions = 0;
	let_end(row);
	await(told(row->says));
	check(told(row->and_says));
	check(told("in a row") == row->counts);
	await_from_to(row->counts ? 5 : 0, row->counts ? 6.5 : 1.5, slurm.submissions == 1);
	check(!is_excluded("n1"));
	let_end(row);
	await(slurm.submissions == 2);
	let_end(row);
	if (row->blames_node)
		await_from_to(0, 5, is_excluded("n1"));
	holds_for(5, is_excluded("n1") == row->blames_node);
	check(cluster_is("running"));
}
END_TEST

/* Its workers leave at once, so dracod queries Slurm about the job. */
START_TEST(its_end_is_noticed_by_its_workers)
{
	int queries;

	start_running("{'minimum': 4, 'poll_interval': 5}");
	await(jobs_of_phase("ready") == 2);
	pass(300);
	queries = slurm.queries;
	await(slurm.queries > queries);
	pass(1); /* the next planned query is half a minute away */
	job_end(job(0), STATE_CANCELLED, 0);
	await_from_to(0, 2, told("job 1_0: was cancelled"));
}
END_TEST

/* A node is excluded while slurmctld is away. Pending jobs avoid it once slurmctld is back. */
START_TEST(pending_jobs_avoid_an_excluded_node)
{
	const struct row node_fails = {.state = STATE_NODE_FAIL};

	slurm.nodes = 2;
	start_running("{'minimum': 4, 'poll_interval': 1}");
	ask(me(), "scale", json_pack("{s:i}", "jobs", 4));
	await(jobs_in(STATE_PENDING) == 2);
	let_end(&node_fails);
	let_end(&node_fails);
	slurm_fault("update", 3, FAULT_UNREACHABLE);
	let_end(&node_fails);
	await(is_excluded("n1"));
	await_from_to(5, 60, pending_avoids("n1"));
}
END_TEST

START_TEST(its_workers_have_not_come)
{
	start_running("{'minimum': 2, 'worker_timeout': 45, 'worker_start': 'spawn'}");
	dask.no_workers = true;
	job_end(job(0), STATE_CANCELLED, 0);
	await(jobs_in(STATE_RUNNING) == 1);
	await_from_to(45, 51,
		told("job 2: runs on n1, but none of its workers has connected within 45 s "
		     "(worker_timeout); the next submission waits 5 s (failure 1 in a row)"));
	await_from_to(0, 1, job(1)->said.state == STATE_COMPLETED); /* dracod has ended it */
	dask.no_workers = false;
	await_from_to(4, 7, jobs_submitted() == 3);
	await(strcmp(phase_of(job(2)), "ready") == 0);
}
END_TEST

/* If another job works, a start goes on without this one ... */
START_TEST(its_workers_have_not_come_in_a_start)
{
	dask.barren_node = "n1";
	start("{'minimum': 4, 'worker_timeout': 20, 'worker_start': 'spawn'}");
	await_from_to(20, 23, told("none of its workers has connected within 20 s"));
	dask.barren_node = NULL;
	check(start_succeeded());
	check(jobs_submitted() == 3);
	check(status_number("cluster.workers") == 4);
}
END_TEST

/* ... but if it is the only one, the start fails. */
START_TEST(its_workers_have_not_come_and_there_is_no_other)
{
	dask.no_workers = true;
	start("{'worker_timeout': 20, 'worker_start': 'spawn'}");
	await_from_to(20, 23, cluster_is("failed"));
	check(strstr(start_error(),
		"job 1 runs on n1, but none of its workers has connected within 20 s "
		"(worker_timeout): can the node reach tls://127.0.0.1:"));
	check(jobs_submitted() == 1);
	check(job(0)->said.state == STATE_COMPLETED);
}
END_TEST

START_TEST(nodes_are_blamed_for_workers_that_do_not_come)
{
	slurm.nodes = 2;
	start_running("{'minimum': 4, 'worker_timeout': 30, 'worker_start': 'spawn'}");
	dask.no_workers = true;
	job_end(job(0), STATE_CANCELLED, 0);
	await(is_excluded("n1"));
	check(has_notice("node n1 is excluded until"));
	check(has_notice("jobs have failed there 3 times within an hour"));
}
END_TEST

START_TEST(all_its_workers_have_gone_young)
{
	start_running("{'minimum': 2, 'worker_timeout': 20}");
	pass(10);
	workers_die(job(0), 2);
	await_from_to(20, 21,
		told("job 1: runs on n1, but all of its workers have gone, and none has come back "
		     "within 20 s (worker_timeout); the next submission waits 5 s"));
	await_from_to(4, 7, jobs_submitted() == 2);
	check(job(0)->said.state == STATE_COMPLETED);
}
END_TEST

/* Three jobs begin one after the other and fail together: one failure, whatever this host's clock
 * shows. */
START_TEST(jobs_fail_together_while_the_clock_is_wrong)
{
	clock_set_wall(_i ? 3600000 : -3600000);
	start_running("{'minimum': 2, 'worker_timeout': 20}");
	for (int jobs = 2; jobs <= 3; jobs++) {
		pass(3);
		ask(me(), "scale", json_pack("{s:i}", "jobs", jobs));
		await(jobs_of_phase("ready") == jobs);
	}
	for (int i = 0; i < 3; i++)
		workers_die(job(i), 2);
	await(times_told("as others did just now") == 2);
	check(told("(failure 1 in a row)"));
	check(!told("(failure 2 in a row)"));
}
END_TEST

START_TEST(all_its_workers_have_gone_old)
{
	start_running("{'minimum': 2, 'worker_timeout': 20}");
	pass(100);
	workers_die(job(0), 2);
	await_from_to(20, 21,
		told("all of its workers have gone, and none has come back within 20 s "
		     "(worker_timeout); another one is submitted"));
	await_from_to(0, 1, jobs_submitted() == 2);
	check(!told("in a row"));
}
END_TEST

START_TEST(nodes_are_blamed_for_workers_that_have_gone)
{
	slurm.nodes = 2;
	start_running("{'minimum': 4, 'worker_timeout': 20}");
	for (int i = 0; i < 3; i++) {
		await(on_n1() && strcmp(phase_of(on_n1()), "ready") == 0);
		pass(70);
		check(!is_excluded("n1"));
		workers_die(on_n1(), 2);
		await(!on_n1());
	}
	await_from_to(0, 2, is_excluded("n1"));
}
END_TEST

START_TEST(workers_that_come_back_in_time_are_welcome)
{
	start_running("{'minimum': 2, 'worker_timeout': 20}");
	workers_die(job(0), 2);
	pass(15);
	workers_return(job(0));
	holds_for(60, jobs_in(STATE_RUNNING) == 1 && jobs_submitted() == 1);
	check(strcmp(phase_of(job(0)), "ready") == 0);
}
END_TEST

START_TEST(it_is_requeued)
{
	start_running("{'minimum': 2, 'poll_interval': 1}");
	pass(5);
	job_requeue(job(0));
	await(told("job 1: was requeued by Slurm, from n1; it waits again"));
	check(strcmp(phase_of(job(0)), "pending") == 0);
	await_from_to(115, 125, strcmp(phase_of(job(0)), "ready") == 0);
	check(jobs_submitted() == 1);
	check(!told("in a row"));
}
END_TEST

START_TEST(its_workers_came_from_a_requeued_one)
{
	start_running("{'poll_interval': 1, 'worker_timeout': 45, 'worker_start': 'spawn'}");
	pass(100);
	job_requeue(job(0));
	dask.no_workers = true;
	await(told("was requeued by Slurm"));
	await(jobs_in(STATE_RUNNING) == 1);
	/* It counts as a new job, so its age begins again. After a long wait its start is noticed
	 * within 6 s. */
	await_from_to(43, 53, told("none of its workers has connected within 45 s"));
	check(told("(failure 1 in a row)"));
}
END_TEST

START_TEST(it_is_held)
{
	start_running("{'minimum': 2, 'wait_timeout': 50, 'poll_interval': 1}");
	job_requeue(job(0));
	job_hold(job(0), "JobHeldUser");
	await(told(
		"job 1: is held (JobHeldUser): it does not start before somebody releases it "
		"(scontrol release 1)"));
	await_from_to(48, 51,
		told("job 1: is held (JobHeldUser), and was not released within 50 s "
		     "(wait_timeout); the next submission waits 5 s (failure 1 in a row)"));
	await_from_to(0, 1, job(0)->said.state == STATE_CANCELLED);
	await_from_to(3, 6, jobs_submitted() == 2);
}
END_TEST

START_TEST(it_is_held_and_released)
{
	start_running("{'minimum': 2, 'wait_timeout': 50, 'poll_interval': 1}");
	job_requeue(job(0));
	job_hold(job(0), "JobHeldAdmin");
	await(told("is held (JobHeldAdmin)"));
	pass(40);
	job_release(job(0));
	await(strcmp(phase_of(job(0)), "ready") == 0);
	check(jobs_submitted() == 1);
	check(!told("in a row"));
}
END_TEST

START_TEST(it_is_held_in_a_start)
{
	slurm.partition[0].busy = slurm.partition[1].busy = true;
	start("{'wait_timeout': 50, 'poll_interval': 1}");
	await(jobs_submitted() == 1);
	job_hold(job(0), "JobHeldUser");
	await_from_to(48, 52, cluster_is("failed"));
	check(strstr(start_error(),
		"job 1 is held (JobHeldUser), and was not released within 50 s"));
	check(job(0)->said.state == STATE_CANCELLED);
}
END_TEST

START_TEST(its_scheduler_had_died)
{
	start_running("{'minimum': 8}");
	pass(5);
	dask_die(SIGKILL);
	await(jobs_in(STATE_COMPLETED) == 4);
	await(jobs_of_phase("ready") == 4 && workers() == 8);
	check(jobs_submitted() == 8);
	check(told("its scheduler had gone; another one is submitted"));
	check(!told("job 1_0: completed on n1; the next"));
	check(cluster_is("running"));
}
END_TEST

START_TEST(forkserver_was_to_blame)
{
	slurm_doom(STATE_FAILED, 1, 1);
	start("{'minimum': 2}");
	await(jobs_in(STATE_FAILED) == 1);
	slurm.doomed = false;
	await(cluster_is("running"));
	check(told(
		"job 1: failed with exit status 1 on n1 (NonZeroExitCode), forkserver may be "
		"why; another one is submitted"));
	check(has_notice("from now on workers are started by spawn instead of forkserver"));
	check(!told("in a row"));
	check(jobs_submitted() == 2);
}
END_TEST

/* Slurm cannot launch a job if its node does not see the new directory yet, or never does. */

START_TEST(one_that_is_not_launched_is_tried_again)
{
	slurm.launches_fail = 3;
	start("");
	await_from_to(30, 120, cluster_is("running"));
	ck_assert_int_eq(jobs_submitted(), 4);
	check(strstr(job(3)->said.nodes, "n1")); /* which is not blamed */
	check(slurm.last_exclude == NULL);
	check(json_array_size(
		      json_object_get(json_object_get(status(), "cluster"), "notices")) == 0);
}
END_TEST

START_TEST(none_can_be_launched)
{
	slurm.launches_fail = 99;
	start("");
	await_from_to(30, 120, cluster_is("failed"));
	ck_assert_int_eq(jobs_submitted(), 4);
	check(strstr(start_error(), "could not be launched on n1 (JobLaunchFailure)"));
	check(strstr(start_error(), "log_directory is /"));
	check(!strstr(start_error(), "spawn"));
}
END_TEST

/* A firewall: the start says where, and blames neither the node nor forkserver. */
START_TEST(none_reaches_the_scheduler)
{
	dask.no_workers = true;
	slurm_doom(STATE_FAILED, 96, 30);
	start("{'minimum': 2}");
	await_from_to(30, 40, cluster_is("failed"));
	check(jobs_submitted() == 1);
	check(strstr(start_error(),
		"job 1 failed on n1: the node cannot connect to the scheduler at "
		"tls://127.0.0.1:"));
	check(strstr(
		start_error(), ": a firewall may be why; scheduler_port chooses the port"));
	check(!told("spawn"));
	check(!is_excluded("n1"));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = scenarios("failures", its_end_is_noticed_by_its_workers,
		pending_jobs_avoid_an_excluded_node, its_workers_have_not_come,
		its_workers_have_not_come_in_a_start,
		its_workers_have_not_come_and_there_is_no_other,
		nodes_are_blamed_for_workers_that_do_not_come, all_its_workers_have_gone_young,
		all_its_workers_have_gone_old, nodes_are_blamed_for_workers_that_have_gone,
		workers_that_come_back_in_time_are_welcome, it_is_requeued,
		its_workers_came_from_a_requeued_one, it_is_held, it_is_held_and_released,
		it_is_held_in_a_start, its_scheduler_had_died, forkserver_was_to_blame,
		one_that_is_not_launched_is_tried_again, none_can_be_launched,
		none_reaches_the_scheduler);

	scenario_of_table(suite, a_job_ends, LENGTH(rows));
	scenario_of_table(suite, jobs_fail_together_while_the_clock_is_wrong, 2);
	return suite;
}
