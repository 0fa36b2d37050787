/* inheritance.h: the properties, besides the environment, that a process passes to its children:
 * umask, soft limits and nice value. sbatch(1) passes those of its own process to the job.
 *
 * draco transports them as variables, with the names that Slurm has for them in a job's
 * environment: slurm_variable_is_inherited() (common/slurm_variables.h). */
#ifndef DRACO_COMMON_INHERITANCE_H
#define DRACO_COMMON_INHERITANCE_H

struct strv;

/* Call add() for each property of this process. */
void inheritance_collect(
	void (*add)(void *arg, const char *name, const char *value), void *arg);

/* Set the properties of this process from environment, as far as it may: no limit above its hard
 * limit, no nice value below its own. A missing or invalid value changes nothing. */
void inheritance_apply(const struct strv *environment);

#endif
