/* listener.c: a Unix socket for this user's programs. */
#include "daemon/io/listener.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/log.h"
#include "common/sock.h"
#include "daemon/io/loop.h"

#define REST_MS 1000

struct listener {
	struct loop *loop;
	char *path;
	int fd;
	struct stat made; /* the socket in the file system */
	struct loop_watch *watch;
	struct loop_timer *rested;
	listener_fn fn;
	void *arg;
};

static void rest(struct listener *listener);

/* Accept one connection. Returns whether there was one. */
static bool take_one(struct listener *listener)
{
	_cleanup_close_ int fd =
		accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	uid_t uid;
	pid_t pid;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			rest(listener);
		return false;
	}
	if (sock_peer(fd, &uid, &pid) < 0 || (uid != geteuid() && uid != 0))
		log_warning("%s: rejected a program of another user", listener->path);
	else
		listener->fn(listener->arg, TAKE_FD(fd), pid);
	return true;
}

static void on_connect(void *arg)
{
	take_one(arg);
}

static void on_rested(void *arg)
{
	struct listener *listener = arg;

	listener->watch = loop_watch_create(listener->loop, listener->fd, on_connect, listener);
}

/* Without free descriptors the listening socket stays readable. Wait a little instead of
 * spinning. */
static void rest(struct listener *listener)
{
	log_error("%s: no more connections: %s", listener->path, strerror(errno));
	listener->watch = loop_watch_destroy(listener->watch);
	loop_timer_start(listener->rested, REST_MS);
}

static int open_socket(struct listener *listener, const char *path, struct err *err)
{
	int fd = sock_listen(path, err);

	if (fd < 0)
		return fd;
	if (lstat(path, &listener->made) < 0)
		listener->made = (struct stat){0};
	if (listener->fd >= 0) {
		while (take_one(listener))
			;
		close(listener->fd);
	}
	listener->fd = fd;
	xreplace(&listener->path, path);
	loop_timer_stop(listener->rested);
	loop_watch_destroy(listener->watch);
	listener->watch = loop_watch_create(listener->loop, fd, on_connect, listener);
	return 0;
}

int listener_move(struct listener *listener, const char *path, struct err *err)
{
	if (strcmp(path, listener->path) == 0 && listener_is_there(listener))
		return 0;
	return open_socket(listener, path, err);
}

bool listener_is_there(const struct listener *listener)
{
	struct stat now;

	return lstat(listener->path, &now) == 0 && now.st_ino == listener->made.st_ino &&
		now.st_dev == listener->made.st_dev;
}

struct listener *listener_create(
	struct loop *loop, const char *path, listener_fn fn, void *arg, struct err *err)
{
	struct listener *listener = xcalloc(1, sizeof(*listener));

	listener->loop = loop;
	listener->fd = -1;
	listener->fn = fn;
	listener->arg = arg;
	listener->rested = loop_timer_create(loop, on_rested, listener);
	if (open_socket(listener, path, err) < 0)
		return listener_destroy(listener);
	return listener;
}

struct listener *listener_adopt(struct loop *loop, int fd, listener_fn fn, void *arg)
{
	struct listener *listener = xcalloc(1, sizeof(*listener));

	listener->loop = loop;
	listener->fd = fd;
	listener->fn = fn;
	listener->arg = arg;
	listener->path = xstrdup("the socket of systemd");
	listener->rested = loop_timer_create(loop, on_rested, listener);
	listener->watch = loop_watch_create(loop, fd, on_connect, listener);
	return listener;
}

struct listener *listener_destroy(struct listener *listener)
{
	if (!listener)
		return NULL;
	loop_watch_destroy(listener->watch);
	loop_timer_destroy(listener->rested);
	if (listener->fd >= 0) {
		if (listener_is_there(listener))
			unlink(listener->path);
		close(listener->fd);
	}
	free(listener->path);
	free(listener);
	return NULL;
}
