/* submission.h: submissions of jobs, each carried out exactly once.
 *
 * A submission asks Slurm by one request for a number of equal jobs. Its name, the tag, is also the
 * name of its jobs in Slurm. When the answer is lost (draco-slurm or slurmctld died, or a
 * time-out), nothing is submitted again until the queue shows that no job has the tag. */
#ifndef DRACO_DAEMON_CLUSTER_SUBMISSION_H
#define DRACO_DAEMON_CLUSTER_SUBMISSION_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct jobs;
struct loop;
struct settings;
struct slurm;
struct slurm_job;
struct slurm_submission;
struct submissions;

struct submissions_ops {
	/* Slurm has refused the submission with this tag, for the reason err; its jobs are GONE. */
	void (*refused)(void *arg, const char *tag, const struct err *err);
	/* The queue must be read before the submissions can go on. */
	void (*query)(void *arg);
};

struct submissions *submissions_create(struct loop *loop, struct slurm *slurm,
	struct jobs *jobs, const struct submissions_ops *ops, void *arg);
struct submissions *submissions_destroy(struct submissions *submissions);

/* Ask for wish->count jobs with the tag wish->name, and take over the contents of wish. The jobs
 * exist at once in phase NEW, with the shape from settings. Nothing is sent before this turn of the
 * loop ends, so that the caller can record them, and before the record is written. */
void submissions_add(struct submissions *submissions, struct slurm_submission *wish,
	const struct settings *settings);

/* State files were written: send what has waited for that. */
void submissions_recorded(struct submissions *submissions);

/* An earlier dracod has asked for count jobs with this tag, and its answer is not known: look for
 * them in the queue. They are in phase NEW, and are given up if it does not show them. */
void submissions_adopt(struct submissions *submissions, const char *tag, int64_t count);

/* Submit nothing more. Submissions in doubt are still settled. */
void submissions_stop(struct submissions *submissions);

/* The queue shows a job with an unknown id. If its name is the tag of a submission whose answer was
 * lost, its jobs get their ids, and the result is true. */
bool submissions_recognise(struct submissions *submissions, const struct slurm_job *report);

/* The whole queue was read by a query that was sent at loop time asked_ms. A job that it did not
 * show does not exist. */
void submissions_queue_read(struct submissions *submissions, int64_t asked_ms);

/* Is there a submission that is not settled? */
bool submissions_any(const struct submissions *submissions);

/* Is there a submission whose answer was lost? */
bool submissions_in_doubt(const struct submissions *submissions);

#endif
