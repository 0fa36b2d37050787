/* status_jobs.h: the jobs in what dracoctl status shows. */
#ifndef DRACO_CLIENT_STATUS_JOBS_H
#define DRACO_CLIENT_STATUS_JOBS_H

#include <jansson.h>
#include <stdbool.h>

/* How many jobs are in which phase, as "30 ready, 5 pending"; the caller frees. */
char *status_jobs_summary(const json_t *jobs);

/* A table of jobs, as status has them. Where there are many, tasks of one array that are alike
 * share a row, unless all is set. */
void status_jobs_print(const json_t *jobs, bool all);

#endif
