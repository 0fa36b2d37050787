/* fake_queue.h: the functions of fake_slurm.c, the Slurm, that fake_helper.c, the draco-slurm,
 * uses. */
#ifndef DRACO_TESTS_FAKE_QUEUE_H
#define DRACO_TESTS_FAKE_QUEUE_H

#include "fake_slurm.h"

TAILQ_HEAD(fake_job_list, fake_job);
extern struct fake_job_list fake_jobs;

struct fake_partition *slurm_find_partition(const char *name); /* NULL: none */

/* Returns the id of the job or array. */
uint32_t slurm_submit(const struct slurm_submission *wish);
void slurm_cancel(struct fake_job *job, enum slurm_cancel_how how);
void slurm_move(struct fake_job *job, const char *partitions, const char *reservation);
void slurm_keep_away(struct fake_job *job, const char *nodes);

void slurm_faults_clear(void);

#endif
