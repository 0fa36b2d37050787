/* settings_number.h: reads the value of a setting that is a number, or a word for one. Pure. */
#ifndef DRACO_COMMON_SETTINGS_NUMBER_H
#define DRACO_COMMON_SETTINGS_NUMBER_H

#include <stdint.h>

struct err;
struct setting;

/* Set *at, in the unit of the setting's type. -EINVAL or -ERANGE with err: the text is no such
 * number, or not within the range; *at is as before. */
int value_set_number(const struct setting *setting, int64_t *at, const char *text,
	struct err *err) __attribute__((warn_unused_result));

#endif
