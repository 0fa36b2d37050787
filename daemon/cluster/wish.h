/* wish.h: describes the jobs that the cluster's settings ask for. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_WISH_H
#define DRACO_DAEMON_CLUSTER_WISH_H

#include <stdbool.h>
#include <stdint.h>

struct cluster;
struct settings;
struct slurm_submission;
struct strv;

/* Set the resources for count equal jobs from settings in ret. All else stays unset. */
void wish_ask(const struct settings *settings, int64_t count, struct slurm_submission *ret);

/* The batch script that a start with these settings would submit, with the options for sbatch as
 * lines in it. The cluster's Python and scheduler appear if they are known, otherwise placeholders.
 * The caller frees. */
char *wish_preview_script(const struct cluster *cluster, const struct settings *settings);

/* Describe count equal jobs with this name, without a place yet. options: those of sbatch that jobs
 * have in the place that is meant; NULL: none. Free ret with slurm_submission_finish(). */
void cluster_make_wish(const struct cluster *cluster, const char *name, int64_t count,
	const struct strv *options, struct slurm_submission *ret);

#endif
