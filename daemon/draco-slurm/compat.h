/* compat.h: hides the differences between versions of libslurm, from 22.05 on. Include it after
 * slurm.h.
 *
 * All its names begin with compat_. The original names fail to compile with some version, so nobody
 * can forget this header. */
#ifndef DRACO_DAEMON_DRACO_SLURM_COMPAT_H
#define DRACO_DAEMON_DRACO_SLURM_COMPAT_H

#include <errno.h>
#include <slurm/slurm.h>

/* In later versions the error of the last call is in errno. */
#if HAVE_DECL_SLURM_GET_ERRNO
#define compat_errno() slurm_get_errno()
#else
#define compat_errno() errno
#endif

#if HAVE_DECL_SLURM_FREE_CTL_CONF
#define compat_free_conf slurm_free_ctl_conf
#else
#define compat_free_conf slurm_free_conf
#endif

/* libslurm exports these, but its header does not declare them. */
#ifdef HAVE_SLURM_JOB_STATE_REASON_STRING
extern char *slurm_job_state_reason_string(enum job_state_reason reason);
#define compat_reason_string slurm_job_state_reason_string
#else
#if !HAVE_DECL_SLURM_JOB_REASON_STRING
extern char *slurm_job_reason_string(enum job_state_reason reason);
#endif
#define compat_reason_string slurm_job_reason_string
#endif

#endif
