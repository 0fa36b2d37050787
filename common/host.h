/* host.h: identifies this host and its boot. */
#ifndef DRACO_COMMON_HOST_H
#define DRACO_COMMON_HOST_H

#include <stdbool.h>
#include <stdint.h>

struct host {
	char name[256];
	char boot[64]; /* differs for each boot; "": the kernel does not tell */
};

void host_get(struct host *ret);

/* Does the process with this id, from that boot of this host, still run? */
bool host_runs_process(const struct host *here, const char *boot, int pid);

/* When the process began, in ticks since the boot. With its id that names one process, as ids are
 * used again. 0: there is no such process, or it has ended. */
int64_t host_process_start(int pid);

#endif
