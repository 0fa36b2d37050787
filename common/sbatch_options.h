/* sbatch_options.h: converts a submission to options of sbatch(1). Pure. */
#ifndef DRACO_COMMON_SBATCH_OPTIONS_H
#define DRACO_COMMON_SBATCH_OPTIONS_H

#include <stdbool.h>

struct slurm_submission;
struct strv;

/* Add all options, each as one argument, "--time=50". An unset member leaves the choice to the site
 * and to the user's variables. Standard input and the environment are always given, so that no
 * variable decides them. */
void sbatch_options(const struct slurm_submission *submission, struct strv *ret);

/* Is this a variable ("NAME=value" or "NAME") that sbatch reads and that would break draco?
 * Examples: another path for the log, several jobs instead of one, waiting for the job's end. */
bool sbatch_variable_is_dropped(const char *variable);

#endif
