/* check_settings_places.c: tests of common/settings_places.c: places with options of their own. */
#include "unit.h"

#include "common/place.h"
#include "common/settings.h"
#include "common/settings_job.h"
#include "common/settings_places.h"
#include "common/strv.h"

static struct settings settings;

static void setup(void)
{
	settings_init(&settings);
}

static void teardown(void)
{
	settings_finish(&settings);
}

static void set(enum setting_id id, const char *text)
{
	struct err err = ERR_INIT;

	ck_assert_msg(settings_set(&settings, id, text, "test", &err) == 0, "%s", err.text);
}

static void assert_joined(const struct strv *list, const char *expected)
{
	char *text = strv_join(list, " | ");

	ck_assert_str_eq(text, expected);
	free(text);
}

/* The options of queue_options count wherever the partition is named. Those beside the name win. */
START_TEST(options_of_a_partition)
{
	struct strv places = STRV_INIT, names = STRV_INIT;

	set(SETTING_QUEUE_OPTIONS, "a account=x qos=y, b nice=1");
	set(SETTING_QUEUE_OPTIONS, "b nice=2, c nice=3");
	set(SETTING_QUEUES_TO_TRY, "a qos=z comment='two words', a, b, d");
	settings_places(&settings, &places);
	assert_joined(&places,
		"a account=x qos=z 'comment=two words' | a account=x qos=y | "
		"b nice=2 | d");
	settings_partitions(&settings, &names);
	assert_joined(&names, "a | b | d");
	set(SETTING_QUEUE_OPTIONS, "none");
	ck_assert_uint_eq(settings.queue_options.count, 0);
	strv_finish(&places);
	strv_finish(&names);
}
END_TEST

/* They count in place of the settings, and can take those back. */
START_TEST(options_replace_settings)
{
	struct strv place = STRV_INIT, directives = STRV_INIT;

	set(SETTING_ACCOUNT, "x");
	set(SETTING_QOS, "y");
	set(SETTING_DIRECTIVES, "nice=1, comment=c");
	place_split("a account=z qos=none nice=2 gpus=1", NULL, &place);
	settings_directives(&settings, &directives);
	settings_directives_at(&directives, &place);
	assert_joined(&directives, "account=z | nice=2 | comment=c | gpus=1");
	strv_finish(&place);
	strv_finish(&directives);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("settings_places");
	TCase *tests = tcase_create("settings_places");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, options_of_a_partition);
	tcase_add_test(tests, options_replace_settings);
	suite_add_tcase(suite, tests);
	return suite;
}
