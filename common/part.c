/* part.c: finds draco's own programs and files. */
#include "common/part.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"

/* The directory of the running program; NULL: it cannot be told. The caller frees. */
static char *own_directory(void)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return NULL;
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	return xstrdup(self);
}

/* installed, as seen from a program that lies in own instead of in BINDIR: both are below the same
 * prefix, which may have been moved. NULL: that cannot be told. */
static char *moved(const char *own, const char *installed)
{
	static const char bin[] = BINDIR;
	const char *name = strrchr(bin, '/'), *own_name = strrchr(own, '/');
	size_t prefix = (size_t)(name - bin) + 1;

	if (!own_name || strcmp(name, own_name) != 0 || strncmp(bin, installed, prefix) != 0)
		return NULL;
	return xasprintf("%.*s/%s", (int)(own_name - own), own, installed + prefix);
}

char *part_find(const char *name, const char *installed)
{
	_cleanup_free_ char *own = own_directory();
	_cleanup_free_ char *directory = own ? moved(own, installed) : NULL;
	const char *const directories[] = {own, directory};

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		_cleanup_free_ char *path = NULL;

		if (!directories[i])
			continue;
		path = xasprintf("%s/%s", directories[i], name);
		if (access(path, R_OK) == 0)
			return TAKE_PTR(path);
	}
	return xasprintf("%s/%s", installed, name);
}
