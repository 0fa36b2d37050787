/* cgroup.h: where the cgroups of a process are. What is read are files of the kernel, which do not
 * block. */
#ifndef DRACO_DAEMON_IO_CGROUP_H
#define DRACO_DAEMON_IO_CGROUP_H

#include <stdbool.h>
#include <sys/types.h>

/* Units of this name are those of Dask schedulers (systemd/scope.h). */
#define CGROUP_SCHEDULER "draco-scheduler-"

struct cgroup {
	char *mount; /* where the file system is, with cgroup_root */
	char *path;  /* below that: "" or "/..." */
};

void cgroup_finish(struct cgroup *cgroup);

#define _cleanup_cgroup_ __attribute__((cleanup(cgroup_finish)))

/* Find the process's cgroup of a controller of version 1; "": that of version 2. False: there is
 * none. */
bool cgroup_find(pid_t pid, const char *controller, struct cgroup *ret);

/* The directory of the process's cgroup if that is a unit of a systemd whose name begins so. NULL:
 * it is not. The caller frees. */
char *cgroup_of_unit(pid_t pid, const char *prefix);

/* The name of the unit, in such a directory. */
const char *cgroup_unit_name(const char *directory);

/* Kill all processes in the cgroup, if it is still there. Returns their number. */
int cgroup_kill(const char *directory);

/* For tests: what is read is below this directory; "" is the usual one. */
extern const char *cgroup_root;

#endif
