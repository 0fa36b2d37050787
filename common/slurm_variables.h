/* slurm_variables.h: selects the user's variables for draco-slurm. Pure. */
#ifndef DRACO_COMMON_SLURM_VARIABLES_H
#define DRACO_COMMON_SLURM_VARIABLES_H

#include <jansson.h>
#include <stdbool.h>

struct strv;

/* The variable by which draco-slurm is told the setting slurm_interface. */
#define SLURM_VARIABLE_INTERFACE "DRACO_SLURM_INTERFACE"

/* PATH and CONDA_PREFIX of the start, where draco-slurm looks for Slurm's commands that its own
 * PATH lacks. */
#define SLURM_VARIABLE_PATH  "DRACO_SLURM_PATH"
#define SLURM_VARIABLE_CONDA "DRACO_SLURM_CONDA"

/* Does the variable belong to a Slurm job around this program, or control Slurm's commands? */
bool slurm_variable_is_of_slurm(const char *name);

/* Does the variable ("NAME" or "NAME=value") transport umask, a soft limit or the nice value of the
 * user's process? */
bool slurm_variable_is_inherited(const char *variable);

/* Add the variables of a start that identify its Slurm and its user: SLURM_CONF, SLURM_CONF_SERVER
 * and SLURM_JWT, as "NAME=value". A relative SLURM_CONF is made absolute from directory. ret must
 * be empty. */
void slurm_variables_pick(const json_t *environment, const char *directory, struct strv *ret);

/* Make the environment of draco-slurm from own (ended by NULL), without all variables of Slurm
 * except those three. If start is not NULL, its three replace those of own, but own's token stays
 * if start has none. ret must be empty. */
void slurm_variables_make(char *const *own, const struct strv *start, struct strv *ret);

#endif
