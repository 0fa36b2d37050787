/* sbatch_words.h: what sbatch(1) has written, understood. Pure.
 *
 * sbatch says what it has to say on standard error, each line with "sbatch: " or "sbatch: error: "
 * in front: its own complaints, those of Slurm's plugins, and what the site's own plugins say. The
 * line that tells why there is no job is the last one: "Batch job submission failed: REASON", or
 * "allocation failure: REASON" when it was only to predict. */
#ifndef DRACO_COMMON_SBATCH_WORDS_H
#define DRACO_COMMON_SBATCH_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct sbatch_words {
	char *text;   /* all for a person, one line each, without the prefixes; "": nothing */
	char *reason; /* slurmctld's answer, or why there is none; NULL: it was not asked */
	time_t start; /* as predicted; 0: not */
};

/* sbatch_words_finish() frees. */
void sbatch_words_read(const char *words, struct sbatch_words *ret);
void sbatch_words_finish(struct sbatch_words *words);

/* Has sbatch, by its words so far, been told that slurmctld is busy? It would sleep now, and try
 * again up to 15 times, with pauses of up to 15 s. */
bool sbatch_words_tell_busy(const char *words);

/* The id of the job that "--parsable" writes to standard output: "42" or "42;cluster". 0: none. */
uint32_t sbatch_job_id(const char *out);

/* Why there is no job. */
enum sbatch_reason {
	SBATCH_REASON_ANSWER,	   /* sbatch itself or slurmctld has refused the job */
	SBATCH_REASON_BUSY,	   /* slurmctld takes none in this moment */
	SBATCH_REASON_NOT_REACHED, /* slurmctld was not asked */
	SBATCH_REASON_LOST,	   /* its answer was lost: there may be a job */
	SBATCH_REASON_UNUSABLE,	   /* no way to talk to it from here */
};

/* What sbatch means that has failed with these words, by the texts of Slurm's protocol, which are
 * the same from 22.05 to 26.05. All others are answers. */
enum sbatch_reason sbatch_reason_find(const struct sbatch_words *words);

#endif
