/* compat.h: what differs between the versions of libslurm, from 22.05 on. Included after slurm.h.
 *
 * All has names of its own, compat_x: who forgets this header is told by each version. */
#ifndef DRACO_DAEMON_DRACO_SLURM_COMPAT_H
#define DRACO_DAEMON_DRACO_SLURM_COMPAT_H

#include <errno.h>
#include <slurm/slurm.h>

/* The error of the last call has become plain errno. */
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

/* Exported by libslurm, but not always declared in its header. */
#if !HAVE_DECL_SLURM_FREE_WILL_RUN_RESPONSE_MSG
extern void slurm_free_will_run_response_msg(will_run_response_msg_t *message);
#endif
#define compat_free_will_run slurm_free_will_run_response_msg

/* Exported by libslurm, but not declared in its header. */
#ifdef HAVE_SLURM_JOB_STATE_REASON_STRING
extern char *slurm_job_state_reason_string(enum job_state_reason reason);
#define compat_reason_string slurm_job_state_reason_string
#else
#if !HAVE_DECL_SLURM_JOB_REASON_STRING
extern char *slurm_job_reason_string(enum job_state_reason reason);
#endif
#define compat_reason_string slurm_job_reason_string
#endif

/* What slurm_init_job_desc_msg() leaves at 0, although "as the site has it" is another value. */
static inline void compat_init_job(job_desc_msg_t *job)
{
#ifdef HAVE_JOB_DESC_MSG_T_OOM_KILL_STEP
	job->oom_kill_step = NO_VAL16;
#endif
#ifdef HAVE_JOB_DESC_MSG_T_RESV_PORT_CNT
	job->resv_port_cnt = NO_VAL16;
#endif
	(void)job;
}

#ifdef HAVE_SUBMIT_RESPONSE_MSG_T_JOB_ID
#define compat_submitted_id(response) ((response)->job_id)
#else
#define compat_submitted_id(response) ((response)->step_id.job_id)
#endif

#endif
