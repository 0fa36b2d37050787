/* listener.c: a Unix socket that this user's programs connect to. */
#include "daemon/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/log.h"
#include "common/paths.h"
#include "common/sock.h"
#include "daemon/loop.h"

#define CHECK_INTERVAL_MS 30000

struct listener {
	struct loop *loop;
	char *path;
	int fd;
	struct stat made; /* the socket in the file system */
	struct loop_watch *watch;
	struct loop_timer *check;
	listener_fn fn;
	void *arg;
};

static void on_connect(void *arg)
{
	struct listener *listener = arg;
	_cleanup_close_ int fd =
		accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	uid_t uid;
	pid_t pid;

	if (fd < 0) {
		/* Without descriptors the listening socket stays readable: rest until the next
		 * check instead of spinning. */
		if (errno == EMFILE || errno == ENFILE) {
			log_error(
				"%s: no more connections: %s", listener->path, strerror(errno));
			listener->watch = loop_watch_destroy(listener->watch);
			loop_timer_start(listener->check, 1000);
		}
		return;
	}
	if (sock_peer(fd, &uid, &pid) < 0 || (uid != geteuid() && uid != 0)) {
		log_warning("%s: turned away a program of another user", listener->path);
		return;
	}
	listener->fn(listener->arg, TAKE_FD(fd), pid);
}

static int open_socket(struct listener *listener, struct err *err)
{
	int fd = sock_listen(listener->path, err);

	if (fd < 0)
		return fd;
	if (lstat(listener->path, &listener->made) < 0)
		listener->made = (struct stat){0};
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = fd;
	loop_watch_destroy(listener->watch);
	listener->watch = loop_watch_create(listener->loop, fd, on_connect, listener);
	return 0;
}

static void on_check(void *arg)
{
	struct listener *listener = arg;
	_cleanup_free_ char *directory = xstrdup(listener->path);
	struct err err = ERR_INIT;
	struct stat now;

	loop_timer_start(listener->check, CHECK_INTERVAL_MS);
	if (!listener->watch)
		listener->watch =
			loop_watch_create(listener->loop, listener->fd, on_connect, listener);
	if (lstat(listener->path, &now) == 0)
		return;
	*strrchr(directory, '/') = '\0';
	if (paths_make_directories(directory, 0700, &err) < 0 ||
		open_socket(listener, &err) < 0)
		log_debug("%s: is gone and cannot be made again: %s", listener->path, err.text);
	else
		log_warning("%s: was removed; made it again", listener->path);
}

struct listener *listener_create(
	struct loop *loop, const char *path, listener_fn fn, void *arg, struct err *err)
{
	struct listener *listener = xcalloc(1, sizeof(*listener));

	listener->loop = loop;
	listener->path = xstrdup(path);
	listener->fd = -1;
	listener->fn = fn;
	listener->arg = arg;
	listener->check = loop_timer_create(loop, on_check, listener);
	if (open_socket(listener, err) < 0)
		return listener_destroy(listener);
	loop_timer_start(listener->check, CHECK_INTERVAL_MS);
	return listener;
}

struct listener *listener_destroy(struct listener *listener)
{
	struct stat now;

	if (!listener)
		return NULL;
	loop_watch_destroy(listener->watch);
	loop_timer_destroy(listener->check);
	if (listener->fd >= 0) {
		if (lstat(listener->path, &now) == 0 && now.st_ino == listener->made.st_ino &&
			now.st_dev == listener->made.st_dev)
			unlink(listener->path);
		close(listener->fd);
	}
	free(listener->path);
	free(listener);
	return NULL;
}
