/* submission.h: wishes for jobs, each carried out exactly once.
 *
 * A submission asks Slurm for some equal jobs by one request and has a name of its own, the
 * tag, which its jobs carry in Slurm. When the answer is lost (draco-slurm or slurmctld died, a
 * time-out) nothing is submitted again before the queue was read and shows that no job has the
 * tag. */
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
	/* Slurm refused the submission with the tag, in err's words; its jobs are GONE. */
	void (*refused)(void *arg, const char *tag, const struct err *err);
	/* The queue must be read to go on. */
	void (*query)(void *arg);
};

struct submissions *submissions_create(struct loop *loop, struct slurm *slurm,
	struct jobs *jobs, const struct submissions_ops *ops, void *arg);
struct submissions *submissions_destroy(struct submissions *submissions);

/* Ask for wish->count jobs, taking over what wish holds; wish->name is the tag. The jobs are in
 * jobs at once, in phase NEW, with the shape that settings give. */
void submissions_add(struct submissions *submissions, struct slurm_submission *wish,
	const struct settings *settings);

/* Submit nothing more. What may be in Slurm already is still found out. */
void submissions_stop(struct submissions *submissions);

/* A job of the queue has the name and is not known by its id: is it one of a submission whose
 * answer was lost? Then its jobs get their ids, and the result is true. */
bool submissions_recognise(struct submissions *submissions, const struct slurm_job *report);

/* The whole queue was read, by a query that was asked at loop time asked_ms: what it did not
 * show is not there. */
void submissions_queue_read(struct submissions *submissions, int64_t asked_ms);

/* Is there a submission that is not settled? */
bool submissions_any(const struct submissions *submissions);

/* Is there one whose fate is not known? */
bool submissions_in_doubt(const struct submissions *submissions);

#endif
