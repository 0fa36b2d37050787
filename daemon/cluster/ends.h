/* ends.h: ending the cluster's jobs. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_ENDS_H
#define DRACO_DAEMON_CLUSTER_ENDS_H

#include <stdint.h>

struct cluster;
struct job;

/* Begin to end one job: a running job is asked to end, a pending job is taken out of the queue. */
void cluster_end_job(struct cluster *cluster, struct job *job, const char *why);

/* Begin to end every live job. */
void cluster_end_jobs(struct cluster *cluster);

/* Send each job in ENDING the signal that is due: first the request to end, later the cancellation.
 * Also cancel strays. */
void cluster_send_ends(struct cluster *cluster);

/* How long, in ms, a job that was asked to end may take before it is cancelled. It is
 * longer for a job with an epilogue. */
int64_t cluster_end_grace_ms(const struct cluster *cluster);

#endif
