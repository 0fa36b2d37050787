/* check_settings_check.c: tests of common/settings_check.c: settings that must fit together, what
 * follows from them, and no value at all. */
#include "unit.h"

#include "common/settings.h"

static struct settings settings;

static void setup(void)
{
	settings_init(&settings);
}

static void teardown(void)
{
	settings_finish(&settings);
}

START_TEST(none)
{
	static const char *const nones[] = {"none", "None", "NONE", "null", "~", ""};

	for (size_t i = 0; i < LENGTH(nones); i++) {
		ck_assert_int_eq(
			settings_set(&settings, SETTING_RESERVATION, "maintenance", "s", NULL),
			0);
		ck_assert_str_eq(settings.reservation, "maintenance");
		ck_assert_int_eq(
			settings_set(&settings, SETTING_RESERVATION, nones[i], "s", NULL), 0);
		ck_assert_ptr_null(settings.reservation);
	}
	ck_assert_int_eq(
		settings_set(&settings, SETTING_RESERVATION, "nonesuch", "s", NULL), 0);
	ck_assert_str_eq(settings.reservation, "nonesuch");
}
END_TEST

static const struct {
	const char *set; /* as JSON */
	const char *text[4];
} conflicts[] = {
	{"{\"processes\": 41}", {"processes 41", "cores 40", "lower", "raise"}},
	{"{\"cores\": \"node\"}", {"cores node", "without other jobs", "set", "exclusive"}},
	{"{\"memory\": \"1999 MiB\"}", {"memory 1999 MiB", "99 MiB", "20", "100 MiB"}},
	{"{\"walltime\": \"00:44:59\"}",
		{"walltime 00:44:59", "00:45:00", "minimum", "at least"}},
	{"{\"minimum\": 41}", {"minimum 41", "40", "adaptive_scale_factor 2", "processes 20"}},
	{"{\"scheduler_port\": 8786, \"remote_port\": 8786}",
		{"scheduler_port 8786", "remote_port 8786", "one port", "another"}},
	{"{\"scheduler_port\": \"8786-8800\", \"remote_port\": 8800}",
		{"scheduler_port 8786-8800", "remote_port 8800", "one port", "another"}},
	{"{\"worker_port\": \"9000-9018\"}",
		{"worker_port 9000-9018", "too few", "processes 20", "each worker"}},
	{"{\"nanny_port\": \"9000\"}", {"nanny_port 9000", "too few", "processes 20", "nanny"}},
	{"{\"nanny_port\": \"9000-9025\", \"worker_port\": \"9010-9035\"}",
		{"nanny_port 9000-9025", "worker_port 9010-9035", "processes 20", "another"}},
	{"{\"scheduler_memory_max\": \"200 MiB\"}",
		{"scheduler_memory_max 200 MiB", "too little", "at least", "256 MiB"}},
	{"{\"scheduler_memory_max\": \"1 GiB\", \"scheduler_memory_high\": \"2 GiB\"}",
		{"scheduler_memory_max 1 GiB", "scheduler_memory_high 2 GiB", "above",
			"never"}},
	{"{\"minimum\": 8, \"maximum\": 7}", {"minimum 8", "maximum 7", "lower", "raise"}},
};

START_TEST(check_refuses)
{
	json_t *object = json_loads(conflicts[_i].set, 0, NULL);
	struct err err = ERR_INIT;

	ck_assert_int_eq(settings_set_json(&settings, object, "s", &err), 0);
	ck_assert_int_eq(settings_check(&settings, &err), -EINVAL);
	for (size_t i = 0; i < LENGTH(conflicts[0].text); i++)
		unit_assert_err(&err, -EINVAL, conflicts[_i].text[i]);
	ck_assert_int_eq(settings_check(&settings, NULL), -EINVAL);
	json_decref(object);
}
END_TEST

static const char *const agreements[] = {
	"{\"processes\": 40, \"cores\": 40}",
	"{\"cores\": \"node\", \"exclusive\": true}",
	"{\"memory\": \"2000 MiB\"}",
	"{\"memory\": \"none\"}",
	"{\"memory\": \"node\"}",
	"{\"walltime\": \"00:45:00\"}",
	"{\"walltime\": \"00:10:00\", \"minimum_walltime\": \"00:10:00\"}",
	"{\"walltime\": \"01:00:00\", \"least_walltime\": \"00:45:00\"}",
	"{\"walltime\": \"01:00:00\", \"least_walltime\": \"01:00:00\"}",
	"{\"minimum\": 40}",
	"{\"scheduler_port\": \"8786-8800\", \"remote_port\": 8801}",
	"{\"scheduler_port\": \"8786-8800\", \"remote_port\": \"none\"}",
	"{\"scheduler_port\": \"8786-8800\", \"remote_port\": \"8786-8800\"}",
	"{\"worker_port\": \"9000-9019\", \"nanny_port\": \"9020-9039\"}",
	"{\"worker_port\": \"9000-9039\", \"nanny_port\": \"9000-9039\"}",
	"{\"minimum\": 41, \"adaptive_scale_factor\": 3}",
	"{\"minimum\": 7, \"maximum\": 7}",
	"{\"minimum\": 100000, \"maximum\": 100000}",
	"{\"processes\": 1, \"cores\": 1, \"memory\": \"100 MiB\"}",
};

START_TEST(check_accepts)
{
	json_t *object = json_loads(agreements[_i], 0, NULL);
	struct err err = ERR_INIT;

	ck_assert_int_eq(settings_set_json(&settings, object, "s", &err), 0);
	ck_assert_msg(settings_check(&settings, &err) == 0, "%s", err.text);
	json_decref(object);
}
END_TEST

static const struct {
	const char *text;
	int first, last; /* 0: auto; -1: refused */
} ports[] = {
	{"auto", 0, 0},
	{"8786", 8786, 8786},
	{"8786-8800", 8786, 8800},
	{"1024-65535", 1024, 65535},
	{"8786-8786", 8786, 8786},
	{"none", -1, 0},
	{"1023", -1, 0},
	{"65536", -1, 0},
	{"8800-8786", -1, 0},
	{"80-8786", -1, 0},
	{"8786-", -1, 0},
	{"-8786", -1, 0},
	{"8786-8790-8800", -1, 0},
	{"any", -1, 0},
};

START_TEST(scheduler_ports)
{
	const char *text = ports[_i].text;
	struct err err = ERR_INIT;
	int r = settings_set(&settings, SETTING_SCHEDULER_PORT, text, "s", &err);
	int first, last;

	if (ports[_i].first < 0) {
		ck_assert_int_eq(r, -EINVAL);
		unit_assert_err(&err, -EINVAL, "scheduler_port: \"");
		unit_assert_err(&err, -EINVAL, text);
		unit_assert_err(&err, -EINVAL, "1024 to 65535");
		unit_assert_err(&err, -EINVAL, "8786-8800");
		return;
	}
	ck_assert_int_eq(r, 0);
	ck_assert(settings_ports(&settings, SETTING_SCHEDULER_PORT, &first, &last) ==
		(ports[_i].first > 0));
	ck_assert_int_eq(first, ports[_i].first);
	ck_assert_int_eq(last, ports[_i].last);
}
END_TEST

START_TEST(what_follows)
{
	ck_assert_int_eq(settings_maximum(&settings), 40);
	settings.maximum = 7;
	ck_assert_int_eq(settings_maximum(&settings), 7);
	settings.maximum = 0;
	settings.processes = 4096;
	settings.adaptive_scale_factor = 10000;
	ck_assert_int_eq(settings_maximum(&settings), 40960000);
	settings.processes = 3;
	ck_assert_int_eq(settings_threads_per_worker(&settings), 13);
	settings.cores = 2; /* settings_check() refuses it */
	ck_assert_int_eq(settings_threads_per_worker(&settings), 1);
	settings.threads = 3;
	ck_assert_int_eq(settings_threads_per_worker(&settings), 3);
	settings.threads = 0;
	settings.cores = CORES_NODE;
	ck_assert_int_eq(settings_threads_per_worker(&settings), 0);
	settings.memory_mib = 10;
	ck_assert_int_eq(settings_bytes_per_worker(&settings), 3495253);
	settings.memory_mib = INT64_C(1) << 40; /* the most that is read */
	settings.processes = 1;
	ck_assert_int_eq(settings_bytes_per_worker(&settings), INT64_C(1) << 60);
	settings.memory_mib = MEMORY_NONE;
	ck_assert_int_eq(settings_bytes_per_worker(&settings), 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("settings: check");
	TCase *tcase = tcase_create("check");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, none);
	tcase_add_loop_test(tcase, check_refuses, 0, LENGTH(conflicts));
	tcase_add_loop_test(tcase, check_accepts, 0, LENGTH(agreements));
	tcase_add_loop_test(tcase, scheduler_ports, 0, LENGTH(ports));
	tcase_add_test(tcase, what_follows);
	suite_add_tcase(suite, tcase);
	return suite;
}
