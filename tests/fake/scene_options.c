/* scene_options.c: scenarios: places with options of sbatch of their own. A job has one set of
 * options, so that another job is submitted where one would be widened. */
#include "world.h"

#include <string.h>

#include "common/strv.h"

static struct fake_partition *const shorts = &slurm.partition[0],
				    *const standard = &slurm.partition[1];

static void fill_both(void)
{
	shorts->busy = standard->busy = true;
}

#define BIG   "{'partition': 'standard', 'account': 'big'}"
#define SMALL "{'partition': 'short', 'account': 'small', 'qos': 'debug'}"

static bool has(int at, const char *directive)
{
	return strv_has(&job(at)->directives, directive);
}

START_TEST(a_place_has_options_of_its_own)
{
	shorts->demand = "account=small";
	standard->demand = "account=big";
	shorts->busy = _i != 0;
	shorts->starts_in_s = _i ? 3000 : 0;
	start_running(_i == 2 ? "{'wait_timeout': 300, 'account': 'small', 'queue_options': "
				"{'standard': {'account': 'big'}}}"
			      : "{'wait_timeout': 300, 'queues_to_try': [" SMALL "," BIG "]}");
	check(jobs_submitted() == 1);
	ck_assert_str_eq(job(0)->said.partition, _i ? "standard" : "short");
	check(has(0, _i ? "account=big" : "account=small"));
	check(has(0, "qos=debug") == (_i == 0));
	check(told(_i ? "submitting 1 job to standard (account=big)"
		      : "submitting 1 job to short (qos=debug, account=small)") ||
		told("submitting 1 job to short (account=small, qos=debug)"));
}
END_TEST

/* A job has one set of options, so that another one is submitted. */
START_TEST(another_job_in_place_of_widening)
{
	struct fake_job *winner, *loser;

	fill_both();
	start("{'wait_timeout': 300, 'queues_to_try': ['short', " BIG "]}");
	await_from_to(299, 305, jobs_submitted() == 2);
	check(told("job 1: pending for too long (Resources), and another job is submitted to "
		   "standard (account=big)"));
	check(!job(0)->updated);
	ck_assert_str_eq(job(1)->said.partition, "standard");
	check(has(1, "account=big") && !has(0, "account=big"));
	pass(100);
	(_i ? shorts : standard)->busy = false;
	winner = job(_i ? 0 : 1);
	loser = job(_i ? 1 : 0);
	check(start_succeeded());
	check(winner->said.state == STATE_RUNNING);
	await_from_to(0, 1, loser->said.state == STATE_CANCELLED);
	holds_for(600, jobs_submitted() == 2);
}
END_TEST

/* Each of three places with a job of its own. All wait until the first one starts. */
START_TEST(one_job_in_each_of_three_places)
{
	slurm.partition[2] = *standard;
	slurm.partition[2].name = "long";
	fill_both();
	slurm.partition[2].busy = true;
	start("{'wait_timeout': 300, 'queues_to_try': [" SMALL "," BIG
	      ", {'partition': 'long', 'account': 'huge'}]}");
	await_from_to(299, 305, jobs_submitted() == 2);
	await_from_to(299, 305, jobs_submitted() == 3);
	check(jobs_in(STATE_PENDING) == 3);
	pass(100);
	slurm.partition[_i].busy = false;
	check(start_succeeded());
	check(job(_i)->said.state == STATE_RUNNING);
	await_from_to(0, 5, jobs_in(STATE_PENDING) == 0);
	holds_for(600, jobs_submitted() == 3);
	slurm.partition[2] = (struct fake_partition){0};
}
END_TEST

/* All have waited. */
START_TEST(no_place_with_own_options_is_left)
{
	fill_both();
	start("{'wait_timeout': 300, 'queues_to_try': [" SMALL "," BIG "]}");
	await_from_to(600, 610, cluster_is("failed"));
	check(strstr(start_error(), "standard (account=big): job 2 was pending there"));
	check(strstr(start_error(), "short ("));
	await_from_to(0, 5, jobs_in(STATE_PENDING) == 0);
}
END_TEST

/* Where the next place takes no job, the first job waits on. */
START_TEST(the_next_place_takes_none)
{
	fill_both();
	start("{'wait_timeout': 300, 'queues_to_try': ['short', " BIG "]}");
	await(jobs_submitted() == 1);
	slurm_fault("submit", 1, FAULT_REFUSED);
	await_from_to(299, 310, cluster_is("failed"));
	check(strstr(start_error(), "short: job 1 was pending there"));
	check(told("no further place takes a job: it waits where it is"));
	await_from_to(0, 5, jobs_in(STATE_PENDING) == 0);
}
END_TEST

/* Places with the same options are widened as ever. */
START_TEST(the_same_options_are_one_job)
{
	fill_both();
	start("{'wait_timeout': 300, 'queues_to_try': "
	      "['short account=a', {'partition': 'standard', 'account': 'a'}]}");
	await_from_to(299, 305, jobs_submitted() == 1 && job(0)->updated);
	ck_assert_str_eq(job(0)->partitions, "short,standard");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = scenarios("options", no_place_with_own_options_is_left,
		the_next_place_takes_none, the_same_options_are_one_job);

	scenario_of_table(suite, a_place_has_options_of_its_own, 3);
	scenario_of_table(suite, another_job_in_place_of_widening, 2);
	scenario_of_table(suite, one_job_in_each_of_three_places, 3);
	return suite;
}
