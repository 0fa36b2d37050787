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

/* How long the last jobs took from their submission until all workers were there. */
struct handover_waits {
	int64_t ms[HANDOVER_WAITS];
	int64_t count; /* ever observed */
};

void handover_observe(struct handover_waits *waits, int64_t wait_ms);

/* How long the next one should be expected to take: the longest of the last waits, or what Slurm
 * predicted (0: nothing) while there is none. */
int64_t handover_lead_ms(const struct handover_waits *waits, int64_t predicted_ms);

/* The least that it may take: the shortest of the last waits; 0: not known. */
int64_t handover_shortest_ms(const struct handover_waits *waits);

/* The mean of the last waits; 0: not known. */
int64_t handover_usual_ms(const struct handover_waits *waits);

struct handover_times {
	int64_t request_ms, drain_ms, force_ms;
};

/* For a job that ends at end_ms. margin_ms is the setting; longest_ms how long the longest task
 * is expected to take (0: not known). No time is before the middle of the walltime, but for
 * tasks that take more than half of it; none is in its first sixth. */
void handover_times(int64_t end_ms, int64_t walltime_ms, int64_t lead_ms, int64_t margin_ms,
	int64_t longest_ms, struct handover_times *ret);

#endif
