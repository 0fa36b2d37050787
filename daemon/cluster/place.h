/* place.h: the search for places for new jobs, and submitting them there. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_PLACE_H
#define DRACO_DAEMON_CLUSTER_PLACE_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/cluster/job.h"

struct cluster;
struct submissions_ops;

extern const struct submissions_ops cluster_submissions_ops;

/* A start begins: forget what was found for another one. */
void cluster_place_begin(struct cluster *cluster);

/* Ends a search, and frees what was found. */
void cluster_place_finish(struct cluster *cluster);

/* Look for the best place for count more jobs; cluster_place_settle() submits them there. Does
 * nothing while a search is under way. */
void cluster_place(struct cluster *cluster, int64_t count);

/* Look anew where jobs can run; then place.to_widen is set. Does nothing while a search is under
 * way. */
void cluster_place_look(struct cluster *cluster);

/* Submit what is due: to the best place that a search has found, to the next one after a refusal,
 * and for pending jobs that may not be moved. Fails a start for which there is no place. */
void cluster_place_settle(struct cluster *cluster);

/* The cluster fails: summary, then why each candidate cannot be used. */
void cluster_place_fail(struct cluster *cluster, int code, const char *summary);

#endif
