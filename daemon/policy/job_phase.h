/* job_phase.h: the phases of a job and which may follow which. Pure.
 *
 *	NEW -> SUBMITTED -> PENDING -> STARTING -> READY -> DRAINING -> RETIRING -> ENDING -> GONE
 */
#ifndef DRACO_DAEMON_POLICY_JOB_PHASE_H
#define DRACO_DAEMON_POLICY_JOB_PHASE_H

#include <stdbool.h>

enum job_phase {
	PHASE_NEW,	 /* wanted; Slurm has not told its id yet */
	PHASE_SUBMITTED, /* Slurm told its id; not seen in the queue yet */
	PHASE_PENDING,	 /* in the queue */
	PHASE_STARTING,	 /* Slurm runs it; Dask has not seen all its workers */
	PHASE_READY,	 /* all its workers are connected */
	PHASE_DRAINING,	 /* no new tasks go to it, running ones finish */
	PHASE_RETIRING,	 /* its data is being moved to other jobs */
	PHASE_ENDING,	 /* asked to end */
	PHASE_GONE,	 /* Slurm has ended it */
	PHASE_COUNT,
};

/* "new", "submitted", ...: as users and programs see it. */
const char *job_phase_name(enum job_phase phase);

/* May a job in phase from go to phase to? A phase never follows itself. */
bool job_phase_may_follow(enum job_phase from, enum job_phase to);

/* Holds the job a place at Slurm, or may it (its submission being under way)? */
bool job_phase_is_alive(enum job_phase phase);

/* Does the job count as a present or coming part of the cluster? Alive and not on its way out. */
bool job_phase_is_wanted(enum job_phase phase);

#endif
