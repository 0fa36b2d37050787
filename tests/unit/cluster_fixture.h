/* cluster_fixture.h: a cluster of which only the jobs are there, for the tests of its parts. */
#ifndef DRACO_TESTS_CLUSTER_FIXTURE_H
#define DRACO_TESTS_CLUSTER_FIXTURE_H

#include "daemon/cluster/model.h"
#include "jobs_fixture.h"

/* Made anew for each test: RUNNING, with the jobs of jobs_fixture.h; Slurm and the scheduler
 * are missing. */
extern struct cluster cluster;

void cluster_setup(void);
void cluster_teardown(void);

/* The loop time of the next reconcile that a step plans; INT64_MAX when it plans none. */
int64_t planned_by(void (*step)(struct cluster *cluster));

#endif
