/* scheduler_unit.c: what the kernel gives a scheduler: its memory, and the unit that holds it. */
#include "daemon/dask/scheduler_unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/parse.h"
#include "daemon/io/cgroup.h"
#include "daemon/io/child.h"
#include "daemon/io/memory.h"

/* It may have been moved into another cgroup. */
static void find(struct scheduler_unit *unit, pid_t pid)
{
	_cleanup_free_ char *file = memory_kills_file(pid);

	free(unit->directory);
	unit->directory = cgroup_of_unit(pid, CGROUP_SCHEDULER);
	unit->limit = unit->directory ? memory_limit(unit->directory) : 0;
	if (file && unit->kills_file && strcmp(file, unit->kills_file) == 0)
		return;
	xreplace(&unit->kills_file, file);
	unit->kills = memory_kills(file);
	unit->limit_hits = memory_limit_hits(file);
}

void scheduler_unit_begin(struct scheduler_unit *unit, pid_t pid)
{
	scheduler_unit_finish(unit);
	find(unit, pid);
}

void scheduler_unit_look(struct scheduler_unit *unit, pid_t pid)
{
	if (memory_look(pid, &unit->use) == 0)
		find(unit, pid);
}

/* "by the kernel, because ...". The caller frees. */
static char *describe_kill(const struct scheduler_unit *unit, const char *how)
{
	char used[FORMAT_MAX], limit[FORMAT_MAX];
	_cleanup_free_ char *room = NULL;

	if (unit->limit > 0 && memory_limit_hits(unit->kills_file) > unit->limit_hits)
		return xasprintf("%s by the kernel, because it needed more memory than the %s "
				 "of its unit %s (scheduler_memory_max)",
			how, format_bytes(unit->limit, limit),
			cgroup_unit_name(unit->directory));
	if (unit->use.used == 0)
		return xasprintf("%s by the kernel, because memory was full", how);
	room = memory_room_text(&unit->use);
	return xasprintf(
		"%s by the kernel, because memory was full: shortly before, it used %s, "
		"and %s was left",
		how, format_bytes(unit->use.used, used), room);
}

char *scheduler_unit_end(struct scheduler_unit *unit, int status, bool *ret_for_memory)
{
	char how[CHILD_STATUS_MAX];
	int left = unit->directory ? cgroup_kill(unit->directory) : 0;

	if (left > 0)
		log_info("scheduler: killed %d process%s that it has left in %s", left,
			left == 1 ? "" : "es", cgroup_unit_name(unit->directory));
	child_format_status(status, how);
	*ret_for_memory = memory_kills(unit->kills_file) > unit->kills;
	return *ret_for_memory
		? describe_kill(unit, status == CHILD_STATUS_UNKNOWN ? "was ended" : how)
		: xstrdup(how);
}

void scheduler_unit_finish(struct scheduler_unit *unit)
{
	free(unit->directory);
	free(unit->kills_file);
	*unit = (struct scheduler_unit){0};
}
