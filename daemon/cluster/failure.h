/* failure.h: what the cluster does about jobs that end although they are wanted, and about workers
 * that never come. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_FAILURE_H
#define DRACO_DAEMON_CLUSTER_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

struct cluster;
struct job;

/* A start begins: forget what was; and at the end of all. */
void cluster_failure_clear(struct cluster *cluster);

/* A wanted job is GONE, for a reason that is not the cluster's. young: as of
 * cluster_job_is_young(), before it went. vanished: Slurm does not know it any more. */
void cluster_job_lost(struct cluster *cluster, struct job *job, bool young, bool vanished);

/* Was the job not READY yet, or not for long? */
bool cluster_job_is_young(const struct job *job);

/* A job that ran on these nodes (may be NULL) is PENDING again. */
void cluster_job_requeued(struct cluster *cluster, struct job *job, const char *nodes);

/* End the jobs whose workers have not come in time, or have all gone, or fail the start.
 * Returns the loop time of the next look, INT64_MAX when there is none. */
int64_t cluster_check_workers_come(struct cluster *cluster);

/* Tell of jobs that are held, and end those that nobody has released in time, or fail the
 * start. Returns as cluster_check_workers_come(). */
int64_t cluster_check_held(struct cluster *cluster);

/* A pause has ended: try as if nothing had failed before. */
void cluster_failure_resume(struct cluster *cluster);

#endif
