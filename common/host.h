/* host.h: which host this is, and which run of it. */
#ifndef DRACO_COMMON_HOST_H
#define DRACO_COMMON_HOST_H

#include <stdbool.h>

struct host {
	char name[256];
	char boot[64]; /* differs after each boot; "" where the kernel does not tell */
};

void host_get(struct host *ret);

/* Does the process run that had this id on this host after that boot? */
bool host_runs_process(const struct host *here, const char *boot, int pid);

#endif
