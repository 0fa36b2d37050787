/* settings_value.h: reads, writes and copies one value of a setting by its type. Pure.
 *
 * at points to the setting's member of struct settings. Errors are -EINVAL (another form) and
 * -ERANGE (out of bounds). err names the value and what would be right, but not the setting, and
 * the value is unchanged. */
#ifndef DRACO_COMMON_SETTINGS_VALUE_H
#define DRACO_COMMON_SETTINGS_VALUE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/settings.h"

struct err;

/* Read the form of options and variables. A mapping keeps names that text does not mention; "none"
 * empties it. */
int value_set_text(const struct setting *setting, void *at, const char *text, struct err *err)
	__attribute__((warn_unused_result));

/* Read JSON: strings in the form of options, numbers, booleans, null for none, arrays for lists
 * (and for the lines of a text), objects for mappings. In a mapping whose names need values, null
 * removes the name. */
int value_set_json(const struct setting *setting, void *at, const json_t *value,
	struct err *err) __attribute__((warn_unused_result));

/* Write the form that value_set_text() reads. The caller frees. */
char *value_format(const struct setting *setting, const void *at);

/* Write the form that value_set_json() reads: an integer, seconds, a boolean, an array, an object,
 * null for none, otherwise a string. The caller owns it. */
json_t *value_to_json(const struct setting *setting, const void *at);

/* Is the value none, or an empty list or mapping? Never true of a number or boolean. */
bool value_is_none(const struct setting *setting, const void *at);

void value_copy(const struct setting *setting, void *at, const void *from);
void value_release(const struct setting *setting, void *at);

#endif
