/* deaths.h: tells of workers that died of memory. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_DEATHS_H
#define DRACO_DAEMON_CLUSTER_DEATHS_H

#include <jansson.h>

struct cluster;
struct job;

/* A worker is about to be removed that nobody has asked to leave. death: what the preload knows of
 * it; NULL: nothing. */
void cluster_note_death(struct cluster *cluster, const char *address, const json_t *death);

/* What the job's worker did that died last, if that may be why the job has ended of memory; NULL:
 * not known. Borrowed. */
const char *cluster_last_death(const struct job *job);

/* Withdraw a notice that is old. */
void cluster_check_deaths(struct cluster *cluster);

#endif
