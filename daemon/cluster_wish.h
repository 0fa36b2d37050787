/* cluster_wish.h: the jobs that the cluster's settings describe. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_WISH_H
#define DRACO_DAEMON_CLUSTER_WISH_H

#include <stdint.h>

struct cluster;
struct settings;
struct slurm_submission;

/* The resources that settings ask for, for count equal jobs; all else is left out. */
void wish_ask(const struct settings *settings, int64_t count, struct slurm_submission *ret);

/* Describe count equal jobs with this name, without a place yet; slurm_submission_finish() frees. */
void cluster_make_wish(const struct cluster *cluster, const char *name, int64_t count,
	struct slurm_submission *ret);

#endif
