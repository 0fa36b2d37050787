/* sbatch.h: runs the site's own sbatch(1) to submit a job or to predict its start. */
#ifndef DRACO_DAEMON_DRACO_SLURM_SBATCH_H
#define DRACO_DAEMON_DRACO_SLURM_SBATCH_H

#include <stdint.h>
#include <time.h>

#include "common/sbatch_words.h"
#include "common/slurm_msg.h"

struct err;

struct sbatch_answer {
	uint32_t job_id; /* of the job, or of the array; 0 after a prediction */
	time_t start;	 /* the predicted start; 0: none */
	char *said;	 /* messages of the site, one per line; "": none */
};

/* Submit the jobs of wish. OUTCOME_DONE: ret is filled, and the caller frees ret->said. Otherwise
 * err holds all that sbatch has written. */
enum slurm_outcome sbatch_submit(
	const struct slurm_submission *wish, struct sbatch_answer *ret, struct err *err);

/* Predict the start of one such job, within deadline_ms. */
enum slurm_outcome sbatch_predict(const struct slurm_submission *wish, int64_t deadline_ms,
	struct sbatch_answer *ret, struct err *err);

/* The outcome of a command of Slurm that ended for this reason, and changed nothing. */
enum slurm_outcome sbatch_outcome(enum sbatch_reason reason);

/* The path of the sbatch that a program with this environment would run; NULL: none. The caller
 * frees. */
char *sbatch_find(const struct strv *environment);

/* The path of one of Slurm's commands in this program's PATH, or else in that of the start; NULL:
 * none. One of a conda environment is not the site's. The caller frees. */
char *sbatch_find_command(const char *name);

#endif
