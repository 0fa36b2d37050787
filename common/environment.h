/* environment.h: selects the caller's variables for the scheduler and the workers. Pure. */
#ifndef DRACO_COMMON_ENVIRONMENT_H
#define DRACO_COMMON_ENVIRONMENT_H

#include <jansson.h>
#include <stdbool.h>

struct strv;

/* Add the variables of object (NAME: "value") to ret as "NAME=value". Variables of the caller's own
 * session, Slurm job or service are left out, because they would mislead another process. */
void environment_filter(const json_t *object, struct strv *ret);

/* Set a variable in environment, or add it. assignment is "NAME=value". */
void environment_set(struct strv *environment, const char *assignment);

/* The value of a variable in a list of "NAME=value"; NULL: not in the list. */
const char *environment_get(const struct strv *environment, const char *name);

/* Is this process the service of a systemd, which starts it again? */
bool environment_is_supervised(void);

#endif
