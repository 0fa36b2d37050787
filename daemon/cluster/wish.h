/* wish.h: the jobs that the cluster's settings describe. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_WISH_H
#define DRACO_DAEMON_CLUSTER_WISH_H

#include <stdbool.h>
#include <stdint.h>

struct cluster;
struct settings;
struct slurm_submission;

/* The resources that settings ask for, for count equal jobs; all else is left out. */
void wish_ask(const struct settings *settings, int64_t count, struct slurm_submission *ret);

/* The batch script that a start with these settings would submit, its options for sbatch as lines
 * in it, with the cluster's Python and
 * scheduler where they are known, else placeholders. The caller frees. */
char *wish_preview_script(const struct cluster *cluster, const struct settings *settings);

/* Describe count equal jobs with this name, without a place yet; slurm_submission_finish()
 * frees. */
void cluster_make_wish(const struct cluster *cluster, const char *name, int64_t count,
	struct slurm_submission *ret);

#endif
