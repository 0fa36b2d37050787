/* leftover.h: jobs of clusters that ended without dracod seeing the end of their jobs. */
#ifndef DRACO_DAEMON_SLURM_LEFTOVER_H
#define DRACO_DAEMON_SLURM_LEFTOVER_H

#include <stdbool.h>

struct leftover;
struct loop;
struct slurm;

/* The ids of clusters that may have jobs are kept in state_file. Those that an earlier dracod left
 * there are ended as soon as Slurm answers. name is the cluster's. */
struct leftover *leftover_create(
	struct loop *loop, struct slurm *slurm, const char *name, const char *state_file);
struct leftover *leftover_destroy(struct leftover *leftover);

/* The running cluster may have jobs from now on: remember it through a crash. */
void leftover_remember(struct leftover *leftover, const char *cluster_id);

/* The cluster certainly has no jobs. */
void leftover_forget(struct leftover *leftover, const char *cluster_id);

/* May there be jobs? */
bool leftover_has_any(const struct leftover *leftover);

/* The cluster is over; what jobs it may still have are to be ended. */
void leftover_clean(struct leftover *leftover);

#endif
