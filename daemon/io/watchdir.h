/* watchdir.h: reports when directories, or entries of them, are removed or replaced (inotify). */
#ifndef DRACO_DAEMON_IO_WATCHDIR_H
#define DRACO_DAEMON_IO_WATCHDIR_H

#include "daemon/io/loop.h"

struct watchdir;

enum watchdir_what {
	WATCHDIR_SELF,	  /* the directory itself is removed, moved or unmounted */
	WATCHDIR_ENTRIES, /* the same, or an entry of it is removed or replaced */
};

/* fn is called after a change, often more than once. It is only a hint: inotify reports no changes
 * by other hosts, and nothing at all once the kernel's limit of watches is reached. */
struct watchdir *watchdir_create(struct loop *loop, loop_fn fn, void *arg);
struct watchdir *watchdir_destroy(struct watchdir *watch);

/* Stop watching all directories. And: watch one more; a directory that does not exist is
 * skipped. */
void watchdir_clear(struct watchdir *watch);
void watchdir_add(struct watchdir *watch, const char *path, enum watchdir_what what);

#endif
