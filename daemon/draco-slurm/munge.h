/* munge.h: is the authentication service of this host there? */
#ifndef DRACO_DAEMON_DRACO_SLURM_MUNGE_H
#define DRACO_DAEMON_DRACO_SLURM_MUNGE_H

#include <stdbool.h>

struct err;

/* 0, or -ECONNREFUSED or -ENOENT with err when Slurm authenticates by munge and munged
 * certainly does not serve its socket. libslurm would try for most of a minute, and say so
 * afterwards. */
int munge_check(struct err *err);

/* Where munged is, as far as slurm.conf tells, and whether Slurm is sure to use it; the caller
 * frees. */
char *munge_socket(bool *ret_sure);

#endif
