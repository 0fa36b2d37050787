/* job_limit.h: learns the site's limit on a user's jobs from its refusals. Pure: the clock is an
 * argument.
 *
 * Sites do not publish their limits in a way that a program can read: partitions, QOS, associations
 * and plugins each have their own. When several jobs are refused at once, half as many are tried
 * next. When even one more job is refused everywhere, the present number is the limit. The limit is
 * tried again when a job has ended, and from time to time: the user's other jobs may count, and
 * limits may change. */
#ifndef DRACO_DAEMON_POLICY_JOB_LIMIT_H
#define DRACO_DAEMON_POLICY_JOB_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define JOB_LIMIT_AGAIN_MS     60000  /* one more job is tried after this time ... */
#define JOB_LIMIT_AGAIN_MAX_MS 600000 /* ... then after twice that, and so on, up to this */

struct job_limit {	  /* all zero at the beginning: no limit is known */
	int64_t refused;  /* the lowest total that was refused; 0: none */
	bool sure;	  /* every place refused one more job than there were */
	bool singly;	  /* the site refuses arrays: submit jobs one by one */
	int64_t again_ms; /* when one more job may be tried */
	int64_t pause_ms;
};

/* The number of jobs, of those wanted, that may be submitted now. have: the jobs in Slurm. */
int64_t job_limit_room(struct job_limit *limit, int64_t have, int64_t wanted, int64_t now_ms);

/* One request for this many jobs was refused. Returns false if it was for a single job: that says
 * nothing about a limit until every other place has refused it, too. */
bool job_limit_refused(struct job_limit *limit, int64_t have, int64_t asked);

/* No place takes a single further job. refused: Slurm itself said so, and the wait for the next try
 * grows. Otherwise draco knows why no place can work, and the next try comes after
 * JOB_LIMIT_AGAIN_MS. */
void job_limit_reached(struct job_limit *limit, int64_t have, bool refused, int64_t now_ms);

/* The site's limit on a user's jobs; -1: not known. */
int64_t job_limit_jobs(const struct job_limit *limit);

#endif
