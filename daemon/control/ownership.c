/* ownership.c: notices when this process is no longer the dracod of its name.
 *
 * It checks the lock and daemon.json when inotify reports a change. It also checks them from time
 * to time, because inotify does not report changes by other hosts. A loss counts only when a second
 * check confirms it, and a lock that is missing only when it does not come back. */
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
#include "daemon/io/writer.h"

#define CHECK_MS  10000
#define SETTLE_MS 500
#define AGAIN_MS  1000

/* A look at the files, by a thread. */
struct look {
	struct instance_look *at;
	struct ownership *ownership; /* NULL: it is gone */
};

struct ownership {
	struct tenure *tenure;
	struct look *look; /* NULL: none is under way */
	struct watchdir *watch;
	struct loop_timer *check, *settled;
	bool doubtful;	     /* the last check found it lost, or the lock missing */
	int64_t patience_ms; /* for which the lock may be missing */
	int64_t missing_ms;  /* loop time since which it is; 0: it is not */
	ownership_lost_fn fn;
	void *arg;
};

/* The lock is missing. Is it missing for too long? */
static bool is_overdue(struct ownership *ownership)
{
	if (!ownership->missing_ms)
		ownership->missing_ms = loop_now_ms();
	return loop_now_ms() - ownership->missing_ms >= ownership->patience_ms;
}

static void judge(struct ownership *ownership, const struct instance_look *look)
{
	struct err err = ERR_INIT;
	int r = instance_judge(ownership->tenure, look, &err);

	loop_timer_stop(ownership->settled);
	r = r == -ENOENT && is_overdue(ownership) ? -ESTALE : r;
	if (r == 0 || r == -ESTALE)
		ownership->missing_ms = 0;
	if (r == -ESTALE && ownership->doubtful) {
		loop_timer_stop(ownership->check);
		watchdir_clear(ownership->watch);
		ownership->fn(ownership->arg, err.text);
		return;
	}
	if ((r == -ESTALE || r == -ENOENT) && !ownership->doubtful)
		log_warning("%s", err.text);
	ownership->doubtful = r == -ESTALE || r == -ENOENT;
	loop_timer_start(ownership->check, ownership->doubtful ? AGAIN_MS : CHECK_MS);
}

static void do_look(void *arg)
{
	struct look *look = arg;

	instance_look(look->at);
}

static void on_looked(void *arg)
{
	struct look *look = arg;

	if (look->ownership) {
		look->ownership->look = NULL;
		judge(look->ownership, look->at);
	}
	instance_look_destroy(look->at);
	free(look);
}

static void on_check(void *arg)
{
	struct ownership *ownership = arg;

	loop_timer_stop(ownership->settled);
	if (ownership->look) /* the file system is slow */
		return;
	ownership->look = xcalloc(1, sizeof(*ownership->look));
	ownership->look->at = instance_look_create(ownership->tenure);
	ownership->look->ownership = ownership;
	writer_run(WRITER_LOOK, do_look, on_looked, ownership->look);
}

static void on_change(void *arg)
{
	struct ownership *ownership = arg;

	if (!loop_timer_is_running(ownership->settled) && !ownership->doubtful)
		loop_timer_start(ownership->settled, SETTLE_MS);
}

struct ownership *ownership_create(struct loop *loop, struct tenure *tenure,
	const struct paths *paths, int64_t patience_ms, ownership_lost_fn fn, void *arg)
{
	struct ownership *ownership = xcalloc(1, sizeof(*ownership));

	ownership->tenure = tenure;
	ownership->patience_ms = patience_ms;
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
	if (ownership->look)
		ownership->look->ownership = NULL;
	watchdir_destroy(ownership->watch);
	loop_timer_destroy(ownership->check);
	loop_timer_destroy(ownership->settled);
	free(ownership);
	return NULL;
}
