/* queue.h: the cluster's dealings with Slurm: wishes, ends, and what the queue shows. Part of
 * the cluster; the other parts end jobs through it. */
#ifndef DRACO_DAEMON_CLUSTER_QUEUE_H
#define DRACO_DAEMON_CLUSTER_QUEUE_H

#include <stdint.h>

struct cluster;
struct job;
struct poll_ops;
struct submissions_ops;

extern const struct poll_ops cluster_poll_ops;
extern const struct submissions_ops cluster_submissions_ops;

/* Begin to end one job: as it is now, politely or by taking it out of the queue. */
void cluster_end_job(struct cluster *cluster, struct job *job, const char *why);

/* Begin to end each job that is alive. */
void cluster_end_jobs(struct cluster *cluster);

/* Send each job on its way out what is due: politely first, then by force. */
void cluster_send_ends(struct cluster *cluster);

/* How long a job that was asked to end may take before it is cancelled: its epilogue runs then. */
int64_t cluster_end_grace_ms(const struct cluster *cluster);

/* Plan the next look at the queue. */
void cluster_plan_poll(struct cluster *cluster);

/* Keep the jobs that are pending away from the nodes that are excluded by now. */
void cluster_exclude_pending(struct cluster *cluster);

/* End what has become useless: jobs whose workers do not come. Returns the loop time of the
 * next deadline, INT64_MAX when there is none. */
int64_t cluster_check_deadlines(struct cluster *cluster);

/* The path of a job's log. The caller frees. */
char *cluster_job_log(const struct cluster *cluster, const struct job *job);

#endif
