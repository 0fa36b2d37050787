/* slurm_variables.h: which of a user's variables draco-slurm gets. Pure. */
#ifndef DRACO_COMMON_SLURM_VARIABLES_H
#define DRACO_COMMON_SLURM_VARIABLES_H

#include <jansson.h>
#include <stdbool.h>

struct strv;

/* Does it belong to a Slurm job around this program, or tell Slurm's commands what to do? */
bool slurm_variable_is_of_slurm(const char *name);

/* Is it one by which umask, a soft limit or the nice value of the user's process travels? variable
 * is "NAME" or "NAME=value". */
bool slurm_variable_is_inherited(const char *variable);

/* Those of a start that say which Slurm it means, and who asks: SLURM_CONF, with a full path
 * where it begins in directory, SLURM_CONF_SERVER and SLURM_JWT, as "NAME=value". ret was empty.
 */
void slurm_variables_pick(const json_t *environment, const char *directory, struct strv *ret);

/* The environment of draco-slurm: own, which NULL ends, without all variables of Slurm but those
 * three. Where start is not NULL, its variables are taken instead of own ones; a token of own's
 * stays where start has none. ret was empty. */
void slurm_variables_make(char *const *own, const struct strv *start, struct strv *ret);

#endif
