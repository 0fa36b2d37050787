/* helper.h: requests to Slurm without dracod, by draco-slurm as a child of dracoctl. */
#ifndef DRACO_CLIENT_HELPER_H
#define DRACO_CLIENT_HELPER_H

#include <jansson.h>
#include <sys/types.h>

#include "common/line.h"

struct err;
struct paths;

struct helper {
	const char *interface; /* the setting slurm_interface; NULL: that of the environment */
	pid_t pid;	       /* 0: it does not run */
	int fd;
	int stderr_fd;
	struct line_reader reader;
	json_int_t last_id;
	json_t *way; /* how it talks to Slurm (daemon/draco-slurm/way.h); NULL: not known */
};

#define HELPER_INIT                       \
	{                                 \
		.fd = -1, .stderr_fd = -1 \
	}

/* Start draco-slurm in the environment that a start would give it, and exchange versions. paths:
 * those of the dracod, running or not, that would start it; NULL: of none. 0, or -errno with err.
 * Call helper_stop() in both cases. */
int helper_start(struct helper *helper, const struct paths *paths, struct err *err);
void helper_stop(struct helper *helper); /* kills it if it does not end */

/* Send a request, take params over, and wait up to deadline_ms for the answer. 0 with *ret_result,
 * which the caller owns. Otherwise err is set. -EREMOTEIO: Slurm has refused. -EAGAIN: slurmctld
 * was not reached. -EUNATCH: there is no Slurm, or no authentication. -ETIMEDOUT and others: the
 * helper was killed, and the request may have been carried out. */
int helper_call(struct helper *helper, const char *method, json_t *params, int deadline_ms,
	json_t **ret_result, struct err *err);

#endif
