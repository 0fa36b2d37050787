/* settings_list.h: lists and mappings in one line of text, the form of options and variables.
 *
 *	a, b, "c, d"		a list: quotes keep a comma, a blank at an end or an empty item;
 *				inside them \" and \\ stand for " and \
 *	NAME=value,OTHER=value	a mapping: a list of such items
 *
 * A mapping is kept as a list of "NAME=value", as for execve(), in the order of the first mention.
 * "NAME" alone is a name without a value. */
#ifndef DRACO_COMMON_SETTINGS_LIST_H
#define DRACO_COMMON_SETTINGS_LIST_H

#include <stdbool.h>

struct err;
struct strv;

#define SETTINGS_ITEMS_MAX 1000

/* Add the items of text to ret. Empty items without quotes are skipped. -EINVAL: a quote has no
 * end, or there are more than SETTINGS_ITEMS_MAX items. */
int list_parse(const char *text, struct strv *ret, struct err *err)
	__attribute__((warn_unused_result));

/* Does the text mean that there is no value: "", "none", "null" (in upper or lower case) or "~"? */
bool text_is_none(const char *text);

/* The list as text for list_parse(). Items that text_is_none() holds for are quoted. The caller
 * frees. */
char *list_format(const struct strv *list);

/* The kind of names in a mapping. */
enum map_kind {
	/* Options of sbatch in any form (common/directives.h), kept by their long names. A value is
	 * optional. */
	MAP_DIRECTIVES,
	/* Variables: letters, digits and '_'. Each needs a value. */
	MAP_VARIABLES,
};

/* Set the value of name in map; NULL: no value. -EINVAL: the name is invalid or a value is missing.
 * -ENOENT, -EPERM: from directive_split(). map is unchanged after an error. */
int map_set(struct strv *map, enum map_kind kind, const char *name, const char *value,
	struct err *err) __attribute__((warn_unused_result));

/* As map_set(), with "NAME=value" or "NAME". given: the directives of earlier items in the same
 * text. A repeated one is an error, -EINVAL. */
int map_set_item(struct strv *map, enum map_kind kind, const char *item, struct strv *given,
	struct err *err) __attribute__((warn_unused_result));

/* map_set_item() for all items of a list, or for none of them. */
int map_set_items(struct strv *map, enum map_kind kind, const struct strv *items,
	struct err *err) __attribute__((warn_unused_result));

void map_drop(struct strv *map, const char *name);

/* The value of name; "": it has none; NULL: it is not in the mapping. */
const char *map_get(const struct strv *map, const char *name);

#endif
