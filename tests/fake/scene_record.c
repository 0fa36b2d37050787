/* scene_record.c: scenarios: dracod is killed, and its record is damaged, or of another
 * host. */
#include "world.h"

#include <stdio.h>
#include <unistd.h>

#include "adopted.h"
#include "common/cleanup.h"
#include "common/json.h"

static void write_state(const char *name, const char *text)
{
	_cleanup_free_ char *path = state_path(name);
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

/* Replace a member of the record. value NULL: remove it. */
static void change_record(const char *name, json_t *value)
{
	_cleanup_free_ char *path = state_path("cluster.json");
	_cleanup_json_ json_t *record = json_load_file(path, 0, NULL);

	ck_assert_ptr_nonnull(record);
	if (value)
		json_object_set_new(record, name, value);
	else
		json_object_del(record, name);
	ck_assert_int_eq(json_dump_file(record, path, 0), 0);
}

static void truncate_record(void)
{
	_cleanup_free_ char *path = state_path("cluster.json");

	ck_assert_int_eq(truncate(path, 1000), 0);
}

static void empty_record(void)
{
	write_state("cluster.json", "");
}

static void fill_with_garbage(void)
{
	write_state("cluster.json",
		"\x7f"
		"ELF\x02\x01");
}

static void remove_jobs(void)
{
	change_record("jobs", NULL);
}

static void spoil_jobs(void)
{
	change_record("jobs", json_pack("[{s:s}, i]", "tag", "x", 7));
}

static void spoil_settings(void)
{
	change_record("settings", json_integer(7));
}

static void take_record_of_another(void)
{
	change_record("id", json_string("0badcafe"));
	change_record(
		"scheduler", json_pack("{s:i, s:i, s:i}", "pid", 1, "start", 1, "port", 1));
}

static const struct {
	void (*damage)(void);
	const char *tells;
} damages[] = {
	{truncate_record, "cluster.json is damaged ("},
	{empty_record, "cluster.json is damaged ("},
	{fill_with_garbage, "cluster.json is damaged ("},
	{remove_jobs, "cluster.json is damaged (\"jobs\" is missing)"},
	{spoil_jobs, "cluster.json is damaged (a wrong entry in \"jobs\")"},
	{spoil_settings, "cluster.json is damaged (\"settings\" is of a wrong type)"},
	{take_record_of_another, "cluster.json is of another cluster (0badcafe)"},
};

/* The queue and the scheduler tell which jobs there are, and the cluster goes on with them. */
START_TEST(a_damaged_record)
{
	_cleanup_free_ char *bad = state_path("cluster.json.bad");

	start_running("{'minimum': 4}");
	tasks_come(4);
	world_kill();
	damages[_i].damage();
	world_come_back();
	await(told("dracod was killed"));
	check(told("2 jobs and the scheduler run on"));
	check(has_notice(damages[_i].tells));
	check(access(bad, F_OK) == 0);
	check(jobs_of_phase("ready") == 2 && workers() == 4);
	tasks_done();
	check_adopted_jobs();
}
END_TEST

/* The size that was set by hand holds, and new jobs get tags of their own. */
START_TEST(a_damaged_record_of_a_size_by_hand)
{
	start_running("{'minimum': 2}");
	ask(me(), "scale", json_pack("{s:i}", "jobs", 2));
	await(jobs_of_phase("ready") == 2);
	world_kill();
	truncate_record();
	world_come_back();
	await(jobs_of_phase("ready") == 2);
	check(strcmp(status_text("size.mode"), "fixed") == 0);
	ask(me(), "scale", json_pack("{s:i}", "jobs", 3));
	await(jobs_of_phase("ready") == 3);
	check(jobs_submitted() == 3 && strcmp(job(2)->said.name, job(1)->said.name) != 0);
	world_kill(); /* the record is whole again */
	world_come_back();
	await(told("3 jobs and the scheduler run on"));
	holds_for(600, jobs_of_phase("ready") == 3 && jobs_submitted() == 3);
}
END_TEST

/* As long as Slurm is silent, nobody knows the jobs: none is submitted. Killed once more, too. */
START_TEST(a_damaged_record_while_slurm_is_away)
{
	start_running("{'minimum': 4}");
	world_kill();
	truncate_record();
	slurm.away = true;
	for (int i = 0; i < 2; i++) {
		world_come_back();
		holds_for(300, slurm.submissions == 1 && jobs_in(STATE_RUNNING) == 2);
		if (i == 0)
			world_kill();
	}
	slurm.away = false;
	check_adopted_jobs();
}
END_TEST

/* Its jobs were pending. */
START_TEST(a_damaged_record_of_a_start)
{
	slurm.answer_ms = 100;
	start("{'minimum': 4}");
	await(jobs_of_phase("pending") == 2);
	world_kill();
	truncate_record();
	world_come_back();
	check_adopted_jobs();
}
END_TEST

/* Nothing tells how the cluster was started: what is left of it is ended, and the user is told. */
START_TEST(both_records_are_damaged)
{
	start_running("{'minimum': 4}");
	world_kill();
	truncate_record();
	write_state("cluster-basis.json", "{\"version\": 1}");
	world_come_back();
	check(cluster_is("stopped"));
	await(jobs_in(STATE_RUNNING) == 0);
	check(told("cluster.json is damaged"));
	check(told("what is left of its cluster is ended"));
	check(!adopted_has_record());
}
END_TEST

/* It was stopping: there is nothing to go on with. */
START_TEST(a_damaged_record_of_a_stop)
{
	start_running("{'minimum': 4, 'epilogue': 'true'}");
	job(0)->deaf = job(1)->deaf = true;
	begin(me(), "stop", NULL);
	await(cluster_is("stopping"));
	world_kill();
	truncate_record();
	world_come_back();
	check(cluster_is("stopped"));
	await(jobs_in(STATE_RUNNING) == 0);
	check(!adopted_has_record());
}
END_TEST

/* The host was booted, or another one goes on: the scheduler went with the host. Its jobs, which
 * have none now, are ended at once, and the user is told why. */
static const struct {
	const char *name, *value;
} hosts[] = {
	{"boot", "b0070000-0000-0000-0000-000000000000"},
	{"host", "login2"},
};

START_TEST(the_host_is_gone)
{
	start_running("{'minimum': 4}");
	tasks_come(4);
	world_kill();
	dask_die(9);
	change_record(hosts[_i].name, json_string(hosts[_i].value));
	world_come_back();
	check(cluster_is("stopped"));
	check(told(
		"it was on another host, or before this one was booted, and its scheduler with "
		"it; what is left of its cluster is ended"));
	await_from_to(0, 60, jobs_alive() == 0);
	check(!adopted_has_record());
	start_running("{'minimum': 4}");
	check(jobs_submitted() == 4);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = scenarios("record", a_damaged_record_of_a_size_by_hand,
		a_damaged_record_while_slurm_is_away, a_damaged_record_of_a_start,
		both_records_are_damaged, a_damaged_record_of_a_stop);

	scenario_of_table(suite, a_damaged_record, LENGTH(damages));
	scenario_of_table(suite, the_host_is_gone, LENGTH(hosts));
	return suite;
}
