/* check_settings_set.c: tests of common/settings.c: good and bad values of each setting. They
 * go over the whole table, so that a new setting is tested without a change here. */
#include "unit.h"

#include "common/alloc.h"
#include "common/parse.h"
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

/* A good value of each type, how it is written, and values that are none. */
static const struct {
	const char *good[2];
	const char *bad[6];
} examples[] = {
	[SETTING_INTEGER] = {{"3", "3"}, {"", "x", "3x", "1.5", "-9999999", "none"}},
	[SETTING_CPUS] = {{"Node", "node"}, {"", "x", "0", "1.5", "-9999999", "none"}},
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
	[SETTING_PLACES] = {{"a  qos=b ,\"c gres=d,e\"", "a qos=b, \"c gres=d,e\""},
		{"qos=a", "--qos", "a 'qos", "a mem=1", "a qos=b qos=c", "a cores=2"}},
};

/* The same for settings that do not take every value of their type. */
static const struct {
	const char *good[2];
	const char *bad[6];
} special[SETTING_COUNT] = {
	[SETTING_QUEUE_OPTIONS] = {{"a qos=b", "a qos=b"}, {"a", "qos=b", "a mem=1", NULL}},
	[SETTING_MEMORY] = {{"NODE", "node"}, {"", "x", "-1", "5", "5 parsecs", NULL}},
	[SETTING_PYTHON] = {{"/abc", "/abc"}, {"bin/python3", "./python3", NULL}},
	[SETTING_LOG_DIRECTORY] = {{"~/abc/$USER", "~/abc/$USER"},
		{"logs", "~user/logs", "/a$", NULL}},
	[SETTING_LOG_RETENTION] = {{"3d", "3 days"},
		{"", "x", "-1", "5 parsecs", "9999 days", NULL}},
	[SETTING_SCHEDULER_SILENCE] = {{"2 min", "120"},
		{"", "x", "-1", "5 parsecs", "9999 days", NULL}},
	[SETTING_IDLE_HOLD] = {{"2 min", "120"},
		{"", "x", "-1", "5 parsecs", "9999 days", NULL}},
	[SETTING_IDLE_TIMEOUT] = {{"2 min", "120"},
		{"", "x", "-1", "5 parsecs", "9999 days", NULL}},
	[SETTING_IDLE_SHUTDOWN] = {{"2 min", "120"},
		{"", "x", "-1", "5 parsecs", "9999 days", NULL}},
	[SETTING_DASHBOARD_ADDRESS] = {{"10.0.0.1", "10.0.0.1"},
		{"/abc", "localhost", "::1", "10.0.0.256", "none", NULL}},
	[SETTING_DASHBOARD_PORT] = {{"8787", "8787"},
		{"/abc", "1023", "65536", "8787x", "none", NULL}},
	[SETTING_SCHEDULER_PORT] = {{"8786-8800", "8786-8800"},
		{"/abc", "1023", "65536", "8800-8786", "none", NULL}},
	[SETTING_REMOTE_PORT] = {{"8790", "8790"}, {"/abc", "1023", "65536", "8790x", NULL}},
	[SETTING_WORKER_PORT] = {{"9000-9100", "9000-9100"},
		{"/abc", "1023", "9000:9100", "9100-9000", "none", NULL}},
	[SETTING_NANNY_PORT] = {{"9000-9100", "9000-9100"}, {"/abc", "65536", "none", NULL}},
	[SETTING_DIRECTIVES] = {{"comment=a,contiguous", "comment=a, contiguous"},
		{"A;B=1", "partition=a", "comment=\"", "=1", NULL}},
	[SETTING_JOB_ENVIRONMENT] = {{"A=1,B=\"2,3\"", "A=1, \"B=2,3\""},
		{"=1", "1A=2", "SLURM_X=1", "SBATCH_X=1", "A", NULL}},
	[SETTING_WORKER_OPTIONS] = {{"--resources,a=1", "--resources, a=1"},
		{"--name=a", "--nthreads", "--preload a", "--worker-port=1", NULL}},
	[SETTING_SCHEDULER_OPTIONS] = {{"--preload,a.py", "--preload, a.py"},
		{"--port=1", "--host", "--preload a", NULL}},
	[SETTING_SCRATCH_DIRECTORY] = {{"/abc/$USER", "/abc/$USER"},
		{"abc", "/$", "/${USER", "none", NULL}},
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
	assert_value(&settings, _i, written);
	free(given);
	free(written);
	ck_assert_str_eq(settings.source[_i], "line 3");
	for (int id = 0; id < SETTING_COUNT; id++)
		if (id != _i) {
			assert_value(&settings, id, settings_table[id].default_value);
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
	char *before = settings_snapshot(&settings), *after;
	struct err err = ERR_INIT;
	int r = settings_set(&settings, id, bad, "source", &err);

	ck_assert_msg(r == -EINVAL || r == -ERANGE || r == -ENOENT || r == -EPERM,
		"%s: \"%s\": %d", settings_table[id].name, bad, r);
	unit_assert_err(&err, r, shown);
	ck_assert_int_eq(
		strncmp(err.text, settings_table[id].name, strlen(settings_table[id].name)), 0);
	ck_assert_int_eq(settings_set(&settings, id, bad, "source", NULL), r);
	after = settings_snapshot(&settings);
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
		else if (setting->type == SETTING_LIST || setting->type == SETTING_PLACES)
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

		if (bound[i] == INT64_MAX /* only the parser limits it */ ||
			(setting->type == SETTING_CPUS && bound[i] == CORES_NODE) ||
			bound[i] == MEMORY_NONE /* a word, as none of a walltime */ ||
			((setting->type == SETTING_WALLTIME || setting->type == SETTING_SIZE) &&
				bound[i] == 0))
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
	before = settings_snapshot(&settings);
	ck_assert_uint_eq(json_object_size(object), SETTING_COUNT);
	for (int id = 0; id < SETTING_COUNT; id++) {
		const json_t *value = json_object_get(object, settings_table[id].name);
		char *text = settings_format(&settings, id);

		if (settings_table[id].type == SETTING_LIST ||
			settings_table[id].type == SETTING_PLACES)
			ck_assert(json_is_array(value));
		else if (settings_table[id].type == SETTING_MAP)
			ck_assert(json_is_object(value));
		else if (settings_table[id].type == SETTING_INTEGER ||
			settings_table[id].type == SETTING_CPUS)
			ck_assert_int_eq(json_integer_value(value),
				*(int64_t *)settings_member(&settings, id));
		else if (settings_table[id].type == SETTING_DURATION)
			ck_assert_double_eq(json_number_value(value) * 1000,
				(double)*(int64_t *)settings_member(&settings, id));
		else if (settings_table[id].type == SETTING_BOOLEAN)
			ck_assert_str_eq(json_is_true(value) ? "true" : "false", text);
		else if (json_is_null(value))
			ck_assert_str_eq(text, "none");
		else
			ck_assert_str_eq(json_string_value(value), text);
		free(text);
	}
	/* They can be given back, as a client does. */
	settings_finish(&settings);
	settings_init(&settings);
	ck_assert_int_eq(settings_set_json(&settings, object, _i ? "s" : "default", NULL), 0);
	after = settings_snapshot(&settings);
	ck_assert_str_eq(before, after);
	json_decref(object);
	free(before);
	free(after);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("settings: set");
	TCase *tcase = tcase_create("settings: set");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, set, 0, SETTING_COUNT);
	tcase_add_loop_test(tcase, set_refuses, 0, SETTING_COUNT);
	tcase_add_loop_test(tcase, set_refuses_empty_lists, 0, SETTING_COUNT);
	tcase_add_loop_test(tcase, bounds, 0, SETTING_COUNT);
	tcase_add_loop_test(tcase, format_is_read_again, 0, SETTING_COUNT);
	tcase_add_loop_test(tcase, to_json, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
