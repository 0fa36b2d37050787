/* host.c: identifies this host and its boot. */
#include "common/host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

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
