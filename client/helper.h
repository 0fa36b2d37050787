/* helper.h: asking Slurm without dracod: draco-slurm as a child of dracoctl. */
#ifndef DRACO_CLIENT_HELPER_H
#define DRACO_CLIENT_HELPER_H

#include <jansson.h>
#include <sys/types.h>

#include "common/line.h"

struct err;
struct paths;

struct helper {
	pid_t pid; /* 0: does not run */
	int fd;
	int stderr_fd;
	struct line_reader reader;
	json_int_t last_id;
};

#define HELPER_INIT                       \
	{                                 \
		.fd = -1, .stderr_fd = -1 \
	}

/* Start it, in the environment in which a start would have it, and exchange versions. paths are
 * those of the dracod that would start it, which may run or not; NULL: of none. 0, or -errno with
 * err. helper_stop() in any case. */
int helper_start(struct helper *helper, const struct paths *paths, struct err *err);
void helper_stop(struct helper *helper); /* kills it where it does not end */

/* Ask, taking over params, and wait for the answer, for as long as deadline_ms: 0 with
 * *ret_result (the caller frees); -EREMOTEIO: refused by Slurm; -EAGAIN: slurmctld was not
 * reached; -EUNATCH: no Slurm, or no authentication, here; -ETIMEDOUT and others: the helper is
 * killed, and it may have happened. */
int helper_call(struct helper *helper, const char *method, json_t *params, int deadline_ms,
	json_t **ret_result, struct err *err);

#endif
