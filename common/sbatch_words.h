/* sbatch_words.h: interprets the output of sbatch(1). Pure.
 *
 * sbatch writes messages to standard error, each line with "sbatch: " or "sbatch: error: " in
 * front: its own, those of Slurm's plugins and those of the site's plugins. If there is no job, the
 * last line tells why: "Batch job submission failed: REASON", or for a prediction "allocation
 * failure: REASON". */
#ifndef DRACO_COMMON_SBATCH_WORDS_H
#define DRACO_COMMON_SBATCH_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct sbatch_words {
	/* All messages for a person, one per line, without the prefixes; "": none. */
	char *text;
	/* The answer of slurmctld, or why there is none; NULL: slurmctld was not asked. */
	char *reason;
	time_t start; /* the predicted start; 0: none */
};

/* Interpret what sbatch has written to standard error. sbatch_words_finish() frees. */
void sbatch_words_read(const char *words, struct sbatch_words *ret);
void sbatch_words_finish(struct sbatch_words *words);

/* Does the output so far show that slurmctld is busy? sbatch would now sleep and try again up to 15
 * times, with pauses of up to 15 s. */
bool sbatch_words_tell_busy(const char *words);

/* The job id that "--parsable" writes to standard output, "42" or "42;cluster"; 0: none. */
uint32_t sbatch_job_id(const char *out);

/* The reasons why there is no job. */
enum sbatch_reason {
	SBATCH_REASON_ANSWER,	   /* sbatch itself or slurmctld has refused the job */
	SBATCH_REASON_BUSY,	   /* slurmctld takes no jobs at the moment */
	SBATCH_REASON_NOT_REACHED, /* slurmctld was not asked */
	SBATCH_REASON_LOST,	   /* slurmctld's answer was lost: there may be a job */
	SBATCH_REASON_UNUSABLE,	   /* this host cannot talk to slurmctld */
};

/* The meaning of these words from a sbatch that has failed. It is found by the texts of Slurm's
 * protocol, which are the same from 22.05 to 26.05. Any other text counts as an answer. */
enum sbatch_reason sbatch_reason_find(const struct sbatch_words *words);

#endif
