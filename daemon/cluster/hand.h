/* hand.h: the size of the cluster by hand, besides cluster_pause(). Part of the cluster.
 *
 * Only of a cluster that is RUNNING: while it starts it waits for the size that it was asked
 * for. */
#ifndef DRACO_DAEMON_CLUSTER_HAND_H
#define DRACO_DAEMON_CLUSTER_HAND_H

#include <stdbool.h>
#include <stdint.h>

struct cluster;
struct err;
struct job;

/* Keep this number of jobs, whatever the work is. -ERANGE: more than the settings, or the site,
 * allow. */
int cluster_scale(struct cluster *cluster, int64_t jobs, struct err *err);

/* As large as the work again, within these bounds in workers; -1: as it was. */
int cluster_adapt(struct cluster *cluster, int64_t minimum, int64_t maximum, struct err *err);

/* Go on after cluster_pause(). */
void cluster_resume(struct cluster *cluster);

/* Give this running job back as soon as its tasks are done and its data has moved; a pending
 * one is cancelled. It must be wanted (job_phase_is_wanted()). force: at once, whatever is
 * lost; it may be on its way out already, but not ENDING. */
void cluster_retire(struct cluster *cluster, struct job *job, bool force);

/* Will a job that is retired by hand stay for its data, no other being there or wanted? */
bool cluster_retire_waits(const struct cluster *cluster, const struct job *job);

#endif
