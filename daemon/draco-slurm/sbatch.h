/* sbatch.h: the site's own sbatch(1), asked to submit a job or to predict its start. */
#ifndef DRACO_DAEMON_DRACO_SLURM_SBATCH_H
#define DRACO_DAEMON_DRACO_SLURM_SBATCH_H

#include <stdint.h>
#include <time.h>

#include "common/slurm_msg.h"

struct err;

struct sbatch_answer {
	uint32_t job_id; /* of the job, or of the array; 0: it was only to predict */
	time_t start;	 /* as predicted; 0: not */
	char *said;	 /* what the site said to it, a line each; "": nothing */
};

/* Submit the jobs of the wish. With OUTCOME_DONE ret is filled, and its text the caller's; with
 * others err has all that sbatch said. */
enum slurm_outcome sbatch_submit(
	const struct slurm_submission *wish, struct sbatch_answer *ret, struct err *err);

/* When would one such job start? Takes deadline_ms at most. */
enum slurm_outcome sbatch_predict(const struct slurm_submission *wish, int64_t deadline_ms,
	struct sbatch_answer *ret, struct err *err);

/* Which sbatch is it for a program with these variables? NULL: none is found. The caller frees. */
char *sbatch_find(const struct strv *environment);

#endif
