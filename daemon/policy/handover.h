/* handover.h: when a job must be replaced before its walltime ends. Pure.
 *
 *	request -------- drain ------------ force ------------ end
 *	ask for another  no new tasks       move the data,      Slurm ends it
 *	                 any more           whatever runs
 */
#ifndef DRACO_DAEMON_POLICY_HANDOVER_H
#define DRACO_DAEMON_POLICY_HANDOVER_H

#include <stdint.h>

#define HANDOVER_WAITS 8

/* How long the last jobs took from their submission until all workers had connected. */
struct handover_waits {
	int64_t ms[HANDOVER_WAITS];
	int64_t count; /* number of all waits ever observed */
};

void handover_observe(struct handover_waits *waits, int64_t wait_ms);

/* The expected wait for the next job, in ms: the longest of the last waits. Without any it is
 * Slurm's prediction (0: none). */
int64_t handover_lead_ms(const struct handover_waits *waits, int64_t predicted_ms);

/* The shortest of the last waits, in ms; 0: not known. */
int64_t handover_shortest_ms(const struct handover_waits *waits);

/* The mean of the last waits, in ms; 0: not known. */
int64_t handover_usual_ms(const struct handover_waits *waits);

/* The loop time at which the walltime of a job ends, which was given so much of it.
 * told_ms: the end that Slurm tells, which is a time of Slurm's clock; this host's may
 * differ by minutes (munge allows five), and by any time when it was set between. So the
 * end is between the walltime counted from waited_ms, when the job certainly did not run
 * yet (0: not known), and from ran_ms, when it certainly did. */
int64_t handover_end_ms(int64_t told_ms, int64_t given_ms, int64_t waited_ms, int64_t ran_ms);

struct handover_times {
	int64_t request_ms, drain_ms, force_ms;
};

/* The times for a job that ends at end_ms. margin_ms: the setting. longest_ms: the longest expected
 * task; 0: not known. No time is before the middle of the walltime, unless tasks take more than
 * half of it. No time is in its first sixth. */
void handover_times(int64_t end_ms, int64_t walltime_ms, int64_t lead_ms, int64_t margin_ms,
	int64_t longest_ms, struct handover_times *ret);

#endif
