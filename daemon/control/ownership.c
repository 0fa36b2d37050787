/* ownership.c: notices when this process is no longer the dracod of its name.
 *
 * It checks the lock and daemon.json when inotify reports a change. It also checks them from time
 * to time, because inotify does not report changes by other hosts. A loss counts only when a second
 * check confirms it. */
#include "daemon/control/ownership.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/log.h"
#include "common/paths.h"
#include "daemon/io/instance.h"
#include "daemon/io/loop.h"
#include "daemon/io/watchdir.h"

#define CHECK_MS  10000
#define SETTLE_MS 500
#define AGAIN_MS  1000

struct ownership {
	struct tenure *tenure;
	struct watchdir *watch;
	struct loop_timer *check, *settled;
	bool doubtful; /* the last check found it lost */
	ownership_lost_fn fn;
	void *arg;
};

static void on_check(void *arg)
{
	struct ownership *ownership = arg;
	struct err err = ERR_INIT;
	int r = instance_check(ownership->tenure, &err);

	loop_timer_stop(ownership->settled);
	if (r == -ESTALE && ownership->doubtful) {
		loop_timer_stop(ownership->check);
		watchdir_clear(ownership->watch);
		ownership->fn(ownership->arg, err.text);
		return;
	}
	if (r == -ESTALE)
		log_warning("%s", err.text);
	ownership->doubtful = r == -ESTALE;
	loop_timer_start(ownership->check, ownership->doubtful ? AGAIN_MS : CHECK_MS);
}

static void on_change(void *arg)
{
	struct ownership *ownership = arg;

	if (!loop_timer_is_running(ownership->settled) && !ownership->doubtful)
		loop_timer_start(ownership->settled, SETTLE_MS);
}

struct ownership *ownership_create(struct loop *loop, struct tenure *tenure,
	const struct paths *paths, ownership_lost_fn fn, void *arg)
{
	struct ownership *ownership = xcalloc(1, sizeof(*ownership));

	ownership->tenure = tenure;
	ownership->fn = fn;
	ownership->arg = arg;
	ownership->check = loop_timer_create(loop, on_check, ownership);
	ownership->settled = loop_timer_create(loop, on_check, ownership);
	ownership->watch = watchdir_create(loop, on_change, ownership);
	watchdir_add(ownership->watch, paths->state_dir, WATCHDIR_ENTRIES);
	loop_timer_start(ownership->check, CHECK_MS);
	return ownership;
}

struct ownership *ownership_destroy(struct ownership *ownership)
{
	if (!ownership)
		return NULL;
	watchdir_destroy(ownership->watch);
	loop_timer_destroy(ownership->check);
	loop_timer_destroy(ownership->settled);
	free(ownership);
	return NULL;
}
