/* instance.c: one dracod for each name and home directory, on whichever host.
 *
 * The lock is an open file description lock, which works over NFS too. Where a file system has no
 * locks, what daemon.json says about host, boot and process decides. */
#include "daemon/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/host.h"
#include "common/json.h"
#include "common/log.h"
#include "common/paths.h"
#include "common/rendezvous.h"
#include "daemon/statefile.h"

static int taken(const struct paths *paths, const json_t *other, struct err *err)
{
	struct host here;
	int pid = (int)json_get_integer(other, "pid", 0);
	const char *host = json_get_text(other, "host", "?");

	host_get(&here);
	if (strcmp(host, here.name) == 0)
		return err_set(err, -EBUSY, "dracod \"%s\" runs already, as process %d",
			paths->name, pid);
	return err_set(err, -EBUSY,
		"dracod \"%s\" runs already, on host %s as process %d: use it there, or end it with "
		"ssh %s dracoctl --name %s shutdown",
		paths->name, host, pid, host, paths->name);
}

/* Without locks: is what daemon.json says still true? From another host nobody can tell. */
static bool may_be_alive(const json_t *other)
{
	struct host here;
	int pid = (int)json_get_integer(other, "pid", 0);

	host_get(&here);
	if (!other)
		return false;
	if (strcmp(json_get_text(other, "host", ""), here.name) != 0)
		return true;
	return host_runs_process(&here, json_get_text(other, "boot", ""), pid);
}

json_t *instance_describe(void)
{
	struct host here;

	host_get(&here);
	return json_pack("{s:i, s:s, s:s, s:s}", "pid", (int)getpid(), "host", here.name,
		"boot", here.boot, "version", PACKAGE_VERSION);
}

static int write_daemon_file(const struct paths *paths, struct err *err)
{
	json_t *object = instance_describe();

	json_object_set_new(object, "socket", json_text(paths->control_socket));
	json_object_set_new(object, "started", json_integer((json_int_t)time(NULL)));
	return statefile_write(paths->daemon_file, object, err);
}

int instance_acquire(const struct paths *paths, struct err *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	_cleanup_json_ json_t *other = NULL;
	_cleanup_close_ int fd = -1;
	struct err why = ERR_INIT;
	int r;

	fd = open(paths->lock_file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(
			err, -errno, "cannot open %s: %s", paths->lock_file, strerror(errno));
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
		int code = errno;

		if (rendezvous_daemon(paths, &other, &why) < 0 && why.code)
			log_warning("%s", why.text);
		if (code == EAGAIN || code == EACCES || may_be_alive(other))
			return taken(paths, other, err);
		log_warning("%s: no locks here (%s): nothing hinders a dracod on another host",
			paths->lock_file, strerror(code));
	}
	r = write_daemon_file(paths, err);
	if (r < 0)
		return r;
	return TAKE_FD(fd);
}

void instance_release(const struct paths *paths, int lock)
{
	unlink(paths->daemon_file);
	close(lock);
}
