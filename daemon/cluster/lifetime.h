/* lifetime.h: when jobs end by their walltimes, and the net behind the handover. Part of the
 * cluster.
 *
 * The net is the scheduler's preload: it is told when each job ends, and lets its workers leave
 * shortly before that, should dracod not have done so. Unlike Dask's --lifetime it follows when
 * a time limit is changed. */
#ifndef DRACO_DAEMON_CLUSTER_LIFETIME_H
#define DRACO_DAEMON_CLUSTER_LIFETIME_H

#include <stdint.h>

struct cluster;
struct job;

/* The loop time of the job's end, as Slurm told, or as it was asked for; INT64_MAX: it does not
 * run yet. */
int64_t cluster_job_end_ms(const struct job *job);

/* How long the job lives, in ms: its walltime, or the less that Slurm gave it (least_walltime). */
int64_t cluster_job_length_ms(const struct job *job);

/* A scheduler has connected: it knows nothing. */
void cluster_lifetime_hello(struct cluster *cluster);

/* Tell it what has changed. Idempotent; plans the next try. */
void cluster_lifetime_settle(struct cluster *cluster);

#endif
