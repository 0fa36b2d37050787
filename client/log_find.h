/* log_find.h: where the logs of a cluster are, whether its dracod runs or not. */
#ifndef DRACO_CLIENT_LOG_FIND_H
#define DRACO_CLIENT_LOG_FIND_H

#include <jansson.h>

struct ctl;
struct err;

/* The path of the log "daemon", "scheduler", or of a job by its id: of the present start, of
 * the last one, or, for a job, of any earlier one whose logs are still there. The file may be
 * still to come, for a job that is pending. NULL with err (-ENOENT: there is no such log;
 * -ESRCH: nothing has run yet). The caller frees. ctl->paths must be there. */
char *log_find(struct ctl *ctl, const char *wanted, struct err *err);

/* The logs of the present or last start: {directory, logs: [{name, path, bytes, changed}], earlier:
 * [directories]}; NULL when nothing has run yet. */
json_t *log_list(struct ctl *ctl);

#endif
