/* place.h: the cluster's search for places: where new jobs are submitted to, and where pending
 * ones may run besides when they wait too long. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_PLACE_H
#define DRACO_DAEMON_CLUSTER_PLACE_H

#include <stdint.h>

struct cluster;
struct submissions_ops;

extern const struct submissions_ops cluster_submissions_ops;

/* A start begins: forget what was found for another one. */
void cluster_place_begin(struct cluster *cluster);

/* Ends a search, and frees what was found. */
void cluster_place_finish(struct cluster *cluster);

/* Find the best place for count more jobs, and submit them there. Does nothing while a search is
 * under way. */
void cluster_place(struct cluster *cluster, int64_t count);

/* Widen the jobs that have waited for wait_timeout; fail a start for which no place is left.
 * Returns the loop time of the next deadline, INT64_MAX when there is none. */
int64_t cluster_check_waiting(struct cluster *cluster);

/* Of a job on standby and its substitute, keep the one that has started; without its substitute
 * the one on standby goes, too. */
void cluster_settle_roles(struct cluster *cluster);

#endif
