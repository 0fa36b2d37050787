/* fake_queue.h: what fake_helper.c, the draco-slurm, asks of fake_slurm.c, the Slurm. */
#ifndef DRACO_TESTS_FAKE_QUEUE_H
#define DRACO_TESTS_FAKE_QUEUE_H

#include "fake_slurm.h"

TAILQ_HEAD(fake_job_list, fake_job);
extern struct fake_job_list fake_jobs;

struct fake_partition *slurm_find_partition(const char *name); /* NULL: there is none */

uint32_t slurm_submit(const struct slurm_submission *wish); /* the id of the job or array */
void slurm_cancel(struct fake_job *job, enum slurm_cancel_how how);
void slurm_move(struct fake_job *job, const char *partitions, const char *reservation);
void slurm_keep_away(struct fake_job *job, const char *nodes);

void slurm_faults_clear(void);

#endif
