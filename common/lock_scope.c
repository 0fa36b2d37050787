/* lock_scope.c: tells from its file system who can see the lock of a file.
 *
 * This is about the locks of fcntl(2). _holder.py has the same table. */
#include "common/lock_scope.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"

#define OPTIONS_MAX 3

struct row {
	const char *type;
	enum lock_scope scope; /* without these options */
	struct {
		const char *name;
		enum lock_scope scope;
	} options[OPTIONS_MAX];
};

static const struct row table[] = {
	/* One kernel serves all programs that can see the file. */
	{"bcachefs", LOCK_SCOPE_ALL, {{0}}}, {"btrfs", LOCK_SCOPE_ALL, {{0}}},
	{"ext2", LOCK_SCOPE_ALL, {{0}}}, {"ext3", LOCK_SCOPE_ALL, {{0}}},
	{"ext4", LOCK_SCOPE_ALL, {{0}}}, {"f2fs", LOCK_SCOPE_ALL, {{0}}},
	{"jfs", LOCK_SCOPE_ALL, {{0}}}, {"overlay", LOCK_SCOPE_ALL, {{0}}},
	{"tmpfs", LOCK_SCOPE_ALL, {{0}}}, {"xfs", LOCK_SCOPE_ALL, {{0}}},
	{"zfs", LOCK_SCOPE_ALL, {{0}}},
	/* nfs(5): locks go to the server, unless an option keeps them here. */
	{"nfs", LOCK_SCOPE_ALL,
		{{"nolock", LOCK_SCOPE_HOST}, {"local_lock=all", LOCK_SCOPE_HOST},
			{"local_lock=posix", LOCK_SCOPE_HOST}}},
	{"nfs4", LOCK_SCOPE_ALL,
		{{"nolock", LOCK_SCOPE_HOST}, {"local_lock=all", LOCK_SCOPE_HOST},
			{"local_lock=posix", LOCK_SCOPE_HOST}}},
	/* mount.lustre(8): "flock" is coherent, "localflock" is not, and without either there
	 * are none. */
	{"lustre", LOCK_SCOPE_UNKNOWN,
		{{"flock", LOCK_SCOPE_ALL}, {"localflock", LOCK_SCOPE_HOST},
			{"noflock", LOCK_SCOPE_UNKNOWN}}},
	{"ceph", LOCK_SCOPE_ALL, {{0}}}, {"gpfs", LOCK_SCOPE_ALL, {{0}}},
	/* For cifs, FUSE, BeeGFS and others the options do not tell. */
};

static bool has_option(const char *options, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = options; *at; at += *at == ',') {
		size_t end = strcspn(at, ",");

		if (end == length && strncmp(at, name, length) == 0)
			return true;
		at += end;
	}
	return false;
}

enum lock_scope lock_scope_judge(const char *type, const char *options)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].type, type) != 0)
			continue;
		for (int k = 0; k < OPTIONS_MAX && table[i].options[k].name; k++)
			if (has_option(options, table[i].options[k].name))
				return table[i].options[k].scope;
		return table[i].scope;
	}
	return LOCK_SCOPE_UNKNOWN;
}

/* The id in mountinfo of the mount through which the file was opened; -1: not known. */
static long mount_of(int fd)
{
	_cleanup_free_ char *path = xasprintf("/proc/self/fdinfo/%d", fd);
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	char line[256];
	long id = -1;

	while (file && id < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "mnt_id: %ld", &id) != 1)
			id = -1;
	return id;
}

/* proc(5): ID PARENT DEVICE ROOT PLACE OPTIONS [FIELD]... - TYPE SOURCE OPTIONS */
static enum lock_scope judge_line(
	const char *line, long id, char ret_type[LOCK_SCOPE_TYPE_MAX], bool *ret_found)
{
	const char *rest = strstr(line, " - ");
	_cleanup_free_ char *type = NULL, *options = NULL;

	*ret_found = rest && strtol(line, NULL, 10) == id &&
		sscanf(rest, " - %ms %*s %ms", &type, &options) == 2;
	if (!*ret_found)
		return LOCK_SCOPE_UNKNOWN;
	snprintf(ret_type, LOCK_SCOPE_TYPE_MAX, "%s", type);
	return lock_scope_judge(type, options);
}

enum lock_scope lock_scope_of(int fd, char ret_type[LOCK_SCOPE_TYPE_MAX])
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/mountinfo", "re");
	enum lock_scope scope = LOCK_SCOPE_UNKNOWN;
	_cleanup_free_ char *line = NULL;
	long id = mount_of(fd);
	bool found = false;
	size_t size = 0;

	strcpy(ret_type, "?");
	while (file && id >= 0 && !found && getline(&line, &size, file) > 0)
		scope = judge_line(line, id, ret_type, &found);
	return scope;
}

static const char *const names[] = {
	[LOCK_SCOPE_UNKNOWN] = "unknown",
	[LOCK_SCOPE_HOST] = "host",
	[LOCK_SCOPE_ALL] = "all",
};

const char *lock_scope_name(enum lock_scope scope)
{
	return names[scope];
}

enum lock_scope lock_scope_find(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return (enum lock_scope)i;
	return LOCK_SCOPE_UNKNOWN;
}
