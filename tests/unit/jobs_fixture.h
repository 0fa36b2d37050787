/* jobs_fixture.h: what the tests of jobs.c share: jobs in each phase, made by what leads there. */
#ifndef DRACO_TESTS_JOBS_FIXTURE_H
#define DRACO_TESTS_JOBS_FIXTURE_H

#include "common/settings.h"
#include "daemon/cluster/jobs.h"

/* Made anew for each test. */
extern struct jobs *jobs;
extern struct settings settings; /* two workers to a job */
extern int changes;		 /* how often jobs told of one */
extern uint32_t next_id;	 /* of job_in(): 42 at first */

/* The tests of a suite's case run between these. */
void jobs_setup(void);
void jobs_teardown(void);

/* What Slurm says about a job; the texts are literals. */
struct slurm_job report(uint32_t job_id, enum slurm_state state);
void apply(struct job *job, enum slurm_state state);

/* A job that was brought to a phase by what leads there. */
struct job *job_in(enum job_phase phase);

#endif
