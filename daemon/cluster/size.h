/* size.h: the size of the cluster: as large as the work, or as a user says. */
#ifndef DRACO_DAEMON_CLUSTER_SIZE_H
#define DRACO_DAEMON_CLUSTER_SIZE_H

#include <stdbool.h>
#include <stdint.h>

struct cluster;
struct err;
struct job;

/* A start begins, with the cluster's settings. */
void cluster_size_begin(struct cluster *cluster);

/* Bring the jobs to the size that is needed now. Returns the loop time at which to look again;
 * INT64_MAX: when something happens. */
int64_t cluster_size_reconcile(struct cluster *cluster);

/* Frees what cluster_size_begin() and the others keep. */
void cluster_size_finish(struct cluster *cluster);

/* By hand; only of a cluster that is RUNNING: while it starts it waits for the size that it was
 * asked for. */

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

/* Will a job that is given back by hand stay for its data, no other being there or wanted? */
bool cluster_retire_waits(const struct cluster *cluster, const struct job *job);

/* "ready tasks 400, target 5 jobs, limit 5": for a person; the caller frees. */
char *cluster_size_why(const struct cluster *cluster);

#endif
