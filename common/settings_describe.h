/* settings_describe.h: what values of a setting look like, for people and in files. Pure. */
#ifndef DRACO_COMMON_SETTINGS_DESCRIBE_H
#define DRACO_COMMON_SETTINGS_DESCRIBE_H

#include <stdbool.h>
#include <stdint.h>

struct setting;

/* Is it a number, with bounds? */
bool value_is_number(const struct setting *setting);

/* What a value looks like, for people: "a walltime: 01:30:00, ..."; the caller frees. */
char *value_describe(const struct setting *setting);

/* The bounds of a number: "from 1 to 4096"; NULL for other types. The caller frees. */
char *value_range(const struct setting *setting);

/* A number of this setting in the form that files have; the caller frees. */
char *value_format_number(const struct setting *setting, int64_t number);

/* A word in the place of a number, where the setting has some; false when text is none. */
bool value_find_word(const struct setting *setting, const char *text, int64_t *ret);

/* As value_format_number(), with a unit also where files need none. */
char *value_format_bound(const struct setting *setting, int64_t number);

#endif
