/* pauses.h: the pauses in the user's work. A file remembers them, so that another dracod knows,
 * too, how long idle jobs are worth keeping. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_PAUSES_H
#define DRACO_DAEMON_CLUSTER_PAUSES_H

struct cluster;

/* Load the pauses from the file. Damaged entries are ignored. */
void cluster_pauses_load(struct cluster *cluster);

/* Save the pauses to the file. An error is logged. */
void cluster_pauses_save(const struct cluster *cluster);

#endif
