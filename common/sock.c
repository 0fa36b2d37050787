/* sock.c: Unix stream sockets that only their owner can open. */
#include "common/sock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "common/err.h"

#define BACKLOG SOMAXCONN /* a burst of clients waits instead of being refused */

static int make_address(const char *path, struct sockaddr_un *ret, struct err *err)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(ret->sun_path))
		return err_set(err, -ENAMETOOLONG,
			"the socket path %s has %zu characters and only %zu are possible", path,
			strlen(path), sizeof(ret->sun_path) - 1);
	strcpy(ret->sun_path, path);
	return 0;
}

static int connect_as(const char *path, int type, struct err *err)
{
	_cleanup_close_ int fd = -1;
	struct sockaddr_un address;
	int r;

	r = make_address(path, &address, err);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_set(err, -errno, "cannot connect to %s: %s", path, strerror(errno));
	return TAKE_FD(fd);
}

int sock_connect(const char *path, struct err *err)
{
	return connect_as(path, SOCK_STREAM, err);
}

int sock_connect_packets(const char *path, struct err *err)
{
	return connect_as(path, SOCK_SEQPACKET | SOCK_NONBLOCK, err);
}

int sock_peer(int fd, uid_t *ret_uid, pid_t *ret_pid)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return -errno;
	*ret_uid = peer.uid;
	*ret_pid = peer.pid;
	return 0;
}

bool sock_is_served(const char *path)
{
	int fd = connect_as(path, SOCK_STREAM | SOCK_NONBLOCK, NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || fd == -EAGAIN;
}

/* Remove a socket that no process serves. -EADDRINUSE with err: a process serves it. */
static int clear_stale(const char *path, struct err *err)
{
	_cleanup_close_ int fd = -1;
	struct err ignored = ERR_INIT;
	struct stat st;
	uid_t uid;
	pid_t pid = 0;

	if (lstat(path, &st) < 0 && errno == ENOENT)
		return 0;
	fd = connect_as(path, SOCK_STREAM | SOCK_NONBLOCK, &ignored);
	if (fd >= 0 || fd == -EAGAIN) {
		if (fd >= 0)
			sock_peer(fd, &uid, &pid);
		return err_set(err, -EADDRINUSE,
			"the socket %s is served by process %d already", path, (int)pid);
	}
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(err, -errno, "cannot remove the old socket %s: %s", path,
			strerror(errno));
	return 0;
}

int sock_listen(const char *path, struct err *err)
{
	_cleanup_close_ int fd = -1;
	struct sockaddr_un address;
	mode_t mask;
	int r;

	r = make_address(path, &address, err);
	if (r == 0)
		r = clear_stale(path, err);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, -errno, "cannot make a socket: %s", strerror(errno));
	mask = umask(0177);
	r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(mask);
	if (r < 0 || listen(fd, BACKLOG) < 0)
		return err_set(err, r < 0 ? r : -errno, "cannot listen at %s: %s", path,
			strerror(r < 0 ? -r : errno));
	return TAKE_FD(fd);
}
