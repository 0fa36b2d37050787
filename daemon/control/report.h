/* report.h: the model as users and programs see it: JSON, and one line of progress. */
#ifndef DRACO_DAEMON_CONTROL_REPORT_H
#define DRACO_DAEMON_CONTROL_REPORT_H

#include <jansson.h>

struct cluster;

/* All that is known at this moment; never waits for anything. */
json_t *report_status(const struct cluster *cluster);

/* What a starting or stopping cluster waits for: {message, state, elapsed_s, workers, ...}. */
json_t *report_progress(const struct cluster *cluster);

/* The failure: {message, log, tail}; NULL when there is none. */
json_t *report_failure(const struct cluster *cluster);

/* The variables with which Client() connects; NULL when the scheduler has no address. */
json_t *report_environment(const struct cluster *cluster);

/* The paths of the logs: {daemon, scheduler, jobs: {id: path}}. */
json_t *report_logs(const struct cluster *cluster, const char *daemon_log);

#endif
