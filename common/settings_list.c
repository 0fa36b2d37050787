/* settings_list.c: lists and mappings in one line of text. Pure. */
#include "common/settings_list.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/directives.h"
#include "common/err.h"
#include "common/strv.h"

static const char *skip_blanks(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* Read one item at *text up to its comma. *ret is NULL for an empty item without quotes. */
static int take_item(const char **text, char **ret, struct err *err)
{
	const char *at = skip_blanks(*text), *start = at;
	_cleanup_free_ char *item = xcalloc(strlen(at) + 1, 1);
	size_t length = 0, kept = 0; /* blanks count up to kept, not beyond */
	bool quoted = false, has_quotes = false;

	for (; *at && (quoted || *at != ','); at++) {
		if (*at == '"') {
			quoted = !quoted;
			has_quotes = true;
			kept = length;
			continue;
		}
		if (quoted && *at == '\\' && (at[1] == '"' || at[1] == '\\'))
			at++;
		item[length++] = *at;
		if (quoted || !isspace((unsigned char)*at))
			kept = length;
	}
	if (quoted)
		return err_set(err, -EINVAL, "a quote has no end: %s", start);
	item[kept] = '\0';
	*text = *at ? at + 1 : at;
	*ret = kept || has_quotes ? TAKE_PTR(item) : NULL;
	return 0;
}

int list_parse(const char *text, struct strv *ret, struct err *err)
{
	struct strv items = STRV_INIT;
	int r = 0;

	while (r == 0 && *text) {
		char *item = NULL;

		r = take_item(&text, &item, err);
		if (item)
			strv_take(&items, item);
		if (r == 0 && items.count > SETTINGS_ITEMS_MAX)
			r = err_set(err, -EINVAL, "more than %d items", SETTINGS_ITEMS_MAX);
	}
	for (size_t i = 0; r == 0 && i < items.count; i++)
		strv_add(ret, items.item[i]);
	strv_finish(&items);
	return r;
}

bool text_is_none(const char *text)
{
	return !*text || strcasecmp(text, "none") == 0 || strcasecmp(text, "null") == 0 ||
		strcmp(text, "~") == 0;
}

/* Would the item be read differently without quotes? */
static bool needs_quotes(const char *item)
{
	size_t length = strlen(item);

	return text_is_none(item) || isspace((unsigned char)item[0]) ||
		isspace((unsigned char)item[length - 1]) || strpbrk(item, ",\"");
}

static char *quote(const char *item)
{
	char *text = xcalloc(2 * strlen(item) + 3, 1), *end = text;

	*end++ = '"';
	for (; *item; item++) {
		if (*item == '"' || *item == '\\')
			*end++ = '\\';
		*end++ = *item;
	}
	*end = '"';
	return text;
}

char *list_format(const struct strv *list)
{
	struct strv items = STRV_INIT;
	char *text;

	for (size_t i = 0; i < list->count; i++) {
		if (needs_quotes(list->item[i]))
			strv_take(&items, quote(list->item[i]));
		else
			strv_add(&items, list->item[i]);
	}
	text = strv_join(&items, ", ");
	strv_finish(&items);
	return text;
}

static size_t find(const struct strv *map, const char *name)
{
	size_t length = strlen(name), i;

	for (i = 0; i < map->count; i++)
		if (strncmp(map->item[i], name, length) == 0 &&
			(!map->item[i][length] || map->item[i][length] == '='))
			break;
	return i;
}

static bool is_variable(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

/* Set name, which must be valid. */
static int put(struct strv *map, const char *name, const char *value, struct err *err)
{
	size_t at = find(map, name);
	char *item;

	if (at == map->count && map->count >= SETTINGS_ITEMS_MAX)
		return err_set(err, -EINVAL, "more than %d items", SETTINGS_ITEMS_MAX);
	item = value ? xasprintf("%s=%s", name, value) : xstrdup(name);
	if (at == map->count) {
		strv_take(map, item);
	} else {
		free(map->item[at]);
		map->item[at] = item;
	}
	return 0;
}

static int set_variable(struct strv *map, const char *name, const char *value, struct err *err)
{
	if (!is_variable(name))
		return err_set(err, -EINVAL,
			"\"%s\" cannot name a variable: letters, digits and '_', not beginning "
			"with a digit",
			name);
	if (!value)
		return err_set(err, -EINVAL,
			"\"%s\" has no value: give NAME=value (in quotes when the value has a "
			"comma: \"NAME=a,b\")",
			name);
	return put(map, name, value, err);
}

/* given: names that must not be repeated; NULL: repeats are allowed. */
static int set_directive(
	struct strv *map, const char *item, struct strv *given, struct err *err)
{
	_cleanup_free_ char *name = NULL;
	const char *value;
	int r = directive_split(item, &name, &value, err);

	if (r < 0)
		return r;
	if (given && strv_has(given, name))
		return err_set(err, -EINVAL, "--%s is given twice", name);
	if (given)
		strv_add(given, name);
	return put(map, name, value, err);
}

int map_set(struct strv *map, enum map_kind kind, const char *name, const char *value,
	struct err *err)
{
	_cleanup_free_ char *item = NULL;

	if (kind == MAP_VARIABLES)
		return set_variable(map, name, value, err);
	item = value ? xasprintf("%s=%s", name, value) : xstrdup(name);
	return set_directive(map, item, NULL, err);
}

int map_set_item(struct strv *map, enum map_kind kind, const char *item, struct strv *given,
	struct err *err)
{
	const char *equals = strchr(item, '=');
	_cleanup_free_ char *name = NULL;

	if (kind == MAP_DIRECTIVES)
		return set_directive(map, item, given, err);
	name = xstrndup(item, equals ? (size_t)(equals - item) : strlen(item));
	return set_variable(map, name, equals ? equals + 1 : NULL, err);
}

int map_set_items(
	struct strv *map, enum map_kind kind, const struct strv *items, struct err *err)
{
	struct strv changed = STRV_INIT, given = STRV_INIT;
	int r = 0;

	strv_copy(&changed, map);
	for (size_t i = 0; r == 0 && i < items->count; i++)
		r = map_set_item(&changed, kind, items->item[i], &given, err);
	strv_finish(&given);
	if (r < 0) {
		strv_finish(&changed);
		return r;
	}
	strv_finish(map);
	*map = changed;
	return 0;
}

void map_drop(struct strv *map, const char *name)
{
	size_t at = find(map, name);

	if (at == map->count)
		return;
	free(map->item[at]);
	memmove(map->item + at, map->item + at + 1, (map->count - at) * sizeof(*map->item));
	map->count--;
}

const char *map_get(const struct strv *map, const char *name)
{
	size_t at = find(map, name);
	const char *equals = at < map->count ? strchr(map->item[at], '=') : NULL;

	if (at == map->count)
		return NULL;
	return equals ? equals + 1 : "";
}
