/* unit.h: the systemd unit of the Dask scheduler, and the limits that it should have. Part of the
 * cluster. */
#ifndef DRACO_DAEMON_CLUSTER_UNIT_H
#define DRACO_DAEMON_CLUSTER_UNIT_H

struct cluster;

/* The process is in a unit of its own (why NULL), or cannot be, for this reason. */
void cluster_unit_settled(struct cluster *cluster, const char *why);

/* Tell the user of limits of the settings that do not hold. */
void cluster_check_unit(struct cluster *cluster);

void cluster_unit_finish(struct cluster *cluster);

#endif
