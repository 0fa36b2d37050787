/* watchdir.h: tells when something goes, or is replaced, in some directories (inotify). */
#ifndef DRACO_DAEMON_IO_WATCHDIR_H
#define DRACO_DAEMON_IO_WATCHDIR_H

#include "daemon/io/loop.h"

struct watchdir;

enum watchdir_what {
	WATCHDIR_SELF,	  /* the directory itself is removed, moved or unmounted */
	WATCHDIR_ENTRIES, /* and: an entry of it is removed or replaced */
};

/* fn is called for whatever happens, often more than once. It is only a hint: file systems that
 * other hosts change do not tell, and where the kernel has no inotify left, nothing does. */
struct watchdir *watchdir_create(struct loop *loop, loop_fn fn, void *arg);
struct watchdir *watchdir_destroy(struct watchdir *watch);

/* Watch no directory any more; then one more. One that is not there is passed over. */
void watchdir_clear(struct watchdir *watch);
void watchdir_add(struct watchdir *watch, const char *path, enum watchdir_what what);

#endif
