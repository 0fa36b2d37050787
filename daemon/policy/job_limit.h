/* job_limit.h: how many jobs a site lets a user have: learned from what it refuses. Pure: the clock
 * is an argument.
 *
 * No site tells its limits in a way that a program could read: partitions, QOS, associations and
 * plugins each have some. Where several jobs are refused, fewer are asked for, by halves; where one
 * more is refused everywhere, what there is is the limit. It is tried again when a job has ended,
 * and now and then, as other limits and other jobs of the user may be what counts. */
#ifndef DRACO_DAEMON_POLICY_JOB_LIMIT_H
#define DRACO_DAEMON_POLICY_JOB_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define JOB_LIMIT_AGAIN_MS     60000  /* after this time one more is tried ... */
#define JOB_LIMIT_AGAIN_MAX_MS 600000 /* ... then after twice that, and so on, up to this */

struct job_limit {	  /* all zero in the beginning: none is known */
	int64_t refused;  /* the fewest jobs in all that were refused; 0: none was */
	bool sure;	  /* one more than there were was refused everywhere */
	bool singly;	  /* it is arrays that are refused */
	int64_t again_ms; /* then one more may be tried */
	int64_t pause_ms;
};

/* With have jobs in Slurm, how many of those that are wanted may be asked for now? */
int64_t job_limit_room(struct job_limit *limit, int64_t have, int64_t wanted, int64_t now_ms);

/* So many were refused, by one request. False: it was a single one, and is no matter of numbers as
 * long as another place has not refused it, too. */
bool job_limit_refused(struct job_limit *limit, int64_t have, int64_t asked);

/* No place takes a single one: Slurm itself has refused it, or draco knows why none can work, which
 * it looks at as often as before. */
void job_limit_reached(struct job_limit *limit, int64_t have, bool refused, int64_t now_ms);

/* How many jobs the site lets one have; -1: no limit is known. */
int64_t job_limit_jobs(const struct job_limit *limit);

#endif
