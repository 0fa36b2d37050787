/* memory_use.h: judges how near a process is to being killed by the kernel for memory. Pure. */
#ifndef DRACO_DAEMON_POLICY_MEMORY_USE_H
#define DRACO_DAEMON_POLICY_MEMORY_USE_H

#include <stdbool.h>
#include <stdint.h>

struct memory_use {
	int64_t used;	/* bytes of the process that are in memory; 0: nothing is known */
	int64_t room;	/* bytes that it and all others with the same limit can still have */
	int64_t limit;	/* bytes, of the cgroup or of the host, whichever leaves less room */
	bool of_cgroup; /* the limit is that of a cgroup */
};

/* Is so little left that the process may soon be killed? One that is small beside what is left is
 * not in danger. was_short: the answer before; it changes only with some distance. */
bool memory_is_short(const struct memory_use *use, bool was_short);

/* "1.4 GiB of the 16 GiB of this host", for what is left. The caller frees. */
char *memory_room_text(const struct memory_use *use);

#endif
