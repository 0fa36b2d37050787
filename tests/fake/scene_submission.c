/* scene_submission.c: scenarios: jobs are submitted exactly once, even if a request or its answer
 * is lost. */
#include "world.h"

#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"

static const enum fault faults[] = {
	FAULT_DIE_BEFORE, FAULT_DIE_AFTER, FAULT_HANG_BEFORE, FAULT_HANG_AFTER};

static bool was_submitted(enum fault fault)
{
	return fault == FAULT_DIE_AFTER || fault == FAULT_HANG_AFTER;
}

/* One job, or an array of three. */
START_TEST(the_answer_is_lost)
{
	enum fault fault = faults[_i / 2];
	int jobs = _i % 2 ? 3 : 1;

	slurm_fault("submit", 1, fault);
	start_running(jobs == 3 ? "{'minimum': 6}" : "");
	check(jobs_submitted() == jobs);
	check(slurm.submissions == 1);
	check(told("the answer was lost, looking for it in the queue"));
	check(told("found in the queue as job 1") == was_submitted(fault));
	check(told("is not in the queue") != was_submitted(fault));
	check(jobs_of_phase("ready") == jobs);
	holds_for(60, jobs_submitted() == jobs && jobs_in(STATE_RUNNING) == jobs);
}
END_TEST

START_TEST(the_answer_is_lost_and_the_queue_cannot_be_read)
{
	enum fault fault = faults[_i];

	slurm_fault("submit", 1, fault);
	start("");
	await(told("the answer was lost"));
	slurm.away = true;
	holds_for(120, slurm.submissions == was_submitted(fault));
	slurm.away = false;
	check(start_succeeded());
	check(slurm.submissions == 1);
}
END_TEST

START_TEST(a_stop_while_it_is_in_doubt)
{
	enum fault fault = faults[_i];

	slurm.partition[0].busy = slurm.partition[1].busy = true;
	slurm_fault("submit", 1, fault);
	start("");
	await(told("the answer was lost"));
	ask(me(), "stop", NULL);
	check(slurm.submissions == was_submitted(fault));
	check(jobs_in(STATE_PENDING) == 0);
	holds_for(
		600, jobs_in(STATE_PENDING) == 0 && slurm.submissions == was_submitted(fault));
}
END_TEST

START_TEST(it_is_lost_again_and_again)
{
	slurm_fault("submit", 3, FAULT_DIE_BEFORE);
	slurm_fault("submit", 1, FAULT_DIE_AFTER);
	start_running("{'minimum': 4}");
	check(times_told("the answer was lost") == 4);
	check(slurm.submissions == 1);
}
END_TEST

START_TEST(slurmctld_is_not_reached)
{
	slurm_fault("submit", 5, FAULT_UNREACHABLE);
	start("");
	await(told("not submitted, trying again: cannot reach slurmctld"));
	/* The tries come after 0.5, 1, 2, 4 and 8 s. */
	await_from_to(15, 16.5, slurm.submissions == 1);
	check(start_succeeded());
}
END_TEST

/* slurmctld is slow: it carries out the first request long after another one was made. */
START_TEST(one_too_many_is_cancelled)
{
	_cleanup_free_ char *name = NULL;
	struct fake_job *late;

	slurm_fault("submit", 1, FAULT_DIE_BEFORE);
	start_running("");
	name = xstrdup(job(0)->said.name);
	late = slurm_add_job(name);
	await(told("job 2: is one too many"));
	await_from_to(0, 1, late->said.state == STATE_CANCELLED);
	check(strcmp(phase_of(job(0)), "ready") == 0);
	holds_for(60, jobs_submitted() == 2);
}
END_TEST

/* Jobs of other clusters, of this name or of others, are not dracod's to end. */
START_TEST(jobs_of_others_are_left_alone)
{
	struct fake_job *other, *earlier;

	start_running("");
	other = slurm_add_job("draco-other-12345678.1");
	earlier = slurm_add_job("draco-fake-12345678.1");
	pass(120);
	check(other->said.state == STATE_RUNNING);
	check(earlier->said.state == STATE_RUNNING);
	ask(me(), "stop", NULL);
	pass(120);
	check(other->said.state == STATE_RUNNING);
}
END_TEST

START_TEST(arrays_are_no_larger_than_the_site_allows)
{
	slurm.array_max = 3;
	start_running("{'minimum': 16, 'maximum': 16}");
	check(slurm.submissions == 3);
	check(jobs_submitted() == 8);
}
END_TEST

/* Slurm is slow, and takes one job at a time: a stop submits no more than the one that is sent. */
START_TEST(a_stop_while_many_wait)
{
	slurm.array_max = 1;
	start_running("{'maximum': 40}");
	slurm.answer_ms = 2000;
	ask(me(), "scale", json_pack("{s:i}", "jobs", 8));
	await(slurm.submissions == 2);
	ask(me(), "stop", NULL);
	check(slurm.submissions <= 3);
	check(jobs_in(STATE_PENDING) + jobs_in(STATE_RUNNING) == 0);
}
END_TEST

START_TEST(draco_slurm_dies_again_and_again_in_a_start)
{
	static const char *const methods[] = {"site", "survey", "predict", "query", "query"};

	for (size_t i = 0; i < LENGTH(methods); i++)
		slurm_fault(methods[i], 1, i % 2 ? FAULT_HANG_BEFORE : FAULT_DIE_BEFORE);
	start_running("{'minimum': 4}");
	check(slurm.submissions == 1);
	check(process_count("draco-slurm") >= 4);
}
END_TEST

/* Slurm's library may look for slurmctld for a while before draco-slurm can answer at all. */
START_TEST(draco_slurm_greets_late)
{
	slurm_fault("hello", 1, FAULT_HANG_BEFORE);
	start_running("");
	check(told("hello: no answer within 15 s, ending draco-slurm"));
	check(process_count("draco-slurm") == 2);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite =
		scenarios("submission", it_is_lost_again_and_again, slurmctld_is_not_reached,
			one_too_many_is_cancelled, jobs_of_others_are_left_alone,
			arrays_are_no_larger_than_the_site_allows, a_stop_while_many_wait,
			draco_slurm_greets_late, draco_slurm_dies_again_and_again_in_a_start);

	scenario_of_table(suite, the_answer_is_lost, 2 * LENGTH(faults));
	scenario_of_table(
		suite, the_answer_is_lost_and_the_queue_cannot_be_read, LENGTH(faults));
	scenario_of_table(suite, a_stop_while_it_is_in_doubt, LENGTH(faults));
	return suite;
}
