/* cgroup.c: where the cgroups of a process are. */
#include "daemon/io/cgroup.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"

const char *cgroup_root = "";

void cgroup_finish(struct cgroup *cgroup)
{
	free(cgroup->mount);
	free(cgroup->path);
	*cgroup = (struct cgroup){0};
}

static FILE *open_file(const char *path)
{
	_cleanup_free_ char *full = xasprintf("%s%s", cgroup_root, path);

	return fopen(full, "re");
}

/* Is a controller in a list such as "cpu,memory"? */
static bool has_controller(char *list, const char *controller)
{
	char *rest = list, *word;

	while ((word = strsep(&rest, ",")))
		if (strcmp(word, controller) == 0)
			return true;
	return false;
}

/* The path of the process in the controller's hierarchy, as the kernel knows it. The caller
 * frees. */
static char *kernel_path(pid_t pid, const char *controller)
{
	_cleanup_free_ char *name = xasprintf("/proc/%d/cgroup", (int)pid);
	_cleanup_free_ char *line = NULL;
	FILE *file = open_file(name);
	char *path = NULL;
	size_t size = 0;

	/* 9:cpu,memory:/user.slice */
	while (file && !path && getline(&line, &size, file) >= 0) {
		char *rest = line, *list;

		line[strcspn(line, "\n")] = '\0';
		strsep(&rest, ":");
		list = rest ? strsep(&rest, ":") : NULL;
		if (rest && has_controller(list, controller))
			path = xstrdup(rest);
	}
	if (file)
		fclose(file);
	return path;
}

/* Take a line of mountinfo that is the controller's file system: where it is, and which of the
 * kernel's paths is its top. The texts point into line. */
static bool is_mount(const char *controller, char *line, char **top, char **where)
{
	char *super = strstr(line, " - "), *rest = line, *type;

	if (!super)
		return false;
	*super = '\0';
	super += strlen(" - ");
	super[strcspn(super, "\n")] = '\0';
	type = strsep(&super, " ");
	if (!super || strcmp(type, *controller ? "cgroup" : "cgroup2") != 0)
		return false;
	strsep(&super, " "); /* the source; the options are left */
	if (*controller && (!super || !has_controller(super, controller)))
		return false;
	for (int i = 0; i < 3 && rest; i++) /* ids, and the device */
		strsep(&rest, " ");
	*top = rest ? strsep(&rest, " ") : NULL;
	*where = rest ? strsep(&rest, " ") : NULL;
	return *where != NULL;
}

/* Find the place of the kernel's path in the mounted file systems. In a container only a part of
 * them is mounted. */
static bool find_mount(const char *controller, const char *path, struct cgroup *ret)
{
	FILE *file = open_file("/proc/self/mountinfo");
	_cleanup_free_ char *line = NULL;
	char *top, *where;
	size_t size = 0;

	while (file && !ret->mount && getline(&line, &size, file) >= 0) {
		size_t length;

		if (!is_mount(controller, line, &top, &where))
			continue;
		length = strcmp(top, "/") == 0 ? 0 : strlen(top);
		if (strncmp(path, top, length) != 0 || (path[length] && path[length] != '/'))
			continue;
		ret->mount = xasprintf("%s%s", cgroup_root, where);
		ret->path = xstrdup(strcmp(path + length, "/") == 0 ? "" : path + length);
	}
	if (file)
		fclose(file);
	return ret->mount != NULL;
}

bool cgroup_find(pid_t pid, const char *controller, struct cgroup *ret)
{
	_cleanup_free_ char *path = kernel_path(pid, controller);

	cgroup_finish(ret);
	return path && find_mount(controller, path, ret);
}

char *cgroup_of_unit(pid_t pid, const char *prefix)
{
	/* systemd has each unit in all hierarchies that it uses, and surely in one of these. */
	static const char *const hierarchies[] = {"", "name=systemd"};
	_cleanup_cgroup_ struct cgroup cgroup = {0};

	for (size_t i = 0; i < sizeof(hierarchies) / sizeof(hierarchies[0]); i++) {
		if (cgroup_find(pid, hierarchies[i], &cgroup) && *cgroup.path &&
			strncmp(cgroup_unit_name(cgroup.path), prefix, strlen(prefix)) == 0)
			return xasprintf("%s%s", cgroup.mount, cgroup.path);
	}
	return NULL;
}

const char *cgroup_unit_name(const char *directory)
{
	const char *slash = strrchr(directory, '/');

	return slash ? slash + 1 : directory;
}

int cgroup_kill(const char *directory)
{
	_cleanup_free_ char *name = xasprintf("%s/cgroup.procs", directory);
	FILE *file = fopen(name, "re");
	int pid, count = 0;

	while (file && fscanf(file, "%d", &pid) == 1 && pid > 1)
		count += kill(pid, SIGKILL) == 0;
	if (file)
		fclose(file);
	return count;
}
