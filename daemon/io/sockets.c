/* sockets.c: the directory of dracod's sockets, and the watch over them.
 *
 * inotify reports at once when something is missing. A slow timer notices changes without an event,
 * such as a file system that is mounted over the directory. Missing sockets are made again in the
 * old directory if that works, otherwise in the next one. Connected clients do not notice. */
#include "daemon/io/sockets.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/log.h"
#include "common/paths.h"
#include "common/runtime_dir.h"
#include "common/sock.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/io/watchdir.h"

#define CHECK_MS   30000
#define SETTLE_MS  200	 /* let a removal of the directory finish first ... */
#define SETTLE_MAX 12800 /* ... and wait longer each time if removals are repeated */
#define CALM_MS	   60000
#define AGAIN_MS   1000

struct sockets {
	struct loop *loop;
	struct paths *paths;
	struct runtime_dir directory;
	struct watchdir *watch;
	struct loop_timer *check, *settled;
	int64_t settle_ms, made_ms; /* of the last repair */
	bool missing;		    /* the log says that they are missing */
	const struct sockets_ops *ops;
	void *arg;
};

static void on_change(void *arg)
{
	struct sockets *sockets = arg;

	if (!loop_timer_is_running(sockets->settled))
		loop_timer_start(sockets->settled, sockets->settle_ms);
}

static void watch_directories(struct sockets *sockets)
{
	_cleanup_free_ char *parent = xstrdup(sockets->directory.base);

	*strrchr(parent, '/') = '\0';
	watchdir_clear(sockets->watch);
	watchdir_add(sockets->watch, sockets->paths->runtime_dir, WATCHDIR_ENTRIES);
	watchdir_add(sockets->watch, sockets->directory.base, WATCHDIR_ENTRIES);
	if (*parent) /* the parent may be /tmp, whose entries often change */
		watchdir_add(sockets->watch, parent, WATCHDIR_SELF);
	if (!sockets->ops->are_there(sockets->arg))
		/* They were removed before the watch began. */
		on_change(sockets);
}

/* Make the sockets again in the present directory. */
static int make_again(struct sockets *sockets, struct err *err)
{
	int r = runtime_dir_make(sockets->directory.base, sockets->paths->name, err);

	return r < 0 ? r : sockets->ops->listen(sockets->arg, err);
}

static int make_elsewhere(struct sockets *sockets, struct err *err)
{
	struct runtime_dir directory;
	int r = runtime_dir_choose(
		sockets->paths->name, sockets->paths->control_socket, &directory, err);

	if (r < 0)
		return r;
	runtime_dir_finish(&sockets->directory);
	sockets->directory = directory;
	paths_set_runtime(sockets->paths, directory.base);
	return sockets->ops->listen(sockets->arg, err);
}

static void settle_longer(struct sockets *sockets)
{
	int64_t now = loop_now_ms();

	if (now - sockets->made_ms > CALM_MS)
		sockets->settle_ms = SETTLE_MS;
	else if (sockets->settle_ms < SETTLE_MAX)
		sockets->settle_ms *= 2;
	sockets->made_ms = now;
}

static void make(struct sockets *sockets)
{
	_cleanup_free_ char *before = xstrdup(sockets->paths->runtime_dir);
	struct err err = ERR_INIT, why = ERR_INIT;

	settle_longer(sockets);
	if (make_again(sockets, &why) < 0 && make_elsewhere(sockets, &err) < 0) {
		if (!sockets->missing)
			history_note(EVENT_FAILURE, "dracod", NULL,
				"its sockets in %s were removed, and cannot be recreated: %s",
				before, err.text);
		sockets->missing = true;
		loop_timer_start(sockets->check, AGAIN_MS);
		return;
	}
	sockets->missing = false;
	if (strcmp(before, sockets->paths->runtime_dir) == 0)
		history_note(EVENT_NOTE, "dracod", NULL,
			"its sockets in %s were removed: recreated", before);
	else
		history_note(EVENT_NOTE, "dracod", NULL,
			"its sockets in %s were removed: recreated in %s, because %s", before,
			sockets->paths->runtime_dir, why.text);
	watch_directories(sockets);
	sockets->ops->well(sockets->arg, true);
}

static void on_check(void *arg)
{
	struct sockets *sockets = arg;

	loop_timer_stop(sockets->settled);
	loop_timer_start(sockets->check, CHECK_MS);
	if (sockets->ops->are_there(sockets->arg))
		sockets->ops->well(sockets->arg, false);
	else
		make(sockets);
}

struct sockets *sockets_create(struct loop *loop, struct paths *paths, const char *former,
	const struct sockets_ops *ops, void *arg, struct err *err)
{
	struct sockets *sockets = xcalloc(1, sizeof(*sockets));

	sockets->loop = loop;
	sockets->paths = paths;
	sockets->ops = ops;
	sockets->arg = arg;
	sockets->settle_ms = SETTLE_MS;
	sockets->made_ms = INT64_MIN / 2;
	if (runtime_dir_choose(paths->name, former, &sockets->directory, err) < 0) {
		free(sockets);
		return NULL;
	}
	paths_set_runtime(paths, sockets->directory.base);
	if (*sockets->directory.why)
		log_info("sockets: in %s, because %s", paths->runtime_dir,
			sockets->directory.why);
	else
		log_info("sockets: in %s", paths->runtime_dir);
	sockets->watch = watchdir_create(loop, on_change, sockets);
	sockets->check = loop_timer_create(loop, on_check, sockets);
	sockets->settled = loop_timer_create(loop, on_check, sockets);
	return sockets;
}

void sockets_watch(struct sockets *sockets)
{
	watch_directories(sockets);
	loop_timer_start(sockets->check, CHECK_MS);
}

struct sockets *sockets_destroy(struct sockets *sockets)
{
	if (!sockets)
		return NULL;
	watchdir_destroy(sockets->watch);
	loop_timer_destroy(sockets->check);
	loop_timer_destroy(sockets->settled);
	runtime_dir_remove(&sockets->directory, sockets->paths->name);
	runtime_dir_finish(&sockets->directory);
	free(sockets);
	return NULL;
}
