/* job_phase.h: the phases of a job and which may follow which. Pure.
 *
 *	NEW -> SUBMITTED -> PENDING -> STARTING -> READY -> DRAINING -> RETIRING -> ENDING -> GONE
 */
#ifndef DRACO_DAEMON_POLICY_JOB_PHASE_H
#define DRACO_DAEMON_POLICY_JOB_PHASE_H

#include <stdbool.h>

enum job_phase {
	PHASE_NEW,	 /* wanted; Slurm has not told an id yet */
	PHASE_SUBMITTED, /* Slurm has told the id; the queue has not shown it yet */
	PHASE_PENDING,	 /* in the queue */
	PHASE_STARTING,	 /* running; not all workers have connected */
	PHASE_READY,	 /* all workers are connected */
	PHASE_DRAINING,	 /* gets no new tasks; running ones finish */
	PHASE_RETIRING,	 /* its results move to other jobs */
	PHASE_ENDING,	 /* asked to end */
	PHASE_GONE,	 /* Slurm has ended it */
	PHASE_COUNT,
};

/* The phase's name for users and programs: "new", "submitted", ... */
const char *job_phase_name(enum job_phase phase);

/* May a job in phase from go to phase to? A phase never follows itself. */
bool job_phase_may_follow(enum job_phase from, enum job_phase to);

/* Does a job in this phase hold a place in Slurm, or may it, while its submission is under way? */
bool job_phase_is_alive(enum job_phase phase);

/* Does a job in this phase belong to the cluster, now or soon? It is alive and not on its way
 * out. */
bool job_phase_is_wanted(enum job_phase phase);

#endif
