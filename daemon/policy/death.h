/* death.h: judges the death of a worker by what the preload knows of it. Pure. */
#ifndef DRACO_DAEMON_POLICY_DEATH_H
#define DRACO_DAEMON_POLICY_DEATH_H

#include <jansson.h>
#include <stdbool.h>

/* A worker that had more than this part of its limit has died of memory: Dask writes results to
 * disk from 70 % on, and ends the worker at 95 %. The last heartbeat may be a second old. */
#define DEATH_MEMORY_PERCENT 75

/* death: as the preload tells it with "worker_removed"; NULL: it is not known. */
bool death_is_of_memory(const json_t *death);

/* What the worker did, for a person: "task \"load\" ran, its process had 3.9 GiB of 4 GiB, 3.1 GiB
 * of that in results, the largest \"x\" with 1.2 GiB". NULL: nothing is known. The caller frees. */
char *death_describe(const json_t *death);

#endif
