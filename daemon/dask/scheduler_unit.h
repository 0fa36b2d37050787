/* scheduler_unit.h: what the kernel gives a scheduler: its memory, and the unit that holds it. */
#ifndef DRACO_DAEMON_DASK_SCHEDULER_UNIT_H
#define DRACO_DAEMON_DASK_SCHEDULER_UNIT_H

#include <stdint.h>
#include <sys/types.h>

#include "daemon/policy/memory_use.h"

struct scheduler_unit {
	struct memory_use use; /* when it was looked at last */
	char *directory;       /* the cgroup of its unit (systemd/scope.h); NULL: it has none */
	int64_t limit;	       /* of the unit's memory, in bytes; 0: none */
	/* Counts what the kernel killed for memory where it runs, and how often a limit was the
	 * reason; with what was counted at the beginning. */
	char *kills_file;
	int64_t kills, limit_hits;
};

/* The process was started, or is gone on with. */
void scheduler_unit_begin(struct scheduler_unit *unit, pid_t pid);

/* Look again. */
void scheduler_unit_look(struct scheduler_unit *unit, pid_t pid);

/* The process has ended. What is left in its unit is killed: the port of the next one must be free.
 * Returns how it ended, for a person, which the caller frees. *ret_for_memory: the kernel has ended
 * it for memory. */
char *scheduler_unit_end(struct scheduler_unit *unit, int status, bool *ret_for_memory);

void scheduler_unit_finish(struct scheduler_unit *unit);

#endif
