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

/* Find the best place for count more jobs, and submit them there. Does nothing while a search is
 * under way. */
void cluster_place(struct cluster *cluster, int64_t count);

/* Look anew where jobs can run; then place.to_widen is set. Does nothing while a search is under
 * way. */
void cluster_place_look(struct cluster *cluster);

/* Submit count jobs to this candidate, by as few requests as the site's arrays allow. */
void cluster_place_submit(
	struct cluster *cluster, size_t at, int64_t count, enum job_role role);

/* The cluster fails: summary, then why each candidate cannot be used. */
void cluster_place_fail(struct cluster *cluster, int code, const char *summary);

#endif
