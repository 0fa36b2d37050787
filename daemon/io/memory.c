/* memory.c: the memory of a process, and the limits of its host and its cgroups. */
#include "daemon/io/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/io/cgroup.h"
#include "daemon/policy/memory_use.h"

#define NO_LIMIT ((int64_t)1 << 60) /* cgroup v1 has this for "none", a little less than 2^63 */

/* The names of the files in the two versions of cgroups. */
struct layout {
	const char *controller; /* "": version 2 */
	const char *limit, *usage, *stat, *inactive, *kills;
};

static const struct layout layouts[] = {
	{"memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat",
		"total_inactive_file", "memory.oom_control"},
	{"", "memory.max", "memory.current", "memory.stat", "inactive_file", "memory.events"},
};

/* The number behind this word at the beginning of a line. -1: there is none. */
static int64_t number_after(FILE *file, const char *word)
{
	size_t length = strlen(word), size = 0;
	_cleanup_free_ char *line = NULL;
	int64_t number;

	while (getline(&line, &size, file) >= 0)
		if (strncmp(line, word, length) == 0 &&
			sscanf(line + length, " %" SCNd64, &number) == 1)
			return number;
	return -1;
}

static int64_t read_number(const char *path, const char *word)
{
	FILE *file = fopen(path, "re");
	int64_t number = file ? number_after(file, word) : -1;

	if (file)
		fclose(file);
	return number;
}

static int64_t host_number(const char *path, const char *word)
{
	_cleanup_free_ char *full = xasprintf("%s%s", cgroup_root, path);

	return read_number(full, word);
}

/* Version 1 where the controller is there, else version 2. NULL: neither. */
static const struct layout *find_cgroup(pid_t pid, struct cgroup *ret)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (cgroup_find(pid, layouts[i].controller, ret))
			return &layouts[i];
	return NULL;
}

/* Take the limit of this cgroup, if it leaves less than the one that is known. */
static void look_at(
	const struct layout *layout, const struct cgroup *cgroup, struct memory_use *use)
{
	_cleanup_free_ char *base = xasprintf("%s%s", cgroup->mount, cgroup->path);
	_cleanup_free_ char *limit_file = xasprintf("%s/%s", base, layout->limit);
	_cleanup_free_ char *usage_file = xasprintf("%s/%s", base, layout->usage);
	_cleanup_free_ char *stat_file = xasprintf("%s/%s", base, layout->stat);
	int64_t limit = read_number(limit_file, ""), usage = read_number(usage_file, "");
	int64_t inactive = read_number(stat_file, layout->inactive);

	if (limit < 0 || limit >= NO_LIMIT || usage < 0)
		return;
	/* The kernel gives up the cached files first. */
	if (inactive > 0)
		usage = usage > inactive ? usage - inactive : 0;
	if (limit - usage >= use->room)
		return;
	use->room = limit > usage ? limit - usage : 0;
	use->limit = limit;
	use->of_cgroup = true;
}

int memory_look(pid_t pid, struct memory_use *ret)
{
	_cleanup_free_ char *status = xasprintf("/proc/%d/status", (int)pid);
	struct memory_use use = {0};
	_cleanup_cgroup_ struct cgroup cgroup = {0};
	const struct layout *layout;

	*ret = use;
	use.used = host_number(status, "VmRSS:") * 1024;
	use.limit = host_number("/proc/meminfo", "MemTotal:") * 1024;
	use.room = host_number("/proc/meminfo", "MemAvailable:") * 1024;
	if (use.used <= 0 || use.limit <= 0 || use.room < 0)
		return -ENOENT;
	layout = find_cgroup(pid, &cgroup);
	if (layout) {
		look_at(layout, &cgroup, &use);
		while (*cgroup.path) { /* a limit of each cgroup above holds, too */
			*strrchr(cgroup.path, '/') = '\0';
			look_at(layout, &cgroup, &use);
		}
	}
	*ret = use;
	return 0;
}

char *memory_kills_file(pid_t pid)
{
	_cleanup_cgroup_ struct cgroup cgroup = {0};
	const struct layout *layout = find_cgroup(pid, &cgroup);
	char *file = NULL, *name;

	if (layout) {
		/* The cgroup of a unit is removed with its last process. The slice above it, which
		 * only this unit has, goes on counting. */
		name = strrchr(cgroup.path, '/');
		if (!*layout->controller && name &&
			strncmp(name + 1, CGROUP_SCHEDULER, strlen(CGROUP_SCHEDULER)) == 0)
			*name = '\0';
		file = xasprintf("%s%s/%s", cgroup.mount, cgroup.path, layout->kills);
	}
	if (file && memory_kills(file) >= 0)
		return file;
	free(file);
	return xasprintf("%s/proc/vmstat", cgroup_root);
}

int64_t memory_kills(const char *file)
{
	return file ? read_number(file, "oom_kill ") : -1;
}

int64_t memory_limit_hits(const char *file)
{
	return file ? read_number(file, "oom ") : -1;
}

int64_t memory_limit(const char *directory)
{
	_cleanup_free_ char *file = xasprintf("%s/memory.max", directory);
	int64_t limit = read_number(file, "");

	return limit > 0 ? limit : 0;
}
