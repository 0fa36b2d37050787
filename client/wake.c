/* wake.c: a socket of systemd's user manager that starts dracod. */
#include "client/wake.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/paths.h"
#include "common/trust.h"

int wake_begin(const struct paths *paths)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	_cleanup_free_ char *path = NULL;

	if (!runtime || runtime[0] != '/')
		return -ENOENT;
	/* The unit is of the cluster's name, whatever its Slurm. */
	path = xasprintf("%s/" PATHS_WAKE_DIR "/%.*s", runtime, (int)strcspn(paths->name, "@"),
		paths->name);
	return trust_connect(path, NULL);
}

bool wake_has_failed(int fd)
{
	struct pollfd end = {.fd = fd};

	return poll(&end, 1, 0) > 0 && (end.revents & (POLLHUP | POLLERR));
}
