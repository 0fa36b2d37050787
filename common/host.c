/* host.c: identifies this host and its boot. */
#include "common/host.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"

void host_get(struct host *ret)
{
	_cleanup_close_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	*ret = (struct host){0};
	gethostname(ret->name, sizeof(ret->name) - 1);
	if (fd >= 0)
		n = read(fd, ret->boot, sizeof(ret->boot) - 1);
	ret->boot[n > 0 ? n : 0] = '\0';
	ret->boot[strcspn(ret->boot, "\n")] = '\0';
}

bool host_runs_process(const struct host *here, const char *boot, int pid)
{
	return pid > 0 && strcmp(boot, here->boot) == 0 &&
		(kill(pid, 0) == 0 || errno == EPERM);
}

int64_t host_process_start(int pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/stat", pid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[1024], state = 'X';
	int64_t start = 0;
	const char *after;
	ssize_t n;

	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	after = strrchr(text, ')'); /* the name may hold anything, also a ')' */
	if (!after ||
		sscanf(after,
			") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			"%*s %" SCNd64,
			&state, &start) != 2)
		return 0;
	return state == 'Z' || state == 'X' ? 0 : start;
}
