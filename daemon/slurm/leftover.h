/* leftover.h: ends jobs of earlier clusters whose end dracod has not seen. */
#ifndef DRACO_DAEMON_SLURM_LEFTOVER_H
#define DRACO_DAEMON_SLURM_LEFTOVER_H

#include <stdbool.h>

struct leftover;
struct loop;
struct slurm;

/* state_file records the ids of clusters that may have jobs. Jobs of clusters that an earlier
 * dracod recorded are ended as soon as Slurm answers. name is the cluster's. */
struct leftover *leftover_create(
	struct loop *loop, struct slurm *slurm, const char *name, const char *state_file);
struct leftover *leftover_destroy(struct leftover *leftover);

/* The running cluster may have jobs from now on: record it for after a crash. */
void leftover_remember(struct leftover *leftover, const char *cluster_id);

/* The cluster certainly has no jobs. */
void leftover_forget(struct leftover *leftover, const char *cluster_id);

/* May a recorded cluster have jobs? */
bool leftover_has_any(const struct leftover *leftover);

/* The cluster has ended: end the jobs that it may have left. */
void leftover_clean(struct leftover *leftover);

#endif
