/* settings_value.c: reads, writes and copies one value of a setting by its type. Pure. */
#include "common/settings_value.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/argv.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/nearest.h"
#include "common/parse.h"
#include "common/place.h"
#include "common/settings_describe.h"
#include "common/settings_list.h"
#include "common/settings_number.h"
#include "common/strv.h"

static enum map_kind kind_of(const struct setting *setting)
{
	return setting->minimum ? MAP_VARIABLES : MAP_DIRECTIVES;
}

static int set_choice(const struct setting *setting, int *at, const char *text, struct err *err)
{
	struct strv words = STRV_INIT;
	const char *near;
	int r = -EINVAL;

	strv_split(&words, setting->placeholder, '|');
	for (size_t i = 0; i < words.count; i++)
		if (strcasecmp(words.item[i], text) == 0) {
			*at = (int)i;
			r = 0;
		}
	if (r < 0) {
		_cleanup_free_ char *known = strv_join(&words, ", ");

		near = nearest(text, words.item, words.count, sizeof(words.item[0]));
		err_set(err, r, "\"%s\" is not known: give one of %s%s%s%s", text, known,
			near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	}
	strv_finish(&words);
	return r;
}

static int set_string(char **at, const char *text, struct err *err)
{
	for (const char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			return err_set(err, -EINVAL,
				"the value must be one line without control characters, and "
				"\"%.*s\" is followed by one",
				(int)(c - text), text);
	xreplace(at, text_is_none(text) ? NULL : text);
	return 0;
}

/* Takes list over. text: the value as the user gave it. */
static int replace_list(const struct setting *setting, struct strv *at, struct strv *list,
	const char *text, struct err *err)
{
	if ((int64_t)list->count < setting->minimum) {
		strv_finish(list);
		return err_set(
			err, -EINVAL, "\"%s\" is empty: give %s", text, setting->placeholder);
	}
	strv_finish(at);
	*at = *list;
	return 0;
}

/* Is there no item? list_parse() skips white space. */
static bool lists_nothing(const char *text)
{
	static const char white[] = " \t\r\n";
	_cleanup_free_ char *trimmed = xstrdup(text + strspn(text, white));

	for (size_t n = strlen(trimmed); n > 0 && strchr(white, trimmed[n - 1]); n--)
		trimmed[n - 1] = '\0';
	return text_is_none(trimmed);
}

/* Takes list over. Options by partition are added to those that there are. */
static int set_places(
	const struct setting *setting, struct strv *at, struct strv *list, struct err *err)
{
	struct strv all = STRV_INIT;
	int r = places_read(list, err);

	for (size_t i = 0; r == 0 && setting->minimum && i < list->count; i++) {
		struct strv options = STRV_INIT;

		place_split(list->item[i], NULL, &options);
		if (options.count == 0)
			r = err_set(err, -EINVAL, "%s has no options: give %s", list->item[i],
				setting->placeholder);
		strv_finish(&options);
	}
	if (r == 0 && setting->minimum && list->count > 0)
		strv_copy(&all, at);
	if (r == 0 && setting->minimum) {
		places_merge(&all, list);
		strv_copy(list, &all);
		strv_finish(&all);
	}
	if (r < 0) {
		strv_finish(list);
		return r;
	}
	strv_finish(at);
	*at = *list;
	return 0;
}

static int set_list(
	const struct setting *setting, struct strv *at, const char *text, struct err *err)
{
	struct strv list = STRV_INIT;
	int r = lists_nothing(text) ? 0 : list_parse(text, &list, err);

	if (r < 0)
		return r;
	if (setting->type == SETTING_PLACES)
		return set_places(setting, at, &list, err);
	return replace_list(setting, at, &list, text, err);
}

static int set_map(
	const struct setting *setting, struct strv *at, const char *text, struct err *err)
{
	struct strv items = STRV_INIT, map = STRV_INIT;
	int r = 0;

	if (!lists_nothing(text)) {
		strv_copy(&map, at);
		r = list_parse(text, &items, err);
	}
	if (r == 0)
		r = map_set_items(&map, kind_of(setting), &items, err);
	strv_finish(&items);
	if (r < 0) {
		strv_finish(&map);
		return r;
	}
	strv_finish(at);
	*at = map;
	return 0;
}

int value_set_text(const struct setting *setting, void *at, const char *text, struct err *err)
{
	switch (setting->type) {
	case SETTING_BOOLEAN:
		return parse_boolean(text, at, err);
	case SETTING_STRING:
		return set_string(at, text, err);
	case SETTING_TEXT:
		xreplace(at, text_is_none(text) ? NULL : text);
		return 0;
	case SETTING_CHOICE:
		return set_choice(setting, at, text, err);
	case SETTING_LIST:
	case SETTING_PLACES:
		return set_list(setting, at, text, err);
	case SETTING_MAP:
		return set_map(setting, at, text, err);
	default:
		return value_set_number(setting, at, text, err);
	}
}

static int json_items(const json_t *array, struct strv *ret, struct err *err)
{
	if (json_array_size(array) > SETTINGS_ITEMS_MAX)
		return err_set(err, -EINVAL, "more than %d items", SETTINGS_ITEMS_MAX);
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *item = json_array_get(array, i);

		if (!json_is_string(item))
			return err_set(
				err, -EINVAL, "item %zu of the list is not a string", i + 1);
		strv_add(ret, json_string_value(item));
	}
	return 0;
}

static int map_members(
	enum map_kind kind, struct strv *map, const json_t *object, struct err *err)
{
	const char *name;
	json_t *value;
	int r = 0;

	json_object_foreach (UNCONST(object), name, value) {
		_cleanup_free_ char *text =
			json_is_null(value) ? NULL : json_scalar_text(value);

		if (!text && !json_is_null(value))
			r = err_set(err, -EINVAL, "%s must have one plain value", name);
		else if (!text && kind == MAP_VARIABLES)
			map_drop(map, name);
		else
			r = map_set(map, kind, name, text, err);
		if (r < 0)
			break;
	}
	return r;
}

static int set_map_json(
	const struct setting *setting, struct strv *at, const json_t *value, struct err *err)
{
	enum map_kind kind = kind_of(setting);
	struct strv map = STRV_INIT, given = STRV_INIT;
	int r = 0;

	strv_copy(&map, at);
	if (json_is_object(value))
		r = map_members(kind, &map, value, err);
	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		const json_t *item = json_array_get(value, i);

		if (json_is_object(item))
			r = map_members(kind, &map, item, err);
		else if (json_is_string(item))
			r = map_set_item(&map, kind, json_string_value(item), &given, err);
		else
			r = err_set(err, -EINVAL, "item %zu is not \"NAME=value\"", i + 1);
	}
	strv_finish(&given);
	if (r < 0) {
		strv_finish(&map);
		return r;
	}
	strv_finish(at);
	*at = map;
	return 0;
}

/* Add the place that value describes; partition: its name, if it is not in value. */
static int add_place(
	const json_t *value, const char *partition, struct strv *ret, struct err *err)
{
	char *place;
	int r = place_read_json(value, partition, &place, err);

	if (r == 0)
		strv_take(ret, place);
	return r;
}

static int set_places_json(
	const struct setting *setting, struct strv *at, const json_t *value, struct err *err)
{
	bool by_name = json_is_object(value) && setting->minimum;
	struct strv list = STRV_INIT;
	const char *name;
	json_t *member;
	int r = 0;

	if (json_array_size(value) > SETTINGS_ITEMS_MAX)
		r = err_set(err, -EINVAL, "more than %d items", SETTINGS_ITEMS_MAX);
	for (size_t i = 0; r == 0 && i < json_array_size(value); i++)
		r = add_place(json_array_get(value, i), NULL, &list, err);
	if (json_is_object(value) && !by_name)
		r = add_place(value, NULL, &list, err);
	json_object_foreach (by_name ? UNCONST(value) : NULL, name, member)
		if (r == 0)
			r = add_place(member, name, &list, err);
	if (r == 0)
		return set_places(setting, at, &list, err);
	strv_finish(&list);
	return r;
}

static int set_array(
	const struct setting *setting, void *at, const json_t *value, struct err *err)
{
	_cleanup_free_ char *text = NULL, *last = NULL;
	struct strv list = STRV_INIT;
	int r = json_items(value, &list, err);

	if (r == 0 && setting->type == SETTING_LIST)
		return replace_list(setting, at, &list, "[]", err);
	if (r == 0 && setting->type == SETTING_STRING) {
		/* An array holds the words of a command. */
		text = argv_format(&list);
		r = set_string(at, text, err);
		strv_finish(&list);
		return r;
	}
	if (r == 0) { /* an array holds the lines of a text */
		text = strv_join(&list, "\n");
		last = xasprintf("%s%s", text, *text ? "\n" : "");
		xreplace(at, *last ? last : NULL);
	}
	strv_finish(&list);
	return r;
}

int value_set_json(
	const struct setting *setting, void *at, const json_t *value, struct err *err)
{
	_cleanup_free_ char *text = json_scalar_text(value), *form = NULL, *range = NULL;

	if (json_is_null(value) &&
		(value_is_number(setting) || setting->type == SETTING_BOOLEAN ||
			setting->type == SETTING_CHOICE)) {
		form = value_describe(setting);
		range = value_range(setting);
		return err_set(err, -EINVAL, "the value is missing: give %s%s%s%s",
			value_is_number(setting) ? "a " : "", form, range ? ", " : "",
			range ? range : "");
	}
	if (text)
		return value_set_text(setting, at, text, err);
	if (setting->type == SETTING_MAP)
		return set_map_json(setting, at, value, err);
	if (setting->type == SETTING_PLACES)
		return set_places_json(setting, at, value, err);
	if (json_is_array(value) &&
		(setting->type == SETTING_LIST || setting->type == SETTING_TEXT ||
			(setting->type == SETTING_STRING && setting->minimum)))
		return set_array(setting, at, value, err);
	return err_set(err, -EINVAL, "%s is not possible here: give %s%s",
		json_is_array(value) ? "a list" : "a mapping",
		setting->type == SETTING_LIST ? "a list, or " : "one value: ",
		setting->placeholder);
}

static json_t *seconds_to_json(int64_t ms)
{
	return ms % 1000 ? json_real((double)ms / 1000) : json_integer(ms / 1000);
}

json_t *value_to_json(const struct setting *setting, const void *at)
{
	_cleanup_free_ char *text = NULL;
	const struct strv *list = at;
	json_t *container;

	if (setting->type == SETTING_LIST || setting->type == SETTING_PLACES) {
		container = json_array();
		for (size_t i = 0; i < list->count; i++)
			json_array_append_new(container, json_text(list->item[i]));
		return container;
	}
	if (setting->type == SETTING_MAP) {
		container = json_object();
		for (size_t i = 0; i < list->count; i++) {
			const char *equals = strchrnul(list->item[i], '=');

			text = xstrndup(list->item[i], (size_t)(equals - list->item[i]));
			json_object_set_new(
				container, text, json_text(*equals ? equals + 1 : NULL));
			xreplace(&text, NULL);
		}
		return container;
	}
	if (setting->type == SETTING_INTEGER ||
		(setting->type == SETTING_CPUS && *(const int64_t *)at != CORES_NODE))
		return json_integer(*(const int64_t *)at);
	if (setting->type == SETTING_DURATION)
		return seconds_to_json(*(const int64_t *)at);
	if (setting->type == SETTING_BOOLEAN)
		return json_boolean(*(const bool *)at);
	if (setting->type != SETTING_CHOICE && value_is_none(setting, at))
		return json_null();
	text = value_format(setting, at);
	return json_text(text);
}

char *value_format(const struct setting *setting, const void *at)
{
	const struct strv *list = at;
	struct strv words = STRV_INIT;
	char *text;

	switch (setting->type) {
	case SETTING_BOOLEAN:
		return xstrdup(*(const bool *)at ? "true" : "false");
	case SETTING_STRING:
	case SETTING_TEXT:
		return xstrdup(*(char *const *)at ? *(char *const *)at : "none");
	case SETTING_CHOICE:
		strv_split(&words, setting->placeholder, '|');
		text = xstrdup(words.item[*(const int *)at]);
		strv_finish(&words);
		return text;
	case SETTING_LIST:
	case SETTING_PLACES:
	case SETTING_MAP:
		return list->count ? list_format(list) : xstrdup("none");
	default:
		return value_format_number(setting, *(const int64_t *)at);
	}
}

bool value_is_none(const struct setting *setting, const void *at)
{
	switch (setting->type) {
	case SETTING_STRING:
	case SETTING_TEXT:
		return !*(char *const *)at;
	case SETTING_LIST:
	case SETTING_PLACES:
	case SETTING_MAP:
		return ((const struct strv *)at)->count == 0;
	default:
		return false;
	}
}

void value_copy(const struct setting *setting, void *at, const void *from)
{
	switch (setting->type) {
	case SETTING_BOOLEAN:
		*(bool *)at = *(const bool *)from;
		break;
	case SETTING_CHOICE:
		*(int *)at = *(const int *)from;
		break;
	case SETTING_STRING:
	case SETTING_TEXT:
		xreplace(at, *(char *const *)from);
		break;
	case SETTING_LIST:
	case SETTING_PLACES:
	case SETTING_MAP:
		strv_copy(at, from);
		break;
	default:
		*(int64_t *)at = *(const int64_t *)from;
	}
}

void value_release(const struct setting *setting, void *at)
{
	if (setting->type == SETTING_STRING || setting->type == SETTING_TEXT)
		xreplace(at, NULL);
	else if (setting->type == SETTING_LIST || setting->type == SETTING_PLACES ||
		setting->type == SETTING_MAP)
		strv_finish(at);
}
