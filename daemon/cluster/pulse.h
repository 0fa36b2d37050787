/* pulse.h: a Dask scheduler that runs, and does not answer. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_PULSE_H
#define DRACO_DAEMON_CLUSTER_PULSE_H

struct cluster;

/* Ask the scheduler's preload from time to time whether it is there. Tell the user when it has not
 * answered for a while, and have it replaced after scheduler_silence. Plans the next look. */
void cluster_check_pulse(struct cluster *cluster);

/* The scheduler has ended or was started anew: forget all of it. */
void cluster_pulse_finish(struct cluster *cluster);

#endif
