/* failure.h: reacts to wanted jobs that end by themselves. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_FAILURE_H
#define DRACO_DAEMON_CLUSTER_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/policy/failure.h"

struct cluster;
struct job;

/* Forget all failures: at the beginning of a start, and at the end of the cluster. Idempotent. */
void cluster_failure_clear(struct cluster *cluster);

/* A wanted job is GONE, and the cluster did not end it. young: cluster_job_is_young() before the
 * job ended. vanished: Slurm does not know the job any more. */
void cluster_job_lost(struct cluster *cluster, struct job *job, bool young, bool vanished);

/* Is the job not READY yet, or only for less than JOB_YOUNG_MS? */
bool cluster_job_is_young(const struct job *job);

/* A job is PENDING again after it ran on nodes (may be NULL). */
void cluster_job_requeued(struct cluster *cluster, struct job *job, const char *nodes);

/* The loop time until which the job may be without workers; INT64_MAX: no limit applies. */
int64_t cluster_job_overdue_ms(const struct cluster *cluster, const struct job *job);

/* The consequences, at present, of an end of this kind. Changes nothing. */
struct job_end_verdict cluster_judge_end(
	const struct cluster *cluster, const struct job *job, enum job_end end, bool young);

/* Apply the verdict: count the failure, tell the user how the job ended, blame the node. May fail
 * the cluster. */
void cluster_apply_verdict(struct cluster *cluster, const struct job *job,
	const struct job_end_verdict *verdict, const char *how);

/* Fail a cluster that asks for no more jobs because of failures, once its last live job is gone.
 * Returns whether it has failed. */
bool cluster_fail_without_jobs(struct cluster *cluster);

/* The user resumes after a pause: forget the failures before it. */
void cluster_failure_resume(struct cluster *cluster);

#endif
