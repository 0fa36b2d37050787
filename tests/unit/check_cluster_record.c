/* check_cluster_record.c: tests of daemon/cluster/record.c: the next dracod knows what this one
 * knew. */
#include "unit.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster_fixture.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/paths.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/record.h"
#include "daemon/cluster/scheduler.h"
#include "daemon/cluster/size.h"
#include "daemon/cluster/submission.h"
#include "daemon/dask/scheduler.h"
#include "daemon/io/loop.h"

static char *directory, *path, *basis;
static struct paths paths;

static void on_query(void *arg)
{
	(void)arg;
}

static void setup(void)
{
	static const struct submissions_ops ops = {.query = on_query};

	cluster_setup();
	directory = unit_directory();
	path = xasprintf("%s/cluster.json", directory);
	cluster.scheduler = scheduler_create(
		cluster.loop, NULL, "preload", &paths, &cluster_scheduler_ops, &cluster);
	cluster.submissions =
		submissions_create(cluster.loop, NULL, cluster.jobs, &ops, &cluster);
	paths.cluster_file = path;
	paths.basis_file = basis = xasprintf("%s/cluster-basis.json", directory);
	cluster.record.path = path;
	cluster.record.basis_path = basis;
	cluster.record.due = record_timer_create(&cluster);
	strcpy(cluster.id, "0000beef");
	cluster.log_dir = xstrdup("/logs/today");
	cluster.size.limits.fixed_jobs = -1;
}

static void forget(void)
{
	cluster_request_finish(&cluster.request);
	settings_init(&cluster.request.settings);
	placement_finish(&cluster.place.placement);
	notices_finish(&cluster.notices);
	xreplace(&cluster.log_dir, NULL);
	xreplace(&cluster.python, NULL);
	xreplace(&cluster.python_version, NULL);
	xreplace(&cluster.address, NULL);
	xreplace(&cluster.access.interface, NULL);
	xreplace(&cluster.size.paused, NULL);
	dashboard_finish(&cluster.access.dashboard);
	json_decref(TAKE_PTR(cluster.record.saved));
	json_decref(TAKE_PTR(cluster.record.basis));
	submissions_destroy(cluster.submissions);
	cluster.submissions = NULL;
	jobs_clear(cluster.jobs);
}

static void teardown(void)
{
	forget();
	scheduler_destroy(cluster.scheduler);
	loop_timer_destroy(cluster.record.due);
	cluster_teardown();
	free(directory);
	free(path);
	free(basis);
}

/* Write the record, forget everything, and read it. */
static void pass_on(void)
{
	static const struct submissions_ops ops = {.query = on_query};
	_cleanup_json_ json_t *record = NULL;
	struct err err = ERR_INIT;

	record_save(&cluster);
	forget();
	cluster.submissions =
		submissions_create(cluster.loop, NULL, cluster.jobs, &ops, &cluster);
	cluster.id[0] = '\0';
	ck_assert_int_eq(record_find(&paths, &record, &err), 1);
	ck_assert_ptr_null(record_damage(record));
	ck_assert(record_is_of_this_boot(record));
	ck_assert_str_eq(record_cluster_id(record), "0000beef");
	ck_assert_int_eq(record_restore_request(&cluster, record, &err), 0);
	record_restore_facts(&cluster, record);
	record_restore_jobs(&cluster, record);
	ck_assert_str_eq(cluster.id, "0000beef");
	ck_assert_str_eq(cluster.log_dir, "/logs/today");
}

static char *describe(const struct settings *s, enum setting_id id)
{
	_cleanup_free_ char *value = settings_format(s, id);

	return xasprintf("%s (%s)", value, s->source[id]);
}

/* Each setting, with a value that is not the default where one is easily found. */
START_TEST(settings_are_kept)
{
	static const char *const values[][2] = {{"processes", "3"}, {"cores", "6"},
		{"memory", "12 GiB"}, {"walltime", "1-02:00:00"}, {"use_scratch_dir", "false"},
		{"reservation", "course"}, {"queues_to_try", "long, \"none\""},
		{"idle_timeout", "1.5"}, {"security", "none"}, {"dashboard", "off"},
		{"python", "\"/a b/python\" -E"}, {"directives", "comment=a=b,exclusive"},
		{"environment", "A=1,B=x y"}, {"prologue", "module load x\necho \"y\"\n"},
		{"worker_options", "--resources, GPU=2"}, {"worker_start", "spawn"},
		{"preimport", "torch, os.path"}, {"gpus", "2"}, {"account", "a1"},
		{"scheduler_port", "9000-9010"}, {"least_walltime", "10"}};
	_cleanup_free_ char *wanted[SETTING_COUNT] = {0};
	struct settings *s = &cluster.request.settings;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < LENGTH(values); i++) {
		int id = settings_find(values[i][0], &err);

		ck_assert_msg(id >= 0, "%s", err.text);
		ck_assert_msg(settings_set(s, id, values[i][1], "me.yaml:7", &err) == 0, "%s",
			err.text);
	}
	s->limit[SETTING_MAXIMUM].value = 40;
	s->limit[SETTING_MAXIMUM].source = xstrdup("site.yaml:3");
	for (int id = 0; id < SETTING_COUNT; id++)
		wanted[id] = describe(s, id);
	pass_on();
	for (int id = 0; id < SETTING_COUNT; id++) {
		_cleanup_free_ char *is = describe(s, id);

		ck_assert_msg(strcmp(is, wanted[id]) == 0, "%s: %s, not %s",
			settings_table[id].name, is, wanted[id]);
		free(wanted[id]);
		wanted[id] = NULL;
	}
	ck_assert_int_eq(s->limit[SETTING_MAXIMUM].value, 40);
	ck_assert_str_eq(s->limit[SETTING_MAXIMUM].source, "site.yaml:3");
}
END_TEST

START_TEST(facts_are_kept)
{
	int64_t since_ms = loop_now_ms() - 5000;
	struct stat st;

	strv_add(&cluster.request.environment, "SECRET=x\ty\n");
	cluster.request.directory = xstrdup("/data");
	strv_add(&cluster.request.slurm.variables, "SLURM_CONF=/etc/x");
	cluster.request.slurm.silent = true;
	cluster.since_ms = since_ms;
	cluster.python = xstrdup("/opt/python3");
	cluster.python_version = xstrdup("3.11.2");
	cluster.address = xstrdup("10.0.0.1");
	cluster.access.interface = xstrdup("ib0");
	cluster.array_max = 1001;
	cluster.access.dashboard = (struct dashboard){.mode = DASHBOARD_ON,
		.address = xstrdup("127.0.0.1"),
		.port = 10007,
		.wanted = 10006};
	cluster.submission_count = 5;
	cluster.spawn = cluster.had_work = true;
	cluster_notice(&cluster, "a notice");
	cluster_tell(&cluster, NOTICE_FAILURES, NULL, "no more jobs");
	cluster_tell(&cluster, NOTICE_NODE, "n1", "node n1 is excluded");
	cluster_tell(&cluster, NOTICE_SILENT, NULL, "the scheduler does not answer");
	cluster.size.limits.minimum_jobs = 2;
	cluster.size.limits.maximum_jobs = 9;
	cluster.size.limits.fixed_jobs = 3;
	cluster.size.target.jobs = 3;
	cluster.size.paused = xstrdup("requested");
	handover_observe(&cluster.size.waits, 7000);
	pass_on();
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_str_eq(cluster.request.environment.item[0], "SECRET=x\ty\n");
	ck_assert_str_eq(cluster.request.directory, "/data");
	ck_assert_str_eq(cluster.request.slurm.variables.item[0], "SLURM_CONF=/etc/x");
	ck_assert(cluster.request.slurm.silent);
	ck_assert_str_eq(cluster.python, "/opt/python3");
	ck_assert_int_eq(cluster.since_ms, since_ms);
	ck_assert_str_eq(cluster.address, "10.0.0.1");
	ck_assert_str_eq(cluster.access.interface, "ib0");
	ck_assert_int_eq(cluster.array_max, 1001);
	ck_assert_int_eq(cluster.access.dashboard.port, 10007);
	ck_assert_int_eq(cluster.submission_count, 5);
	ck_assert(cluster.spawn && cluster.had_work);
	ck_assert_uint_eq(cluster.notices.count, 3);
	ck_assert(!cluster_notice(&cluster, "a notice"));
	ck_assert_str_eq(cluster_told(&cluster, NOTICE_FAILURES, NULL), "no more jobs");
	ck_assert_str_eq(cluster_told(&cluster, NOTICE_NODE, "n1"), "node n1 is excluded");
	ck_assert_ptr_null(cluster_told(&cluster, NOTICE_NODE, "n2"));
	ck_assert_int_eq(cluster.size.limits.minimum_jobs, 2);
	ck_assert_int_eq(cluster.size.limits.maximum_jobs, 9);
	ck_assert_int_eq(cluster.size.limits.fixed_jobs, 3);
	ck_assert_int_eq(cluster.size.target.jobs, 3);
	ck_assert_str_eq(cluster.size.paused, "requested");
	ck_assert_int_eq(handover_usual_ms(&cluster.size.waits), 7000);
}
END_TEST

/* What the next dracod takes a job in this phase for, until Slurm and the scheduler tell more. */
static const struct {
	enum job_phase was, becomes;
} phases[] = {
	{PHASE_NEW, PHASE_NEW},
	{PHASE_SUBMITTED, PHASE_SUBMITTED},
	{PHASE_PENDING, PHASE_PENDING},
	{PHASE_STARTING, PHASE_STARTING},
	{PHASE_READY, PHASE_READY},
	{PHASE_DRAINING, PHASE_READY},
	{PHASE_RETIRING, PHASE_READY},
	{PHASE_ENDING, PHASE_ENDING},
	{PHASE_GONE, PHASE_GONE},
};

START_TEST(jobs_are_kept)
{
	struct job *job = job_in(phases[_i].was);
	int64_t ready_since_ms, running_since_ms, phase_since_ms;

	job->placed = 2;
	job->role = ROLE_SUBSTITUTE;
	job->by_hand = true;
	job->forkserver = true;
	ready_since_ms = job->ready_since_ms;
	running_since_ms = job->running_since_ms;
	phase_since_ms = job->phase_since_ms -= 7000;
	pass_on();
	job = TAILQ_FIRST(jobs_list(cluster.jobs));
	if (phases[_i].becomes == PHASE_GONE) {
		ck_assert_ptr_null(job);
		return;
	}
	ck_assert_int_eq(job->phase, phases[_i].becomes);
	ck_assert_str_eq(job->tag, "draco-default-1.0");
	ck_assert_int_eq(job->job_id, phases[_i].was == PHASE_NEW ? 0 : 42);
	ck_assert_str_eq(job->id, phases[_i].was == PHASE_NEW ? "" : "42");
	ck_assert_int_eq(job->processes, 2);
	ck_assert_int_eq(job->cores, 4);
	ck_assert_uint_eq(job->placed, 2);
	ck_assert_int_eq(job->role, ROLE_SUBSTITUTE);
	ck_assert(job->by_hand && job->forkserver);
	ck_assert_int_eq(job->ready_since_ms, ready_since_ms);
	ck_assert_int_eq(job->running_since_ms, running_since_ms);
	if (phases[_i].was == phases[_i].becomes)
		ck_assert_int_eq(job->phase_since_ms, phase_since_ms);
	else
		ck_assert_int_gt(job->phase_since_ms, phase_since_ms);
	ck_assert_int_eq(job->connected, 0);
	/* One that Slurm has not confirmed is looked for before another is submitted. */
	ck_assert(submissions_in_doubt(cluster.submissions) == (job->phase == PHASE_NEW));
}
END_TEST

START_TEST(files_that_cannot_be_used)
{
	static const struct {
		const char *text;
		int result;
	} files[] = {
		{NULL, 0},
		{"", 0},
		{"{\"version\": 1,", 0},
		{"[1]", 0},
		{"{\"version\": 2}", -EPROTO},
		{"{\"version\": 1}", 0},
	};
	_cleanup_json_ json_t *record = NULL;
	struct err err = ERR_INIT;

	if (files[_i].text)
		free(unit_file(
			directory, "cluster.json", files[_i].text, strlen(files[_i].text)));
	ck_assert_int_eq(record_find(&paths, &record, &err), files[_i].result);
	ck_assert_int_eq(err.code,
		files[_i].result	 ? files[_i].result
			: files[_i].text ? -EBADMSG
					 : 0);
	if (files[_i].result < 0)
		ck_assert_ptr_nonnull(strstr(err.text, "of a later draco (format 2"));
	ck_assert_int_eq(access(path, F_OK) == 0, files[_i].result != 0);
}
END_TEST

/* It is told, and written as soon as that is possible, although nothing changes. */
START_TEST(what_could_not_be_written_is_written_later)
{
	_cleanup_free_ char *away = xasprintf("%s.away", directory);

	ck_assert_int_eq(rename(directory, away), 0);
	free(unit_file("/", directory + 1, "", 0));
	record_save(&cluster);
	ck_assert_ptr_nonnull(cluster_told(&cluster, NOTICE_RECORD, NULL));
	ck_assert_ptr_nonnull(strstr(cluster_told(&cluster, NOTICE_RECORD, NULL), path));
	ck_assert(loop_timer_is_running(cluster.record.due));
	ck_assert_int_eq(unlink(directory), 0);
	ck_assert_int_eq(rename(away, directory), 0);
	while (loop_timer_is_running(cluster.record.due))
		ck_assert_int_ge(event_base_loop(loop_base(cluster.loop), EVLOOP_ONCE), 0);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(access(basis, F_OK), 0);
	ck_assert_ptr_null(cluster_told(&cluster, NOTICE_RECORD, NULL));
}
END_TEST

/* Nothing changes, so nothing is written. */
START_TEST(only_changes_are_written)
{
	struct stat first, second;

	record_save(&cluster);
	ck_assert_int_eq(stat(path, &first), 0);
	record_save(&cluster);
	ck_assert_int_eq(stat(path, &second), 0);
	ck_assert_uint_eq(first.st_ino, second.st_ino);
	job_in(PHASE_NEW);
	record_save(&cluster);
	ck_assert_int_eq(stat(path, &second), 0);
	ck_assert_uint_ne(first.st_ino, second.st_ino);
	record_remove(&cluster);
	ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

/* That the record could not be written hinders no replacement once the cluster is down. */
START_TEST(a_former_error)
{
	struct err err = ERR_INIT;

	err_set(&cluster.record.error, -ENOSPC, "cannot write %s", path);
	cluster.state = CLUSTER_STOPPED;
	ck_assert_int_eq(record_hand_over(&cluster, &err), 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("cluster_record");
	TCase *tests = tcase_create("cluster_record");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, settings_are_kept);
	tcase_add_test(tests, facts_are_kept);
	tcase_add_loop_test(tests, jobs_are_kept, 0, LENGTH(phases));
	tcase_add_loop_test(tests, files_that_cannot_be_used, 0, 6);
	tcase_add_test(tests, what_could_not_be_written_is_written_later);
	tcase_add_test(tests, only_changes_are_written);
	tcase_add_test(tests, a_former_error);
	suite_add_tcase(suite, tests);
	return suite;
}
