/* holder.c: judges from the lock and daemon.json whether the dracod of a state directory lives.
 *
 * A held lock always means that it lives. A free lock proves its end only to a host that would see
 * the lock held: to the dracod's own host, and to other hosts if the locks of the file system are
 * visible to all. Both hosts must have the file system mounted that way, so daemon.json records how
 * the dracod's host has it ("locks"). Otherwise a person decides, by "dracoctl takeover".
 * _holder.py has the same rules. */
#include "common/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/host.h"
#include "common/json.h"

bool holder_is_here(const json_t *daemon, const struct host *here)
{
	return strcmp(json_get_text(daemon, "host", here->name), here->name) == 0;
}

bool holder_is_taken_over(const json_t *daemon)
{
	return json_is_string(json_object_get(daemon, "taken_over_by"));
}

enum holder_state holder_judge(const json_t *daemon, const struct host *here,
	enum holder_lock lock, enum lock_scope scope)
{
	const char *boot = json_get_text(daemon, "boot", "");
	int pid = (int)json_get_integer(daemon, "pid", 0);
	enum lock_scope theirs = lock_scope_find(
		json_get_text(daemon, "locks", lock_scope_name(LOCK_SCOPE_ALL)));

	if (lock == HOLDER_LOCK_HELD)
		return HOLDER_ALIVE;
	if (!daemon || holder_is_taken_over(daemon))
		return HOLDER_NONE;
	if (holder_is_here(daemon, here)) {
		if (lock == HOLDER_LOCK_SILENT && host_runs_process(here, boot, pid))
			return HOLDER_ALIVE;
		return HOLDER_ENDED;
	}
	if (lock == HOLDER_LOCK_FREE && scope == LOCK_SCOPE_ALL && theirs == LOCK_SCOPE_ALL)
		return HOLDER_ENDED;
	return HOLDER_UNKNOWN;
}

static enum holder_lock ask(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return HOLDER_LOCK_SILENT;
	return lock.l_type == F_UNLCK ? HOLDER_LOCK_FREE : HOLDER_LOCK_HELD;
}

void holder_look(const char *lock_file, const json_t *daemon, struct holder *ret)
{
	_cleanup_close_ int fd = open(lock_file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	enum holder_lock lock = errno == ENOENT ? HOLDER_LOCK_FREE : HOLDER_LOCK_SILENT;
	enum lock_scope scope = LOCK_SCOPE_UNKNOWN;
	struct host here;

	host_get(&here);
	strcpy(ret->file_system, "?");
	if (fd >= 0) {
		lock = ask(fd);
		scope = lock_scope_of(fd, ret->file_system);
	}
	ret->state = holder_judge(daemon, &here, lock, scope);
	ret->here = holder_is_here(daemon, &here);
}

char *holder_ended_text(const json_t *daemon)
{
	return xasprintf("dracod ran on host %s (process %d) and ended without cleaning up",
		json_get_text(daemon, "host", "?"), (int)json_get_integer(daemon, "pid", 0));
}
