/* hand.h: the cluster's size by hand, besides cluster_pause(). Part of the cluster.
 *
 * All of this needs a cluster in RUNNING. One in STARTING waits for the size that its start asked
 * for. */
#ifndef DRACO_DAEMON_CLUSTER_HAND_H
#define DRACO_DAEMON_CLUSTER_HAND_H

#include <stdbool.h>
#include <stdint.h>

struct cluster;
struct err;
struct job;

/* Keep this number of jobs, whatever the load is. -ERANGE with err: the settings, or the site,
 * allow fewer. */
int cluster_scale(struct cluster *cluster, int64_t jobs, struct err *err);

/* Follow the load again, between these numbers of workers; -1 keeps the present bound. 0, or -errno
 * with err. */
int cluster_adapt(struct cluster *cluster, int64_t minimum, int64_t maximum, struct err *err);

/* End the pause of cluster_pause(). */
void cluster_resume(struct cluster *cluster);

/* Give this job back as soon as its tasks are done and its results have moved. A pending job is
 * cancelled. The job must be wanted (job_phase_is_wanted()).
 *
 * force: end it at once, even if tasks and results are lost. The job may then be on its way out
 * already, but not in ENDING. */
void cluster_retire(struct cluster *cluster, struct job *job, bool force);

/* Must a job that is retired by hand keep its results, because no other job exists or is wanted? */
bool cluster_retire_waits(const struct cluster *cluster, const struct job *job);

#endif
