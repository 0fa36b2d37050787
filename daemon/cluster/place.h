/* place.h: searches for places for new jobs, and submits the jobs there. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_PLACE_H
#define DRACO_DAEMON_CLUSTER_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/cluster/job.h"

struct cluster;
struct submissions_ops;

extern const struct submissions_ops cluster_submissions_ops;

/* A start begins: forget the results of earlier searches. */
void cluster_place_begin(struct cluster *cluster);

/* End the search under way, and free its results. Idempotent. */
void cluster_place_finish(struct cluster *cluster);

/* Search for the best place for count more jobs. cluster_place_settle() submits them there. Does
 * nothing while a search is under way. */
void cluster_place(struct cluster *cluster, int64_t count);

/* Search again for the places where jobs can run, and set place.to_widen at the end. Does nothing
 * while a search is under way. */
void cluster_place_look(struct cluster *cluster);

/* Has a search found a place for jobs? Begins one if there was none. Fails a start for which there
 * is no place. */
bool cluster_place_is_there(struct cluster *cluster);

/* Submit the jobs that are due: to the best place after a search, to the next place after a
 * refusal, and substitutes for pending jobs that cannot move. Fails a start for which there is no
 * place. */
void cluster_place_settle(struct cluster *cluster);

/* Fail the cluster with summary, followed by the reason against each candidate. */
void cluster_place_fail(struct cluster *cluster, int code, const char *summary);

#endif
