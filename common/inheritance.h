/* inheritance.h: what a process hands on to those that it starts, besides its environment: umask,
 * soft limits and nice value. sbatch(1) takes them from its own process into the job.
 *
 * They travel as variables, by the names that Slurm has for them in a job's environment:
 * slurm_variable_is_inherited() (common/slurm_variables.h). */
#ifndef DRACO_COMMON_INHERITANCE_H
#define DRACO_COMMON_INHERITANCE_H

struct strv;

/* Those of this process, each given to add(). */
void inheritance_collect(
	void (*add)(void *arg, const char *name, const char *value), void *arg);

/* Take them over in this process, as far as it may: a limit not above this process's hard one, a
 * nice value not below its own. What is not in environment, or makes no sense, stays. */
void inheritance_apply(const struct strv *environment);

#endif
