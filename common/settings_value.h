/* settings_value.h: one value of a setting by its type: reading, writing, copying. Pure.
 *
 * at points to the member of struct settings that the setting describes. Errors are -EINVAL
 * (not of that form) and -ERANGE (out of bounds) with the value and what would be right,
 * without the name of the setting; the value is unchanged then. */
#ifndef DRACO_COMMON_SETTINGS_VALUE_H
#define DRACO_COMMON_SETTINGS_VALUE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/settings.h"

struct err;

/* From the form that options and variables have. A mapping keeps the names that text does not
 * mention; "none" empties it. */
int value_set_text(const struct setting *setting, void *at, const char *text, struct err *err)
	__attribute__((warn_unused_result));

/* From JSON: strings in the form of an option, numbers, booleans, null for none, arrays for
 * lists (for text: its lines), objects for mappings (there null drops the name, where a value
 * is needed). */
int value_set_json(const struct setting *setting, void *at, const json_t *value,
	struct err *err) __attribute__((warn_unused_result));

/* In the form that value_set_text() reads; the caller frees. */
char *value_format(const struct setting *setting, const void *at);

/* In the form that value_set_json() reads: an integer, seconds, true or false, an array, an
 * object, null for none, else a string. */
json_t *value_to_json(const struct setting *setting, const void *at);

/* Whether nothing is set: none, or an empty list or mapping. Never of a number or boolean. */
bool value_is_none(const struct setting *setting, const void *at);

void value_copy(const struct setting *setting, void *at, const void *from);
void value_release(const struct setting *setting, void *at);

#endif
