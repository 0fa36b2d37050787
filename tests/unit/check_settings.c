/* check_settings.c: tests of common/settings.c. Most go over the whole table, so that a new setting
 * is tested without a change here. */
#include "unit.h"

#include <ctype.h>

#include "common/alloc.h"
#include "common/parse.h"
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

static bool is_number(enum setting_id id)
{
	return settings_table[id].type <= SETTING_DURATION;
}

/* All values and sources, to see whether anything changed. */
static char *snapshot(const struct settings *s)
{
	json_t *object = settings_to_json(s);
	char *text;

	for (int id = 0; id < SETTING_COUNT; id++) {
		char *name = xasprintf("source of %s", settings_table[id].name);

		json_object_set_new(object, name, json_string(s->source[id]));
		free(name);
	}
	text = json_dumps(object, JSON_SORT_KEYS);
	ck_assert_ptr_nonnull(text);
	json_decref(object);
	return text;
}

static void check_value(const struct settings *s, enum setting_id id, const char *expected)
{
	char *text = settings_format(s, id);

	ck_assert_msg(strcmp(text, expected) == 0, "%s is %s instead of %s",
		settings_table[id].name, text, expected);
	free(text);
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
		check_value(&settings, (enum setting_id)id, first[i].value);
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
	ck_assert(!is_number(_i) || setting->minimum < setting->maximum);
	check_value(&settings, _i, setting->default_value);
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

/* A good value of each type, how it is written, and values that are none. */
static const struct {
	const char *good[2];
	const char *bad[6];
} examples[] = {
	[SETTING_INTEGER] = {{"3", "3"}, {"", "x", "3x", "1.5", "-9999999", "none"}},
	[SETTING_SIZE] = {{"2048 MiB", "2 GiB"},
		{"", "80", "80 apples", "-1 GiB", "0 B", "9999 PiB"}},
	[SETTING_WALLTIME] = {{"2:00:00", "02:00:00"},
		{"", "0", "x", "UNLIMITED", "1:2:3:4", "9999-0"}},
	[SETTING_DURATION] = {{"2 min", "120"},
		{"", "x", "-1", "5 parsecs", "1 ms", "9999 days"}},
	[SETTING_BOOLEAN] = {{"no", "false"}, {"", "2", "nope", "none", "-", "truefalse"}},
	[SETTING_STRING] = {{"/abc", "/abc"}, {NULL}},
	[SETTING_LIST] = {{" a ,b", "a, b"}, {"\"a", NULL}},
	[SETTING_CHOICE] = {{NULL, NULL}, {"", "|", "tls|none", "zzz", "1", NULL}},
	[SETTING_TEXT] = {{"a\n\tb\n", "a\n\tb\n"}, {NULL}},
	[SETTING_MAP] = {{"A=1,B=\"2,3\"", "A=1, \"B=2,3\""},
		{"=1", "1A=2", "a b=c", "A=\"", "\xc3\xa9=1", NULL}},
};

/* The same for settings that do not take every value of their type. */
static const struct {
	const char *good[2];
	const char *bad[6];
} special[SETTING_COUNT] = {
	[SETTING_PYTHON] = {{"/abc", "/abc"}, {"bin/python3", "./python3", NULL}},
	[SETTING_LOG_DIRECTORY] = {{"~/abc", "~/abc"}, {"logs", "~user/logs", NULL}},
	[SETTING_LOG_RETENTION] = {{"3d", "3 days"},
		{"", "x", "-1", "5 parsecs", "9999 days", NULL}},
	[SETTING_DASHBOARD_ADDRESS] = {{"10.0.0.1", "10.0.0.1"},
		{"/abc", "localhost", "::1", "10.0.0.256", "none", NULL}},
	[SETTING_DASHBOARD_PORT] = {{"8787", "8787"},
		{"/abc", "1023", "65536", "8787x", "none", NULL}},
	[SETTING_GPUS] = {{"a100:2", "a100:2"}, {"/abc", "0", "a100", "a100:", ":2", NULL}},
	[SETTING_MAIL_TYPE] = {{"END,FAIL", "END,FAIL"}, {"/abc", "END,abc", NULL}},
	[SETTING_DIRECTIVES] = {{"comment=a,contiguous", "comment=a, contiguous"},
		{"A=1", "partition=a", "nice=x", "comment=\"", "=1", NULL}},
	[SETTING_JOB_ENVIRONMENT] = {{"A=1,B=\"2,3\"", "A=1, \"B=2,3\""},
		{"=1", "1A=2", "SLURM_X=1", "SBATCH_X=1", "A", NULL}},
	[SETTING_WORKER_OPTIONS] = {{"--resources,a=1", "--resources, a=1"},
		{"--name=a", "--nthreads", "--preload a", NULL}},
	[SETTING_SCHEDULER_OPTIONS] = {{"--preload,a.py", "--preload, a.py"},
		{"--port=1", "--host", "--preload a", NULL}},
	[SETTING_SCRATCH_DIRECTORY] = {{"/abc/$USER", "/abc/$USER"},
		{"abc", "/$HOME", "/$USERS", "none", NULL}},
};

/* The good example of a setting; of a choice its last word. The caller frees. */
static char *good_of(enum setting_id id, int form)
{
	const struct setting *setting = &settings_table[id];

	if (setting->type == SETTING_CHOICE)
		return xstrdup(strrchr(setting->placeholder, '|') + 1);
	if (special[id].good[form])
		return xstrdup(special[id].good[form]);
	return xstrdup(examples[setting->type].good[form]);
}

START_TEST(set)
{
	char *given = good_of(_i, 0), *written = good_of(_i, 1);
	struct err err = ERR_INIT;
	int r = settings_set(&settings, _i, given, "line 3", &err);

	ck_assert_msg(r == 0, "%s", err.text);
	check_value(&settings, _i, written);
	free(given);
	free(written);
	ck_assert_str_eq(settings.source[_i], "line 3");
	for (int id = 0; id < SETTING_COUNT; id++)
		if (id != _i) {
			check_value(&settings, id, settings_table[id].default_value);
			ck_assert_str_eq(settings.source[id], "default");
		}
}
END_TEST

/* Lists that must have an item name what was given instead. */
START_TEST(set_refuses_empty_lists)
{
	static const char *const empty[] = {"", " ", ",", " , ,", "none", "~"};

	if (settings_table[_i].type != SETTING_LIST || settings_table[_i].minimum == 0)
		return;
	for (size_t i = 0; i < LENGTH(empty); i++) {
		struct err err = ERR_INIT;

		ck_assert_int_eq(settings_set(&settings, _i, empty[i], "s", &err), -EINVAL);
		unit_assert_err(&err, -EINVAL, empty[i]);
	}
}
END_TEST

/* A bad value is refused with the setting's name first, and changes nothing. The text shows
 * the value, of mappings at least the name of the entry. */
static void check_refused(enum setting_id id, const char *bad, const char *shown)
{
	char *before = snapshot(&settings), *after;
	struct err err = ERR_INIT;
	int r = settings_set(&settings, id, bad, "source", &err);

	ck_assert_msg(r == -EINVAL || r == -ERANGE || r == -ENOENT || r == -EPERM,
		"%s: \"%s\": %d", settings_table[id].name, bad, r);
	unit_assert_err(&err, r, shown);
	ck_assert_int_eq(
		strncmp(err.text, settings_table[id].name, strlen(settings_table[id].name)), 0);
	ck_assert_int_eq(settings_set(&settings, id, bad, "source", NULL), r);
	after = snapshot(&settings);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}

START_TEST(set_refuses)
{
	const struct setting *setting = &settings_table[_i];
	const char *const *bad =
		special[_i].bad[0] ? special[_i].bad : examples[setting->type].bad;

	for (size_t i = 0; i < LENGTH(examples[0].bad) && bad[i]; i++) {
		char *shown = xstrdup(bad[i]);

		if (setting->type == SETTING_MAP && !strchr(shown, '"'))
			shown[strcspn(shown, "=")] = '\0';
		else if (setting->type == SETTING_LIST)
			shown[strcspn(shown, "= ")] = '\0';
		check_refused((enum setting_id)_i, bad[i], shown);
		free(shown);
	}
}
END_TEST

/* value in the unit of the setting, as a text that is read again. */
static char *number_text(const struct setting *setting, int64_t value)
{
	char text[FORMAT_MAX];

	switch (setting->type) {
	case SETTING_SIZE:
		return xasprintf("%lld MiB", (long long)value);
	case SETTING_WALLTIME:
		return xstrdup(format_walltime(value, text));
	case SETTING_DURATION:
		return xasprintf("%lld ms", (long long)value);
	default:
		return xasprintf("%lld", (long long)value);
	}
}

/* The bounds themselves are good, one beyond is refused, with the bound in the error. */
START_TEST(bounds)
{
	const struct setting *setting = &settings_table[_i];
	const int64_t bound[] = {setting->minimum, setting->maximum};
	const int64_t *value = (const int64_t *)((const char *)&settings + setting->offset);

	if (!is_number(_i))
		return;
	for (int i = 0; i < 2; i++) {
		struct err err = ERR_INIT;
		char *at, *beyond;
		int r;

		if (bound[i] == INT64_MAX) /* only the parser limits it */
			continue;
		at = number_text(setting, bound[i]);
		ck_assert_int_eq(settings_set(&settings, _i, at, "s", &err), 0);
		ck_assert_int_eq(*value, bound[i]);
		beyond = number_text(setting, bound[i] + (i == 0 ? -1 : 1));
		r = settings_set(&settings, _i, beyond, "s", &err);
		ck_assert_msg(r == -ERANGE || (r == -EINVAL && bound[0] == 0), "%s: %s: %d",
			setting->name, beyond, r);
		ck_assert_int_eq(*value, bound[i]);
		free(at);
		free(beyond);
	}
}
END_TEST

/* What settings_format() writes is read as the same value. */
START_TEST(format_is_read_again)
{
	static const char *const texts[] = {"1", "7", "90", "1:30", "1-12", "1500 ms", "3 days",
		"1 h", "5000", "1.5 GiB", "1 TiB", "7 MB", "yes", "off", "a", "a,b c", "none",
		"1025 MiB"};

	for (size_t i = 0; i < LENGTH(texts); i++) {
		struct settings other;
		char *text, *again;

		if (settings_set(&settings, _i, texts[i], "s", NULL) < 0)
			continue;
		text = settings_format(&settings, _i);
		settings_init(&other);
		ck_assert_int_eq(settings_set(&other, _i, text, "s", NULL), 0);
		again = settings_format(&other, _i);
		ck_assert_str_eq(text, again);
		if (is_number(_i))
			ck_assert_int_eq(
				*(int64_t *)((char *)&other + settings_table[_i].offset),
				*(int64_t *)((char *)&settings + settings_table[_i].offset));
		settings_finish(&other);
		free(text);
		free(again);
	}
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
	one = snapshot(&settings);
	two = snapshot(&other);
	ck_assert_str_eq(one, two);
	free(two);
	/* Deep: the one does not change with the other. */
	ck_assert_int_eq(settings_set(&other, SETTING_RESERVATION, "x", "o", NULL), 0);
	ck_assert_int_eq(settings_set(&other, SETTING_QUEUES_TO_TRY, "x,y", "o", NULL), 0);
	settings_finish(&other);
	two = snapshot(&settings);
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
	{"{\"queues_to_try\": [\"a,b\", \" c\"]}", "queues_to_try", "\"a,b\", \" c\"", 0},
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
	{"{\"queues_to_try\": []}", "queues_to_try", NULL, -EINVAL},
	{"{\"queues_to_try\": null}", "queues_to_try", NULL, -EINVAL},
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
		check_value(&settings, (enum setting_id)id, values[_i].value);
		ck_assert_str_eq(
			settings.source[id], json_object_size(object) ? "request" : "default");
	} else {
		unit_assert_err(&err, r, values[_i].name);
		if (id >= 0) {
			check_value(&settings, (enum setting_id)id,
				settings_table[id].default_value);
			ck_assert_str_eq(settings.source[id], "default");
		}
		ck_assert_int_eq(settings_set_json(&settings, object, "request", NULL), r);
	}
	json_decref(object);
}
END_TEST

/* Of every value, the default and another one. */
START_TEST(to_json)
{
	json_t *object;
	char *before, *after;

	for (int id = 0; id < SETTING_COUNT; id++) {
		char *given = good_of(id, 0);

		if (_i == 1)
			ck_assert_int_eq(settings_set(&settings, id, given, "s", NULL), 0);
		free(given);
	}
	object = settings_to_json(&settings);
	before = snapshot(&settings);
	ck_assert_uint_eq(json_object_size(object), SETTING_COUNT);
	for (int id = 0; id < SETTING_COUNT; id++) {
		const json_t *value = json_object_get(object, settings_table[id].name);
		char *text = settings_format(&settings, id);

		if (settings_table[id].type == SETTING_LIST)
			ck_assert(json_is_array(value));
		else if (settings_table[id].type == SETTING_MAP)
			ck_assert(json_is_object(value));
		else
			ck_assert_str_eq(json_string_value(value), text);
		free(text);
	}
	/* They can be given back, as a client does. */
	settings_finish(&settings);
	settings_init(&settings);
	ck_assert_int_eq(settings_set_json(&settings, object, _i ? "s" : "default", NULL), 0);
	after = snapshot(&settings);
	ck_assert_str_eq(before, after);
	json_decref(object);
	free(before);
	free(after);
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
	tcase_add_loop_test(tcase, set, 0, SETTING_COUNT);
	tcase_add_loop_test(tcase, set_refuses, 0, SETTING_COUNT);
	tcase_add_loop_test(tcase, set_refuses_empty_lists, 0, SETTING_COUNT);
	tcase_add_loop_test(tcase, bounds, 0, SETTING_COUNT);
	tcase_add_loop_test(tcase, format_is_read_again, 0, SETTING_COUNT);
	tcase_add_test(tcase, copy);
	tcase_add_loop_test(tcase, set_json, 0, LENGTH(values));
	tcase_add_loop_test(tcase, to_json, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
