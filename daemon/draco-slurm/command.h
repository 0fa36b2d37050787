/* command.h: runs one of Slurm's commands. */
#ifndef DRACO_DAEMON_DRACO_SLURM_COMMAND_H
#define DRACO_DAEMON_DRACO_SLURM_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "common/slurm_msg.h"

struct err;

struct command {
	const char *name; /* "squeue": the one beside sbatch, or that in PATH */
	const struct strv *arguments;
	const char *what; /* for errors: "cannot read the queue" */
	int64_t deadline_ms;
	bool changes; /* it changes something in Slurm, so a lost answer leaves a doubt */
	/* Texts of Slurm that are no error of this command; NULL ends them. NULL: none. */
	const char *const *forgiven;
};

/* Run the command. OUTCOME_DONE with *ret_out, its standard output, which the caller frees.
 * Otherwise err holds what, and the last line that it has written to standard error. */
enum slurm_outcome command_run(const struct command *command, char **ret_out, struct err *err);

/* The version of the commands, "22.05.8"; NULL: they cannot be run. Asks slurmctld nothing. The
 * caller frees. */
char *command_version(void);

#endif
