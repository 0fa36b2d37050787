/* scene_many.c: scenarios: a cluster of 3,000 jobs.
 *
 * A job has one worker. What dracod does for them is measured by the processor time of this
 * process, which holds the fake world, too. */
#include "world.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/line.h"

#define MANY	  3000
#define SOME	  200
#define GONE_KEPT 32 /* of daemon/cluster/jobs.c */

static double used_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static void start_jobs(int count)
{
	_cleanup_free_ char *settings = xasprintf(
		"{'processes': 1, 'cores': 1, 'minimum': %d, 'maximum': %d}", count, count);

	slurm.nodes = count;
	dask.processes = 1;
	start_running(settings);
	printf("%d jobs: %.0f ms of processor time to start\n", count, used_ms());
}

static size_t jobs_shown(void)
{
	return json_array_size(json_object_get(status(), "jobs"));
}

/* An answer may be longer than a request. */
static void look_at_their_status(void)
{
	_cleanup_free_ char *text = NULL;
	double before;

	check(jobs_shown() == MANY);
	check(jobs_of_phase("ready") == MANY);
	text = json_dumps(status(), JSON_COMPACT);
	check(strlen(text) > 2 * LINE_LIMIT);
	before = used_ms();
	for (int i = 0; i < 10; i++)
		status();
	printf("%d jobs: %zu KiB of status, %.1f ms of processor time, with its reading\n",
		MANY, strlen(text) / 1024, (used_ms() - before) / 10);
	check(slurm.submissions == 3);
	holds_for(20, jobs_submitted() == MANY);
}

START_TEST(they_are_told_and_ended)
{
	double before;

	start_jobs(MANY);
	look_at_their_status();
	before = used_ms();
	ask(me(), "stop", NULL);
	printf("%d jobs: %.0f ms of processor time to stop\n", MANY, used_ms() - before);
	check(cluster_is("stopped"));
	check(jobs_in(STATE_RUNNING) == 0 && jobs_in(STATE_PENDING) == 0);
	check(jobs_shown() == GONE_KEPT);
}
END_TEST

/* Of jobs that are gone the last few are kept. */
START_TEST(most_of_them_are_given_back)
{
	double before;
	int64_t begin_ms;

	start_jobs(SOME);
	before = used_ms();
	begin_ms = clock_ms();
	ask(me(), "scale", json_pack("{s:i}", "jobs", 10));
	await(jobs_in(STATE_RUNNING) == 10);
	printf("%d jobs: %.0f ms of processor time to give back all but 10, within %.1f s\n",
		SOME, used_ms() - before, (double)(clock_ms() - begin_ms) / 1000);
	pass(10);
	check(jobs_shown() == 10 + GONE_KEPT);
	holds_for(20, jobs_submitted() == SOME);
	check(jobs_shown() == 10 + GONE_KEPT);
}
END_TEST

Suite *unit_suite(void)
{
	return scenarios("many", they_are_told_and_ended, most_of_them_are_given_back);
}
