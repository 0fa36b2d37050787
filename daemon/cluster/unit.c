/* unit.c: the systemd unit of the Dask scheduler, and the limits that it should have. Part of the
 * cluster.
 *
 * A limit that is set and does not hold is worse than none, so the user is told. Whether it holds
 * is read from the cgroup: the manager takes limits of resources, too, that it has no control of.
 */
#include "daemon/cluster/unit.h"

#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/cluster/model.h"
#include "daemon/dask/scheduler.h"
#include "daemon/io/cgroup.h"
#include "daemon/io/history.h"

static const struct {
	enum setting_id setting;
	const char *file; /* of the cgroup, where its controller is at work */
} limits[] = {
	{SETTING_SCHEDULER_MEMORY_MAX, "memory.max"},
	{SETTING_SCHEDULER_MEMORY_HIGH, "memory.high"},
	{SETTING_SCHEDULER_CPU_WEIGHT, "cpu.weight"},
	{SETTING_SCHEDULER_TASKS_MAX, "pids.max"},
};

static bool is_held(const char *directory, const char *file)
{
	_cleanup_free_ char *path = directory ? xasprintf("%s/%s", directory, file) : NULL;

	return path && access(path, F_OK) == 0;
}

/* The names of the limits that are set and do not hold. */
static void find_loose(const struct cluster *cluster, struct strv *ret)
{
	const struct settings *settings = &cluster->request.settings;
	const char *directory = scheduler_unit_directory(cluster->scheduler);

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (*(const int64_t *)settings_member(settings, limits[i].setting) > 0 &&
			!is_held(directory, limits[i].file))
			strv_add(ret, settings_table[limits[i].setting].name);
}

/* The caller frees. */
static char *describe(const struct cluster *cluster, const struct strv *loose)
{
	const char *directory = scheduler_unit_directory(cluster->scheduler);
	_cleanup_free_ char *names = strv_join(loose, ", ");
	const char *verb = loose->count == 1 ? "does" : "do";

	if (directory)
		return xasprintf("%s %s not hold: systemd's user manager has no control of "
				 "that here (it needs cgroup v2, and the delegation by the "
				 "administrators of this host)",
			names, verb);
	if (cluster->unit.why)
		return xasprintf("%s %s not hold: the Dask scheduler got no unit of its own "
				 "from systemd's user manager: %s",
			names, verb, cluster->unit.why);
	return xasprintf("%s %s not hold: this dracod is no service of systemd's user manager "
			 "(systemctl --user start dracod@%s)",
		names, verb, cluster->name);
}

void cluster_check_unit(struct cluster *cluster)
{
	_cleanup_free_ char *text = NULL;
	struct strv loose = STRV_INIT;

	if (scheduler_state(cluster->scheduler) != SCHEDULER_UP)
		return;
	find_loose(cluster, &loose);
	if (loose.count > 0)
		text = describe(cluster, &loose);
	strv_finish(&loose);
	if (!text)
		cluster_withdraw(cluster, NOTICE_UNIT, NULL);
	else if (cluster_tell(cluster, NOTICE_UNIT, NULL, "%s", text))
		history_failure("scheduler", NULL, NULL, "%s", text);
}

void cluster_unit_settled(struct cluster *cluster, const char *why)
{
	xreplace(&cluster->unit.why, why);
	if (why)
		history_note(EVENT_NOTE, "scheduler", NULL,
			"has no unit of its own, and stays in that of dracod: %s", why);
	scheduler_look(cluster->scheduler);
	cluster_wake(cluster, 0);
}

void cluster_unit_finish(struct cluster *cluster)
{
	cluster_withdraw(cluster, NOTICE_UNIT, NULL);
	xreplace(&cluster->unit.why, NULL);
}
