/* part.c: finds draco's own programs and files. */
#include "common/part.h"

#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"

char *part_find(const char *name, const char *installed)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	_cleanup_free_ char *beside = NULL;

	if (n > 0) {
		self[n] = '\0';
		*strrchr(self, '/') = '\0';
		beside = xasprintf("%s/%s", self, name);
		if (access(beside, R_OK) == 0)
			return TAKE_PTR(beside);
	}
	return xasprintf("%s/%s", installed, name);
}
