/* watchdir.c: reports when directories, or entries of them, are removed or replaced (inotify). */
#include "daemon/io/watchdir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/log.h"

/* IN_UNMOUNT is always reported. */
#define SELF	(IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define ENTRIES (SELF | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)

struct watchdir {
	struct loop *loop;
	int fd; /* -1: the directory does not exist */
	struct loop_watch *readable;
	loop_fn fn;
	void *arg;
};

static void on_readable(void *arg)
{
	struct watchdir *watch = arg;
	char events[4096];
	ssize_t n;

	do
		n = read(watch->fd, events, sizeof(events));
	while (n > 0);
	watch->fn(watch->arg);
}

static void end(struct watchdir *watch)
{
	watch->readable = loop_watch_destroy(watch->readable);
	if (watch->fd >= 0)
		close(watch->fd);
	watch->fd = -1;
}

void watchdir_clear(struct watchdir *watch)
{
	end(watch);
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->fd >= 0)
		watch->readable = loop_watch_create(watch->loop, watch->fd, on_readable, watch);
	else
		log_debug("no inotify: %s", strerror(errno));
}

struct watchdir *watchdir_create(struct loop *loop, loop_fn fn, void *arg)
{
	struct watchdir *watch = xcalloc(1, sizeof(*watch));

	watch->loop = loop;
	watch->fd = -1;
	watch->fn = fn;
	watch->arg = arg;
	watchdir_clear(watch);
	return watch;
}

struct watchdir *watchdir_destroy(struct watchdir *watch)
{
	if (watch)
		end(watch);
	free(watch);
	return NULL;
}

void watchdir_add(struct watchdir *watch, const char *path, enum watchdir_what what)
{
	if (watch->fd >= 0 &&
		inotify_add_watch(watch->fd, path, what == WATCHDIR_SELF ? SELF : ENTRIES) < 0)
		log_debug("cannot watch %s: %s", path, strerror(errno));
}
