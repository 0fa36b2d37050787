/* settings_fixture.c: what the tests of settings.c share. */
#include "settings_fixture.h"

#include "common/alloc.h"
#include "unit.h"

char *settings_snapshot(const struct settings *s)
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

void assert_value(const struct settings *s, enum setting_id id, const char *expected)
{
	char *text = settings_format(s, id);

	ck_assert_msg(strcmp(text, expected) == 0, "%s is %s instead of %s",
		settings_table[id].name, text, expected);
	free(text);
}
