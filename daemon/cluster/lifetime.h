/* lifetime.h: the ends of jobs by walltime, and the safety net behind the handover. Part of the
 * cluster.
 *
 * The scheduler's preload is the net. It is told when each job ends, and retires the job's workers
 * shortly before, if dracod has not done so. Unlike Dask's --lifetime it follows a changed time
 * limit. */
#ifndef DRACO_DAEMON_CLUSTER_LIFETIME_H
#define DRACO_DAEMON_CLUSTER_LIFETIME_H

#include <stdint.h>
#include <time.h>

struct cluster;
struct job;

/* The loop time at which the job ends: Slurm's word, or the walltime that was asked for. INT64_MAX:
 * it does not run yet. */
int64_t cluster_job_end_ms(const struct job *job);

/* The time of Slurm's clock, from what it said of this job, which runs; this host's when that tells
 * nothing. */
time_t cluster_job_time(const struct job *job);

/* The lifetime of the job, in ms: its walltime, or the shorter time that Slurm gave it
 * (least_walltime). */
int64_t cluster_job_length_ms(const struct job *job);

/* The preload has said hello: it knows no ends yet. */
void cluster_lifetime_hello(struct cluster *cluster);

/* Tell the preload the ends that have changed. Idempotent. Plans the next try. */
void cluster_lifetime_settle(struct cluster *cluster);

#endif
