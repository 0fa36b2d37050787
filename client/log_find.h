/* log_find.h: finds the logs of a cluster, with or without a running dracod. */
#ifndef DRACO_CLIENT_LOG_FIND_H
#define DRACO_CLIENT_LOG_FIND_H

#include <jansson.h>

struct ctl;
struct err;

/* The path of the log of wanted: "daemon", "scheduler", or a job's id. The log is of the present or
 * last start; a job's may be of any earlier start that still has logs. The log of a pending job
 * need not exist yet. NULL with err. -ENOENT: there is no such log. -ESRCH: nothing has run yet.
 * The caller frees. ctl->paths must be set. */
char *log_find(struct ctl *ctl, const char *wanted, struct err *err);

/* The logs of the present or last start: {directory, logs: [{name, path, bytes, changed}], earlier:
 * [directories]}; NULL: nothing has run yet. */
json_t *log_list(struct ctl *ctl);

#endif
