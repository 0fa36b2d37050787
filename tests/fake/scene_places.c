/* scene_places.c: scenarios: the places of jobs. Places that cannot work are skipped, and the place
 * with the earliest start wins. A job that waits for too long may run in the next place, too, and a
 * start fails when no place is left. */
#include "world.h"

#include <string.h>

#include "common/settings.h"
#include "common/survey.h"

static struct fake_partition *const shorts = &slurm.partition[0],
				    *const standard = &slurm.partition[1];

static void fill_both(void)
{
	shorts->busy = standard->busy = true;
}

/* Places that cannot work. */

static const struct skip {
	const char *settings;
	struct fake_partition is; /* the partition short */
	const char *because;
} skips[] = {
	{.is = {.drained = true}, .because = "takes no jobs (it is drained or inactive)"},
	{.is = {.down = true}, .because = "the partition is down: it starts no jobs"},
	{.is = {.denied = "it is not for you"}, .because = "it is not for you"},
	{.is = {.max_time_s = 1800},
		.because = "its time limit is 00:30:00, and the walltime is 01:30:00"},
	{.is = {.cores = 1}, .because = "its largest node has 1 cores, and a job needs 2"},
	{.is = {.memory_mib = 500},
		.because = "its largest node has 500 MiB of memory, and a job needs 1 GiB"},
	{.settings = "{'queues_to_try': ['shrot', 'standard']}",
		.because = "Slurm has no such partition (it has: short, standard)"},
	/* Only Slurm knows the reason: it refuses a prediction. */
	{.is = {.refusal = "MaxNodes is 0"}, .because = "MaxNodes is 0"},
};

static const char *reason_of_first(void)
{
	const json_t *first = json_array_get(
		json_object_get(json_object_get(status(), "cluster"), "candidates"), 0);

	return json_string_value(json_object_get(first, "reason"));
}

START_TEST(what_cannot_work_is_skipped)
{
	const struct skip *skip = &skips[_i];
	const struct fake_partition was = *shorts;

	*shorts = skip->is;
	shorts->name = was.name;
	shorts->cores = skip->is.cores ? skip->is.cores : was.cores;
	shorts->memory_mib = skip->is.memory_mib ? skip->is.memory_mib : was.memory_mib;
	start_running(skip->settings ? skip->settings : "");
	check(strcmp(job(0)->said.partition, "standard") == 0);
	check(slurm.submissions == 1);
	ck_assert_str_eq(strstr(reason_of_first(), skip->because), skip->because);
}
END_TEST

START_TEST(nothing_can_work)
{
	start("{'cores': 99}");
	await_from_to(0, 1, cluster_is("failed"));
	check(strstr(start_error(), "Slurm has no place for the jobs"));
	check(strstr(
		start_error(), "\n  short: its largest node has 8 cores, and a job needs 99"));
	check(strstr(start_error(), "\n  standard: its largest node has 8 cores"));
	check(strstr(start_error(), "a job asks for 99 cores and 1 GiB on one node"));
	check(strstr(start_error(), "\ndracoctl config init proposes settings"));
	check(jobs_submitted() == 0);
}
END_TEST

/* What the user asked for by name, and Slurm does not have, is told although another place wins. */
START_TEST(a_queue_that_does_not_exist_is_told)
{
	start_running("{'queues_to_try': ['shrot', 'standard']}");
	check(has_notice("shrot in queues_to_try is not used: Slurm has no such partition "
			 "(it has: short, standard)"));
	check(times_told("shrot in queues_to_try is not used") == 1);
}
END_TEST

START_TEST(what_is_used_is_not_told)
{
	shorts->drained = true;
	start_running("");
	check(!has_notice("is not used"));
}
END_TEST

/* Sites that do not manage memory, and invisible nodes, rule nothing out. */
START_TEST(what_is_not_known_is_left_to_slurm)
{
	shorts->memory_mib = standard->memory_mib = NO_REAL_MEMORY_MIB;
	start_running("");
	check(strcmp(job(0)->said.partition, "short") == 0);
	check(slurm.last_memory_mib == MEMORY_NONE);
}
END_TEST

START_TEST(hidden_nodes)
{
	shorts->hidden = true;
	shorts->cores = shorts->memory_mib = 0;
	start_running("");
	check(strcmp(job(0)->said.partition, "short") == 0);
	check(slurm.last_memory_mib == 1024);
}
END_TEST

START_TEST(words_for_memory)
{
	start_running(_i == 0 ? "{'memory': 'node'}" : "{'memory': 'none'}");
	check(slurm.last_memory_mib == (_i == 0 ? MEMORY_NODE : MEMORY_NONE));
}
END_TEST

/* The earliest start. */

START_TEST(the_first_that_starts_in_time_wins)
{
	shorts->starts_in_s = 200;
	start("{'wait_timeout': 300}");
	await(jobs_submitted() == 1);
	check(strcmp(job(0)->said.partition, "short") == 0);
}
END_TEST

START_TEST(a_full_one_costs_no_waiting)
{
	shorts->starts_in_s = 3000;
	shorts->busy = true;
	start_running("{'wait_timeout': 300}");
	check(strcmp(job(0)->said.partition, "standard") == 0);
	check(clock_ms() < 5000);
}
END_TEST

START_TEST(else_the_soonest)
{
	shorts->starts_in_s = 3000;
	standard->starts_in_s = 1200;
	fill_both();
	start("{'wait_timeout': 300}");
	await(jobs_submitted() == 1);
	check(strcmp(job(0)->said.partition, "standard") == 0);
}
END_TEST

START_TEST(slurm_is_too_busy_to_predict)
{
	shorts->drained = true;
	slurm_fault("predict", 1, FAULT_UNREACHABLE);
	start_running("");
	check(strcmp(job(0)->said.partition, "standard") == 0);
}
END_TEST

/* Slurm refuses a job in a place for which it had predicted a start. */
START_TEST(a_refusal_is_followed_by_the_next_place)
{
	slurm_fault("submit", 1, FAULT_REFUSED);
	start_running("");
	check(strcmp(job(0)->said.partition, "standard") == 0);
	check(jobs_submitted() == 1);
}
END_TEST

START_TEST(all_refuse)
{
	slurm_fault("submit", 2, FAULT_REFUSED);
	start("");
	check(strstr(start_error(), "\n  short: Slurm says no\n  standard: Slurm says no"));
	check(jobs_submitted() == 0);
}
END_TEST

/* The site hides its partitions, so sbatch decides. */
START_TEST(slurm_tells_nothing)
{
	slurm_fault("survey", 1, FAULT_REFUSED);
	start_running("");
	check(slurm.predictions == 0);
	check(strcmp(job(0)->said.partition, "short") == 0);
}
END_TEST

/* Reservations. */

START_TEST(an_active_reservation_is_used)
{
	slurm.reservation[0] =
		(struct fake_reservation){.name = "course", .begin_s = -100, .end_s = 36000};
	fill_both();
	shorts->starts_in_s = standard->starts_in_s = 5000;
	start_running("{'reservation': 'course'}");
	check(strcmp(job(0)->reservation, "course") == 0);
	check(strcmp(job(0)->said.partition, "short") == 0);
}
END_TEST

static const struct {
	struct fake_reservation is;
	const char *because;
} useless[] = {
	{{.name = "other", .begin_s = -100, .end_s = 36000},
		"there is no such reservation (or it has ended)"},
	{{.name = "course", .begin_s = 3600, .end_s = 36000},
		"the reservation does not begin until 2026-01-15 10:00"},
	{{.name = "course", .begin_s = -3600, .end_s = -10},
		"the reservation ended at 2026-01-15 08:59"},
	{{.name = "course", .begin_s = -3600, .end_s = 1800},
		"the reservation ends at 2026-01-15 09:30, before a job of 01:30:00 would"},
	{{.name = "course",
		 .begin_s = -3600,
		 .end_s = 36000,
		 .denied = "for users daemon, not for user root"},
		"for users daemon, not for user root"},
};

START_TEST(one_that_is_of_no_use_is_skipped)
{
	slurm.reservation[0] = useless[_i].is;
	start_running("{'reservation': 'course'}");
	check(!job(0)->reservation);
	ck_assert_str_eq(reason_of_first(), useless[_i].because);
	check(has_notice("the reservation course is not used: "));
	check(has_notice(useless[_i].because));
	check(told("the reservation course is not used: "));
}
END_TEST

START_TEST(a_reservation_without_room_is_left)
{
	slurm.reservation[0] = (struct fake_reservation){
		.name = "course", .begin_s = -100, .end_s = 36000, .full = true};
	fill_both();
	start("{'reservation': 'course', 'wait_timeout': 60}");
	await(jobs_submitted() == 1);
	check(strcmp(job(0)->reservation, "course") == 0);
	await_from_to(59, 62, strcmp(job(0)->partitions, "short,standard") == 0);
	check(strcmp(job(0)->reservation, "course") == 0);
	await_from_to(59, 62, !job(0)->reservation);
	shorts->busy = false;
	check(start_succeeded());
	check(jobs_submitted() == 1);
}
END_TEST

/* Widening. */

START_TEST(a_job_that_waits_is_widened_in_place)
{
	fill_both();
	start("{'wait_timeout': 300}");
	await(jobs_submitted() == 1);
	holds_for(298, !job(0)->updated);
	await_from_to(0, 4, job(0)->updated);
	ck_assert_str_eq(job(0)->partitions, "short,standard");
	check(told("job 1: pending for too long (Resources), may run in short,standard now"));
	pass(100);
	standard->busy = false;
	check(start_succeeded());
	check(jobs_submitted() == 1); /* it keeps its id and its age */
	ck_assert_str_eq(job(0)->said.partition, "standard");
}
END_TEST

/* Slurm's prediction is for one job. When several are asked for, those without room do not wait for
 * wait_timeout while the next place has room. */
START_TEST(one_too_many_is_widened_at_once)
{
	start_running("{'wait_timeout': 300}");
	shorts->busy = true;
	if (_i) { /* the next place has none either: they wait as long as a single job */
		standard->busy = true;
		standard->starts_in_s = 5000;
	}
	ask(me(), "scale", json_pack("{s:i}", "jobs", 4));
	if (!_i) {
		await_from_to(0, 20, workers() == 8);
		check(told("no room for it (Resources), may run in short,standard now"));
		ck_assert_str_eq(job(3)->said.partition, "standard");
		return;
	}
	await(jobs_submitted() == 4);
	holds_for(290, !job(3)->updated);
	await_from_to(0, 20, job(3)->updated);
}
END_TEST

START_TEST(slurm_cannot_be_asked_to_widen)
{
	fill_both();
	slurm_fault("update", 3, FAULT_UNREACHABLE);
	start("{'wait_timeout': 300}");
	await_from_to(302, 310, jobs_submitted() == 1 && job(0)->updated);
}
END_TEST

/* If a site forbids that, another job is submitted. The first of the two to start stays. */
START_TEST(a_site_forbids_it)
{
	struct fake_job *winner, *loser;

	fill_both();
	slurm.moves_forbidden = true;
	start("{'wait_timeout': 300}");
	await_from_to(299, 305, jobs_submitted() == 2);
	ck_assert_str_eq(job(0)->said.partition, "short");
	ck_assert_str_eq(job(1)->said.partition, "standard");
	pass(100);
	(_i ? shorts : standard)->busy = false;
	winner = job(_i ? 0 : 1);
	loser = job(_i ? 1 : 0);
	check(start_succeeded());
	check(winner->said.state == STATE_RUNNING);
	await_from_to(0, 1, loser->said.state == STATE_CANCELLED);
	check(told("the job that it was paired with has started"));
	holds_for(600, jobs_submitted() == 2);
}
END_TEST

/* No place is left. */

START_TEST(all_places_are_exhausted)
{
	fill_both();
	start("{'wait_timeout': 300, 'queues_to_try': ['nowhere', 'short', 'standard']}");
	await_from_to(600, 610, cluster_is("failed"));
	check(strstr(start_error(), "no job has started in time:"));
	check(strstr(start_error(), "\n  nowhere: Slurm has no such partition"));
	check(strstr(start_error(),
		"\n  short: job 1 was pending there for 5 min "
		"(wait_timeout) or more: Resources"));
	check(strstr(start_error(), "\n  standard: job 1 was pending there for 5 min"));
	check(job(0)->said.state == STATE_CANCELLED);
	check(!dask_is_up());
}
END_TEST

/* The start succeeded with one job. The others may wait without limit. */
START_TEST(a_cluster_that_runs_goes_on)
{
	slurm.nodes = 1;
	start("{'minimum': 4, 'wait_timeout': 60}");
	await(jobs_in(STATE_RUNNING) == 1);
	holds_for(1000, jobs_in(STATE_PENDING) >= 1 && !cluster_is("failed"));
	check(told("job 1_1: pending for too long (Resources), and there is no further place"));
}
END_TEST

START_TEST(no_place_for_further_jobs)
{
	int surveys;

	start_running("");
	shorts->drained = standard->drained = true;
	surveys = slurm.surveys;
	tasks_come(100);
	holds_for(601, jobs_submitted() == 1 && cluster_is("running"));
	/* dracod searches once a minute. */
	ck_assert_int_ge(slurm.surveys - surveys, 10);
	ck_assert_int_le(slurm.surveys - surveys, 12);
	standard->drained = false;
	await_from_to(0, 61, jobs_submitted() == 4);
}
END_TEST

static void scale_to(int jobs)
{
	ask(me(), "scale", json_pack("{s:i}", "jobs", jobs));
	await_from_to(0, 30, jobs_of_phase("ready") == jobs);
}

/* Where jobs have started, Slurm is not asked for a place again, for some minutes. */
START_TEST(growth_remembers_the_place)
{
	start_running("{'minimum': 2, 'maximum': 20}");
	for (int jobs = 2; jobs <= 4; jobs++)
		scale_to(jobs);
	check(slurm.surveys == 1 && slurm.predictions == 1);
	holds_for(300, slurm.surveys == 1);
	scale_to(5);
	check(slurm.surveys == 2 && slurm.predictions == 2);
	shorts->busy =
		true; /* and standard is not: it is used before wait_timeout has passed */
	scale_to(6);
}
END_TEST

/* Where jobs wait, it is, and yet nodes and partitions are not read at each growth. */
START_TEST(growth_remembers_the_survey)
{
	int surveys, predictions;

	start_running("{'minimum': 2, 'maximum': 20, 'wait_timeout': 600}");
	fill_both();
	ask(me(), "scale", json_pack("{s:i}", "jobs", 2));
	await_from_to(0, 30, jobs_of_phase("pending") == 1);
	holds_for(20, jobs_of_phase("pending") == 1);
	surveys = slurm.surveys;
	for (int jobs = 3; jobs <= 4; jobs++) {
		predictions = slurm.predictions;
		ask(me(), "scale", json_pack("{s:i}", "jobs", jobs));
		await_from_to(0, 10, slurm.predictions == predictions + 1);
	}
	check(slurm.surveys == surveys);
}
END_TEST

/* A job that Slurm accepts but never starts counts as refused. */
START_TEST(a_job_that_never_starts_there)
{
	shorts->never = "Job's account not permitted to use this partition";
	start_running("");
	check(jobs_submitted() == 2);
	check(job(0)->said.state == STATE_CANCELLED);
	check(told("never starts there"));
	forget();
	tasks_come(100);
	await(jobs_in(STATE_RUNNING) == 4);
	check(!told("never starts there"));
}
END_TEST

START_TEST(jobs_that_never_start_anywhere)
{
	shorts->never = "Job's account not permitted to use short";
	standard->never = "Job's account not permitted to use standard";
	start("");
	check(strstr(start_error(), "to use short"));
	check(strstr(start_error(), "to use standard"));
	await_from_to(0, 20, jobs_in(STATE_PENDING) == 0);
}
END_TEST

/* Without queues_to_try dracod names no partition. */
START_TEST(the_site_chooses)
{
	start_running("{'queues_to_try': []}");
	check(told("submitting 1 job to the partition that the site chooses"));
	check(strcmp(job(0)->said.partition, "short") == 0);
}
END_TEST

START_TEST(a_dry_run_submits_nothing)
{
	json_t *params = start_params(""), *answer;

	json_object_del(params, "directory");
	json_object_del(params, "progress");
	shorts->drained = true;
	answer = ask(me(), "plan", params);
	check(json_integer_value(json_object_get(answer, "chosen")) == 1);
	check(jobs_submitted() == 0 && slurm.predictions == 1);
	check(cluster_is("stopped"));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = scenarios("places", nothing_can_work,
		a_queue_that_does_not_exist_is_told, what_is_used_is_not_told,
		what_is_not_known_is_left_to_slurm, hidden_nodes,
		the_first_that_starts_in_time_wins, a_full_one_costs_no_waiting,
		else_the_soonest, slurm_is_too_busy_to_predict, the_site_chooses,
		a_job_that_never_starts_there, jobs_that_never_start_anywhere,
		a_refusal_is_followed_by_the_next_place, all_refuse, slurm_tells_nothing,
		an_active_reservation_is_used, a_reservation_without_room_is_left,
		a_job_that_waits_is_widened_in_place, slurm_cannot_be_asked_to_widen,
		all_places_are_exhausted, a_cluster_that_runs_goes_on,
		no_place_for_further_jobs, growth_remembers_the_place,
		growth_remembers_the_survey, a_dry_run_submits_nothing);

	scenario_of_table(suite, what_cannot_work_is_skipped, LENGTH(skips));
	scenario_of_table(suite, one_that_is_of_no_use_is_skipped, LENGTH(useless));
	scenario_of_table(suite, a_site_forbids_it, 2);
	scenario_of_table(suite, one_too_many_is_widened_at_once, 2);
	scenario_of_table(suite, words_for_memory, 2);
	return suite;
}
