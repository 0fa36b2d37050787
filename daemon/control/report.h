/* report.h: the model as users and programs see it: JSON, and lines for a person. */
#ifndef DRACO_DAEMON_CONTROL_REPORT_H
#define DRACO_DAEMON_CONTROL_REPORT_H

#include <jansson.h>

struct cluster;

/* The present status. Never waits for an answer of Slurm or of the scheduler. */
json_t *report_status(const struct cluster *cluster);

/* The present step of a cluster that starts or stops: {message, state, elapsed_s, workers, ...}. */
json_t *report_progress(const struct cluster *cluster);

/* What the cluster waits for, for a person; "": for nothing. The caller frees. */
char *report_waits_for(const struct cluster *cluster);

/* The failure: {message, log, tail}; NULL when there is none. */
json_t *report_failure(const struct cluster *cluster);

/* The variables that Client() needs; NULL: the scheduler has no address yet. */
/* That no cluster is running, with what starts one. The caller frees. */
char *report_no_cluster(const struct cluster *cluster);

json_t *report_environment(const struct cluster *cluster);

/* The paths of the logs: {daemon, scheduler, jobs: {id: path}}. */
json_t *report_logs(const struct cluster *cluster, const char *daemon_log);

#endif
