/* settings_list.h: lists and mappings as one line of text, as options and variables have them.
 *
 *	a, b, "c, d"		a list: quotes keep a comma, a blank at an end or an empty item;
 *				inside them \" and \\ stand for " and \
 *	NAME=value,OTHER=value	a mapping: a list of such items
 *
 * A mapping is held as a list of "NAME=value" in the order of the first mention, fit for execve();
 * "NAME" alone is a name without a value. */
#ifndef DRACO_COMMON_SETTINGS_LIST_H
#define DRACO_COMMON_SETTINGS_LIST_H

#include <stdbool.h>

struct err;
struct strv;

#define SETTINGS_ITEMS_MAX 1000

/* Add the items of text to ret; empty ones without quotes are left out. -EINVAL: a quote
 * without its end, or more than SETTINGS_ITEMS_MAX items. */
int list_parse(const char *text, struct strv *ret, struct err *err)
	__attribute__((warn_unused_result));

/* Does the text say that there is no value: "", "none", "null" (in any case) or "~"? */
bool text_is_none(const char *text);

/* The text that list_parse() reads as this list; items that text_is_none() would take for nothing
 * are quoted. The caller frees. */
char *list_format(const struct strv *list);

/* What the names of a mapping are. */
enum map_kind {
	/* Options of sbatch in any of their forms (common/directives.h), held by their long
	 * names; a value is not needed. */
	MAP_DIRECTIVES,
	/* Of an environment: letters, digits, '_'; a value is needed. */
	MAP_VARIABLES,
};

/* Give name a value in map (NULL: none), in place of the one that it has. -EINVAL: a wrong
 * name, or a value that is missing; -ENOENT, -EPERM: of directives, as directive_split(); map
 * is unchanged. */
int map_set(struct strv *map, enum map_kind kind, const char *name, const char *value,
	struct err *err) __attribute__((warn_unused_result));

/* map_set() with "NAME=value" or "NAME". given has the directives of items before, which
 * somebody wrote together with this one: the same once more is a mistake then, -EINVAL. */
int map_set_item(struct strv *map, enum map_kind kind, const char *item, struct strv *given,
	struct err *err) __attribute__((warn_unused_result));

/* map_set_item() with all items of a list, or with none. */
int map_set_items(struct strv *map, enum map_kind kind, const struct strv *items,
	struct err *err) __attribute__((warn_unused_result));

void map_drop(struct strv *map, const char *name);

/* The value of name: "" when it has none, NULL when the name is not there. */
const char *map_get(const struct strv *map, const char *name);

#endif
