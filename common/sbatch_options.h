/* sbatch_options.h: the options of sbatch(1) that a submission is. Pure. */
#ifndef DRACO_COMMON_SBATCH_OPTIONS_H
#define DRACO_COMMON_SBATCH_OPTIONS_H

#include <stdbool.h>

struct slurm_submission;
struct strv;

/* Add them all, each as one argument, "--time=50". What submission leaves out is left to the site
 * and to the user's variables. What is given must not come from there: standard input, the
 * environment. */
void sbatch_options(const struct slurm_submission *submission, struct strv *ret);

/* Is this variable ("NAME=value" or "NAME") one that sbatch reads, and that would break what draco
 * does: another place for the log, several jobs where one is meant, waiting for the job's end? */
bool sbatch_variable_is_dropped(const char *variable);

#endif
