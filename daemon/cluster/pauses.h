/* pauses.h: the pauses of the user's work, kept in a file so that another dracod knows for how
 * long idle jobs are worth keeping, too. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_PAUSES_H
#define DRACO_DAEMON_CLUSTER_PAUSES_H

struct cluster;

/* Take over what the file has; what is wrong there does not count. */
void cluster_pauses_load(struct cluster *cluster);

/* Keep what is known now. The log tells when that fails. */
void cluster_pauses_save(const struct cluster *cluster);

#endif
