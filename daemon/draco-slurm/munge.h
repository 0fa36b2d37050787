/* munge.h: checks that the authentication service of this host runs. */
#ifndef DRACO_DAEMON_DRACO_SLURM_MUNGE_H
#define DRACO_DAEMON_DRACO_SLURM_MUNGE_H

#include <stdbool.h>

struct err;

/* 0: munged serves its socket, or Slurm may not use it. -ECONNREFUSED or -ENOENT with err: Slurm
 * uses munge, and munged certainly does not serve. Without this check libslurm would try for most
 * of a minute. */
int munge_check(struct err *err);

/* The path of munged's socket, as far as slurm.conf tells. *ret_sure: Slurm certainly uses it. The
 * caller frees. */
char *munge_socket(bool *ret_sure);

#endif
