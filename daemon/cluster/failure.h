/* failure.h: what the cluster does about jobs that end although they are wanted. Part of the
 * cluster. */
#ifndef DRACO_DAEMON_CLUSTER_FAILURE_H
#define DRACO_DAEMON_CLUSTER_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/policy/failure.h"

struct cluster;
struct job;

/* A start begins: forget what was; and at the end of all. */
void cluster_failure_clear(struct cluster *cluster);

/* A wanted job is GONE, for a reason that is not the cluster's. young: as of
 * cluster_job_is_young(), before it went. vanished: Slurm does not know it any more. */
void cluster_job_lost(struct cluster *cluster, struct job *job, bool young, bool vanished);

/* Was the job not READY yet, or not for long? */
bool cluster_job_is_young(const struct job *job);

/* A job that ran on these nodes (may be NULL) is PENDING again. */
void cluster_job_requeued(struct cluster *cluster, struct job *job, const char *nodes);

/* The loop time at which the patience with a job without workers ends; INT64_MAX: it needs
 * none. */
int64_t cluster_job_overdue_ms(const struct cluster *cluster, const struct job *job);

/* What follows when the job ends so, as things are. */
struct job_end_verdict cluster_judge_end(
	const struct cluster *cluster, const struct job *job, enum job_end end, bool young);

/* Do what the verdict says: count the failure, tell the user how it ended, blame the node. The
 * cluster may fail. */
void cluster_apply_verdict(struct cluster *cluster, const struct job *job,
	const struct job_end_verdict *verdict, const char *how);

/* Fail when the last job is gone, also of those that were on their way out, from a cluster that
 * has stopped asking because of failures. Returns whether it did. */
bool cluster_fail_without_jobs(struct cluster *cluster);

/* A pause has ended: try as if nothing had failed before. */
void cluster_failure_resume(struct cluster *cluster);

#endif
