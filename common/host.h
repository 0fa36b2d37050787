/* host.h: which host this is, and which run of it. */
#ifndef DRACO_COMMON_HOST_H
#define DRACO_COMMON_HOST_H

struct host {
	char name[256];
	char boot[64]; /* differs after each boot; "" where the kernel does not tell */
};

void host_get(struct host *ret);

#endif
