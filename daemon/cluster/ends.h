/* ends.h: ending the cluster's jobs. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_ENDS_H
#define DRACO_DAEMON_CLUSTER_ENDS_H

#include <stdint.h>

struct cluster;
struct job;

/* Begin to end one job: as it is now, politely or by taking it out of the queue. */
void cluster_end_job(struct cluster *cluster, struct job *job, const char *why);

/* Begin to end each job that is alive. */
void cluster_end_jobs(struct cluster *cluster);

/* Send each job on its way out what is due: politely first, then by force. Jobs that nobody wants
 * are cancelled. */
void cluster_send_ends(struct cluster *cluster);

/* How long a job that was asked to end may take before it is cancelled: its epilogue runs then. */
int64_t cluster_end_grace_ms(const struct cluster *cluster);

#endif
