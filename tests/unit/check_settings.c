/* check_settings.c: tests of common/settings.c: the table, copies, and many values at once. One
 * value each is in check_settings_set.c. */
#include "unit.h"

#include <ctype.h>

#include "common/alloc.h"
#include "common/other_names.h"
#include "common/settings.h"
#include "settings_fixture.h"

static struct settings settings;

static void setup(void)
{
	settings_init(&settings);
}

static void teardown(void)
{
	settings_finish(&settings);
}

static bool is_number(enum setting_id id)
{
	return settings_table[id].type <= SETTING_DURATION;
}

/* Names, defaults: those of the Python draco first. */
START_TEST(table)
{
	static const struct {
		const char *name, *value;
	} first[] = {
		{"processes", "20"},
		{"cores", "40"},
		{"memory", "80 GiB"},
		{"walltime", "01:30:00"},
		{"wait_timeout", "300"},
		{"adaptive_scale_factor", "2"},
		{"use_scratch_dir", "true"},
		{"reservation", "none"},
		{"queues_to_try", "short, standard"},
	};

	for (size_t i = 0; i < LENGTH(first); i++) {
		int id = settings_find(first[i].name, NULL);

		ck_assert_msg(id >= 0, "%s is gone", first[i].name);
		assert_value(&settings, (enum setting_id)id, first[i].value);
	}
	ck_assert_int_eq(settings.processes, 20);
	ck_assert_int_eq(settings.memory_mib, 80 * 1024);
	ck_assert_int_eq(settings.walltime_s, 5400);
	ck_assert_int_eq(settings.wait_timeout_ms, 300000);
	ck_assert(settings.use_scratch_dir);
	ck_assert_ptr_null(settings.reservation);
	ck_assert_uint_eq(settings.queues_to_try.count, 2);
	ck_assert_int_eq(settings_check(&settings, NULL), 0);
}
END_TEST

static bool ends_with(const char *text, const char *end)
{
	return strlen(text) >= strlen(end) &&
		strcmp(text + strlen(text) - strlen(end), end) == 0;
}

START_TEST(row)
{
	const struct setting *setting = &settings_table[_i];
	char *option = xstrdup(setting->name);

	ck_assert_uint_gt(strlen(setting->name), 2);
	for (char *c = option; *c; c++) {
		ck_assert(islower((unsigned char)*c) || *c == '_');
		if (*c == '_')
			*c = '-';
	}
	ck_assert_int_eq(settings_find(setting->name, NULL), _i); /* so names differ */
	ck_assert_int_eq(settings_find(option, NULL), _i);
	ck_assert_uint_gt(strlen(setting->placeholder), 0);
	ck_assert_uint_gt(strlen(setting->help), 10);
	ck_assert(ends_with(setting->help, "...") || !ends_with(setting->help, "."));
	ck_assert(setting->group > GROUP_NONE && setting->group < GROUP_COUNT);
	ck_assert(!is_number(_i) || setting->minimum < setting->maximum);
	assert_value(&settings, _i, setting->default_value);
	ck_assert_str_eq(settings.source[_i], "default");
	free(option);
}
END_TEST

START_TEST(find_names_the_nearest)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(settings_find("memroy", &err), -ENOENT);
	unit_assert_err(&err, -ENOENT, "\"memroy\"");
	unit_assert_err(&err, -ENOENT, "did you mean \"memory\"?");
	ck_assert_int_eq(settings_find("queues-to-tyr", &err), -ENOENT);
	unit_assert_err(&err, -ENOENT, "\"queues_to_try\"?");
	ck_assert_int_eq(settings_find("qqqqqq", &err), -ENOENT);
	ck_assert_str_eq(err.text, "there is no setting \"qqqqqq\"");
	ck_assert_int_eq(settings_find("", &err), -ENOENT);
	ck_assert_int_eq(settings_find("cores ", &err), -ENOENT);
	ck_assert_int_eq(settings_find("core", NULL), -ENOENT);
	ck_assert_int_eq(settings_find("coress", NULL), -ENOENT);
	ck_assert_int_eq(settings_find("CORES", NULL), -ENOENT);
}
END_TEST

/* Each name of another program leads to a setting, or says why there is none. */
START_TEST(other_names)
{
	static const char *const words[] = {"n_workers", "n-workers", "queue", "partition",
		"job_cpu", "job_mem", "job_extra_directives", "local_directory", "header_skip"};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < LENGTH(words); i++) {
		const struct other_name *other = other_name_find(words[i]);

		ck_assert_ptr_nonnull(other);
		ck_assert(other->setting ? settings_find(other->setting, NULL) >= 0
					 : other->advice != NULL);
	}
	for (char letter = 'A'; letter <= 'z'; letter++) {
		const char *name = other_name_of_letter(letter);

		ck_assert(!name || other_name_find(name) || settings_find(name, NULL) >= 0);
	}
	for (int id = 0; id < SETTING_COUNT; id++)
		ck_assert_ptr_null(other_name_find(settings_table[id].name));
	ck_assert_int_eq(settings_find("queue", &err), -ENOENT);
	ck_assert_str_eq(err.text, "there is no setting \"queue\"; use \"queues_to_try\"");
	ck_assert_int_eq(settings_find("nanny", &err), -ENOENT);
	ck_assert_str_eq(err.text,
		"there is no setting \"nanny\": not needed, because each worker has one");
}
END_TEST

START_TEST(copy)
{
	struct settings other;
	char *one, *two;

	settings_init(&other);
	ck_assert_int_eq(settings_set(&settings, SETTING_RESERVATION, "r", "file:1", NULL), 0);
	ck_assert_int_eq(
		settings_set(&settings, SETTING_QUEUES_TO_TRY, "q", "file:2", NULL), 0);
	ck_assert_int_eq(settings_set(&settings, SETTING_CORES, "77", "file:3", NULL), 0);
	ck_assert_int_eq(settings_set(&other, SETTING_PYTHON, "/python", "file:4", NULL), 0);
	settings_copy(&other, &settings);
	one = settings_snapshot(&settings);
	two = settings_snapshot(&other);
	ck_assert_str_eq(one, two);
	free(two);
	/* Deep: the one does not change with the other. */
	ck_assert_int_eq(settings_set(&other, SETTING_RESERVATION, "x", "o", NULL), 0);
	ck_assert_int_eq(settings_set(&other, SETTING_QUEUES_TO_TRY, "x,y", "o", NULL), 0);
	settings_finish(&other);
	two = settings_snapshot(&settings);
	ck_assert_str_eq(one, two);
	free(one);
	free(two);
}
END_TEST

static const struct {
	const char *json, *name, *value; /* value NULL: refused, with name in the error */
	int code;
} values[] = {
	{"{}", "cores", "40", 0},
	{"{\"cores\": 8}", "cores", "8", 0},
	{"{\"cores\": \"8\"}", "cores", "8", 0},
	{"{\"cores\": 8.0}", "cores", "8", 0},
	{"{\"use-scratch-dir\": false}", "use_scratch_dir", "false", 0},
	{"{\"use_scratch_dir\": \"no\"}", "use_scratch_dir", "false", 0},
	{"{\"python\": \"python3.11\"}", "python", "python3.11", 0},
	{"{\"python\": \"~/bin/python3\"}", "python", "~/bin/python3", 0},
	{"{\"python\": \"bin/python3\"}", "python", NULL, -EINVAL},
	{"{\"log_directory\": \"logs\"}", "log_directory", NULL, -EINVAL},
	{"{\"log_directory\": \"~user/logs\"}", "log_directory", NULL, -EINVAL},
	{"{\"queues_to_try\": [\"a,b\", \" c\"]}", "queues_to_try", "\"a,b\", c", 0},
	{"{\"queues_to_try\": [{\"partition\": \"a\", \"qos\": \"x y\", \"nice\": 5}]}",
		"queues_to_try", "a 'qos=x y' nice=5", 0},
	{"{\"queues_to_try\": [\"qos=b\"]}", "queues_to_try", NULL, -EINVAL},
	{"{\"queues_to_try\": [\"\"]}", "queues_to_try", NULL, -EINVAL},
	{"{\"queue_options\": {\"a\": {\"qos\": \"b\"}}}", "queue_options", "a qos=b", 0},
	{"{\"queue_options\": {\"a\": {}}}", "queue_options", NULL, -EINVAL},
	{"{\"use_scratch_dir\": 0}", "use_scratch_dir", "false", 0},
	{"{\"reservation\": \"r\"}", "reservation", "r", 0},
	{"{\"reservation\": null}", "reservation", "none", 0},
	{"{\"queues_to_try\": [\"a\", \"b\"]}", "queues_to_try", "a, b", 0},
	{"{\"queues_to_try\": \"a,b\"}", "queues_to_try", "a, b", 0},
	{"{\"wait_timeout\": 1.5}", "wait_timeout", "1500 ms", 0},
	{"{\"walltime\": 90}", "walltime", "01:30:00", 0},
	{"{\"cores\": 8.5}", "cores", NULL, -EINVAL},
	{"{\"cores\": true}", "cores", NULL, -EINVAL},
	{"{\"cores\": null}", "cores", NULL, -EINVAL},
	{"{\"cores\": {}}", "cores", NULL, -EINVAL},
	{"{\"cores\": [8]}", "cores", NULL, -EINVAL},
	{"{\"cores\": 0}", "cores", NULL, -ERANGE},
	{"{\"cores\": 9223372036854775807}", "cores", NULL, -ERANGE},
	{"{\"memory\": 80}", "memory", NULL, -EINVAL},
	{"{\"memory\": 1e300}", "memory", NULL, -EINVAL},
	{"{\"queues_to_try\": []}", "queues_to_try", "none", 0},
	{"{\"queues_to_try\": [1]}", "queues_to_try", NULL, -EINVAL},
	{"{\"queues_to_try\": [\"a\", [\"b\"]]}", "queues_to_try", NULL, -EINVAL},
	{"{\"queues_to_try\": {\"a\": 1}}", "queues_to_try", NULL, -EINVAL},
	{"{\"memroy\": \"80 GiB\"}", "memroy", NULL, -ENOENT},
};

START_TEST(set_json)
{
	json_t *object = json_loads(values[_i].json, 0, NULL);
	int id = settings_find(values[_i].name, NULL);
	struct err err = ERR_INIT;
	int r;

	ck_assert(json_is_object(object));
	r = settings_set_json(&settings, object, "request", &err);
	ck_assert_msg(r == values[_i].code, "%d: %s", r, err.text);
	if (r == 0) {
		assert_value(&settings, (enum setting_id)id, values[_i].value);
		ck_assert_str_eq(
			settings.source[id], json_object_size(object) ? "request" : "default");
	} else {
		unit_assert_err(&err, r, values[_i].name);
		if (id >= 0) {
			assert_value(&settings, (enum setting_id)id,
				settings_table[id].default_value);
			ck_assert_str_eq(settings.source[id], "default");
		}
		ck_assert_int_eq(settings_set_json(&settings, object, "request", NULL), r);
	}
	json_decref(object);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("settings");
	TCase *tcase = tcase_create("settings");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, table);
	tcase_add_loop_test(tcase, row, 0, SETTING_COUNT);
	tcase_add_test(tcase, find_names_the_nearest);
	tcase_add_test(tcase, other_names);
	tcase_add_test(tcase, copy);
	tcase_add_loop_test(tcase, set_json, 0, LENGTH(values));
	suite_add_tcase(suite, tcase);
	return suite;
}
