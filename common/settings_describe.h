/* settings_describe.h: describes the values of a setting for a person and for files. Pure. */
#ifndef DRACO_COMMON_SETTINGS_DESCRIBE_H
#define DRACO_COMMON_SETTINGS_DESCRIBE_H

#include <stdbool.h>
#include <stdint.h>

struct setting;

/* Is the setting a number with bounds? */
bool value_is_number(const struct setting *setting);

/* The form of a value, for a person: "a walltime: 01:30:00, ...". The caller frees. */
char *value_describe(const struct setting *setting);

/* The bounds of a number: "from 1 to 4096"; NULL: the type has none. The caller frees. */
char *value_range(const struct setting *setting);

/* A number of this setting in the form of a file. The caller frees. */
char *value_format_number(const struct setting *setting, int64_t number);

/* Find a word that stands for a number of this setting. Returns false if text is no such word. */
bool value_find_word(const struct setting *setting, const char *text, int64_t *ret);

/* As value_format_number(), but always with a unit. */
char *value_format_bound(const struct setting *setting, int64_t number);

#endif
