/* adopt.h: goes on with the cluster of an earlier dracod. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_ADOPT_H
#define DRACO_DAEMON_CLUSTER_ADOPT_H

#include <jansson.h>
#include <stdbool.h>

struct cluster;
struct err;
struct slurm_job;

/* Can the cluster of this record go on? -EXDEV or -ESRCH with err: its scheduler is gone. */
int cluster_adopt_check(const json_t *record, struct err *err)
	__attribute__((warn_unused_result));

/* The model and the scheduler are those of the record: go on, as soon as the facts are known. */
void cluster_adopt_begin(struct cluster *cluster, const json_t *record);

/* Keep for cluster_adopt_text() that the adoption failed, and why. */
void cluster_adopt_failed(struct cluster *cluster, const struct err *err);

/* Does the adoption still wait for Slurm's queue or for the scheduler's plugin? Until then nothing
 * is decided, as the facts are not known. It ends within ADOPT_PATIENCE_MS, unless the cluster is
 * blind. */
bool cluster_adopt_waits(struct cluster *cluster);

/* Take a job of the cluster, which the queue shows, into the model if the record of it was lost. */
void cluster_adopt_job(struct cluster *cluster, const struct slurm_job *report);

/* The queue was read; the plugin has said hello, and was without dracod for alone_s seconds. */
void cluster_adopt_queue(struct cluster *cluster);
void cluster_adopt_hello(struct cluster *cluster, double alone_s);

/* "dracod was killed at 14:02; 3 jobs and the scheduler run on": for programs that were connected
 * to the former dracod, or that have started this one. It holds until the next start. NULL: nothing
 * to tell. Borrowed. */
const char *cluster_adopt_text(const struct cluster *cluster);

/* Forget an earlier adoption. */
void cluster_adopt_forget(struct cluster *cluster);

#define ADOPT_PATIENCE_MS 30000

#endif
