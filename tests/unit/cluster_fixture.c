/* cluster_fixture.c: a cluster of which only the jobs are there. */
#include "cluster_fixture.h"

#include "daemon/cluster/failure.h"
#include "daemon/cluster/size.h"
#include "daemon/io/loop.h"
#include "unit.h"

struct cluster cluster;

static void on_changed(void *arg)
{
	(void)arg;
}

static void on_reconcile(void *arg)
{
	(void)arg;
}

void cluster_setup(void)
{
	static const struct cluster_ops ops = {.changed = on_changed};
	struct err err = ERR_INIT;

	jobs_setup();
	cluster = (struct cluster){.name = "default",
		.state = CLUSTER_RUNNING,
		.wanted = true,
		.jobs = jobs,
		.loop = loop_create(&err),
		.ops = &ops};
	ck_assert_ptr_nonnull(cluster.loop);
	cluster.reconcile = loop_timer_create(cluster.loop, on_reconcile, NULL);
	settings_init(&cluster.request.settings);
}

void cluster_teardown(void)
{
	cluster_failure_clear(&cluster);
	bad_nodes_clear(&cluster.nodes);
	cluster_size_finish(&cluster);
	settings_finish(&cluster.request.settings);
	notices_finish(&cluster.notices);
	loop_timer_destroy(cluster.reconcile);
	loop_destroy(cluster.loop);
	jobs_teardown();
}

int64_t planned_by(void (*step)(struct cluster *cluster))
{
	loop_timer_stop(cluster.reconcile);
	step(&cluster);
	return loop_timer_is_running(cluster.reconcile) ? cluster.wake_ms : INT64_MAX;
}
