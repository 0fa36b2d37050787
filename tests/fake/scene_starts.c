/* scene_starts.c: scenarios: a start, and a stop at any moment of it. */
#include "world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"

/* A waiting cluster must not burden slurmctld. */
START_TEST(an_hour_of_waiting_costs_few_queries)
{
	slurm.partition[0].busy = slurm.partition[1].busy = true;
	start("{'wait_timeout': '4 h'}");
	await(jobs_in(STATE_PENDING) > 0);
	pass(3600);
	check(slurm.queries < 3 * 60);
	check(slurm.predictions < 10);
	slurm.partition[0].busy = false;
	await_from_to(0, 40, start_succeeded());
}
END_TEST

START_TEST(a_start_brings_one_job)
{
	start_running("");
	check(slurm.submissions == 1 && slurm.surveys == 1 && slurm.predictions == 1);
	check(jobs_submitted() == 1);
	check(workers() == 2);
	check(told("job 1: new -> submitted"));
	check(told("job 1: submitted -> pending"));
	check(told("job 1: pending -> starting"));
	check(told("job 1: starting -> ready"));
	check(told("cluster fake: starting -> running"));
}
END_TEST

/* Slurm runs jobs while the scheduler still boots, so no time is lost. */
START_TEST(jobs_do_not_wait_for_the_scheduler)
{
	dask.boot_ms = 10000;
	start("");
	await(jobs_in(STATE_RUNNING) == 1);
	check(clock_ms() < 2000);
	check(!dask_is_up());
	check(start_succeeded());
}
END_TEST

/* Is the port of this address free for somebody who looks for a port? */
static bool is_free(const char *url)
{
	struct sockaddr_in name = {.sin_family = AF_INET};
	char host[INET_ADDRSTRLEN];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), r;
	unsigned short port;

	ck_assert_int_eq(sscanf(url, "%*[^:]://%15[0-9.]:%hu", host, &port), 2);
	ck_assert_int_eq(inet_pton(AF_INET, host, &name.sin_addr), 1);
	name.sin_port = htons(port);
	r = bind(fd, (struct sockaddr *)&name, sizeof(name));
	close(fd);
	return r == 0;
}

/* From the moment at which it is chosen, also while no scheduler listens there. */
START_TEST(nobody_else_gets_the_port_of_the_scheduler)
{
	_cleanup_free_ char *address = NULL;

	dask.boot_ms = 10000;
	start("");
	await(status_text("scheduler.address"));
	address = xstrdup(status_text("scheduler.address"));
	check(!dask_is_up());
	check(!is_free(address));
	check(start_succeeded());
	dask_die(EXITED(1));
	await(!dask_is_up());
	check(!is_free(address));
	await(dask_is_up());
	ask(me(), "stop", NULL);
	check(is_free(address));
}
END_TEST

START_TEST(as_many_workers_as_the_minimum)
{
	dask.worker_ms = 100000;
	start("{'minimum': 6, 'worker_timeout': 600}");
	await(jobs_in(STATE_RUNNING) == 3);
	holds_for(90, cluster_is("starting"));
	check(start_succeeded());
	check(workers() == 6);
}
END_TEST

/* A start that waits for no worker. */
START_TEST(workers_come_with_the_work)
{
	dask.boot_ms = 10000;
	start("{'minimum': 0}");
	await(strstr(progress_of(me()), "jobs come with the work"));
	check(start_succeeded());
	check(clock_ms() < 12000 && jobs_submitted() == 0 && slurm.surveys == 1);
	check(cluster_is("running"));
	check(strstr(status_text("size.why"), "the work needs 0, minimum 0 jobs"));
	holds_for(600, jobs_submitted() == 0);
	tasks_come(1);
	await_from_to(0, 5, workers() == 2);
	tasks_done();
	await_from_to(0, 90, jobs_alive() == 0);
	check(cluster_is("running"));
}
END_TEST

/* It tells nevertheless that jobs can run nowhere. */
START_TEST(without_workers_and_without_a_place)
{
	slurm.partition[0].drained = slurm.partition[1].drained = true;
	start("{'minimum': 0}");
	check(strstr(start_error(), "Slurm has no place for the jobs"));
	check(cluster_is("failed") && jobs_submitted() == 0);
}
END_TEST

/* Slurm does not answer the question for places at first. */
START_TEST(without_workers_and_without_an_answer)
{
	slurm_fault("survey", 30, FAULT_UNREACHABLE);
	start("{'minimum': 0}");
	holds_for(25, cluster_is("starting"));
	await_from_to(0, 60, cluster_is("running"));
	check(slurm.surveys == 1 && jobs_submitted() == 0);
}
END_TEST

START_TEST(the_milestones)
{
	static const char *const names[] = {
		"prepared", "submitted", "scheduler up", "running", "first worker", "ready"};
	double last = 0;

	start_running("");
	for (size_t i = 0; i < LENGTH(names); i++) {
		const json_t *reached = json_object_get(
			json_object_get(json_object_get(status(), "cluster"), "milestones"),
			names[i]);

		check(json_is_real(reached));
		check(json_real_value(reached) >= last);
		last = json_real_value(reached);
	}
}
END_TEST

START_TEST(after_a_start_that_failed)
{
	slurm_doom(STATE_FAILED, 91, 1);
	start("");
	check(strstr(start_error(), "its prologue failed"));
	slurm.doomed = false;
	start_running("");
	check(cluster_is("running"));
	check(jobs_submitted() == 2);
}
END_TEST

START_TEST(a_stop_gives_all_back)
{
	start_running("{'minimum': 8}");
	check(jobs_in(STATE_RUNNING) == 4);
	ask(me(), "stop", NULL);
	check(cluster_is("stopped"));
	check(jobs_in(STATE_COMPLETED) == 4);
	check(!dask_is_up());
}
END_TEST

/* Moments after the beginning of a start in which each answer of Slurm takes a fifth of a
 * second. */
static const int moments_ms[] = {0, 1, 100, 199, 200, 201, 300, 399, 400, 401, 500, 600, 601,
	700, 800, 801, 900, 1000, 1001, 1500, 2000, 2100, 2500, 3000, 3400, 3500, 3600, 4000};

START_TEST(a_stop_at_any_moment)
{
	int submissions;

	slurm.answer_ms = 200;
	start("{'minimum': 4}");
	pass(moments_ms[_i] / 1000.0);
	ask(me(), "stop", NULL);
	check(cluster_is("stopped"));
	submissions = slurm.submissions;
	if (start_succeeded())
		check(moments_ms[_i] > 2500); /* it was ready already */
	else
		check(strstr(start_error(), "the cluster was stopped while it started"));
	check(jobs_in(STATE_PENDING) == 0 && jobs_in(STATE_RUNNING) == 0);
	holds_for(300, slurm.submissions == submissions && jobs_in(STATE_RUNNING) == 0);
	check(status_number("slurm.helper_pid") == 0); /* draco-slurm has ended */
	start_running("");
	check(status_number("cluster.workers") == 2);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = scenarios("starts", a_start_brings_one_job,
		an_hour_of_waiting_costs_few_queries, jobs_do_not_wait_for_the_scheduler,
		nobody_else_gets_the_port_of_the_scheduler, as_many_workers_as_the_minimum,
		workers_come_with_the_work, without_workers_and_without_a_place,
		without_workers_and_without_an_answer, the_milestones,
		after_a_start_that_failed, a_stop_gives_all_back);

	scenario_of_table(suite, a_stop_at_any_moment, LENGTH(moments_ms));
	return suite;
}
