/* environment.h: which of a caller's variables scheduler and workers get. Pure. */
#ifndef DRACO_COMMON_ENVIRONMENT_H
#define DRACO_COMMON_ENVIRONMENT_H

#include <jansson.h>

struct strv;

/* Add to ret the variables of object (NAME: "value") as "NAME=value", without those that belong to
 * the caller's own session, Slurm job or service and would mislead another process. */
void environment_filter(const json_t *object, struct strv *ret);

/* Give a variable of environment another value, or add it; assignment is "NAME=value". */
void environment_set(struct strv *environment, const char *assignment);

/* The value of NAME in a list of "NAME=value"; NULL when it is not there. */
const char *environment_get(const struct strv *environment, const char *name);

#endif
