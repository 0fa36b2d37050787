/* status_jobs.h: the jobs in dracoctl status. */
#ifndef DRACO_CLIENT_STATUS_JOBS_H
#define DRACO_CLIENT_STATUS_JOBS_H

#include <jansson.h>
#include <stdbool.h>

struct ctl;

/* The number of jobs in each phase: "30 ready, 5 pending". The caller frees. */
char *status_jobs_summary(const json_t *jobs);

/* Print a table of the jobs in a status. If there are many, similar tasks of an array share a row,
 * unless all is set. */
void status_jobs_print(const struct ctl *ctl, const json_t *jobs, bool all);

#endif
