/* directive_value.h: the values of sbatch options, by their kinds. Pure. */
#ifndef DRACO_COMMON_DIRECTIVE_VALUE_H
#define DRACO_COMMON_DIRECTIVE_VALUE_H

#include <stdint.h>
#include <time.h>

struct directive_type;
struct err;

/* Read a value of an option of this type into ret_number, as enum directive_kind says. -EINVAL
 * or -ERANGE with err naming the value and what would be right, without the option's name;
 * ret_number is untouched then. */
int directive_value_parse(const struct directive_type *type, const char *text, time_t now,
	int64_t ret_number[3], struct err *err) __attribute__((warn_unused_result));

#endif
