/* remote.c: a TCP port for this user's programs on other hosts. Everyone in the network can reach
 * it. admission.c limits the work for it, and strangers.c holds connections that have not shown the
 * certificate yet. */
#include "daemon/io/remote.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/knock.h"
#include "common/log.h"
#include "common/port.h"
#include "common/secure.h"
#include "common/tcp.h"
#include "daemon/io/loop.h"
#include "daemon/io/strangers.h"
#include "daemon/policy/admission.h"

#define PORT_TRIES	   8
#define ACCEPT_MAX	   64 /* connections in one turn of the loop */
#define NO_DESCRIPTORS_MS  1000
#define SILENT_IN_KERNEL_S 1

struct remote {
	struct loop *loop;
	struct secure *secure;
	int fd, port;
	struct loop_watch *watch; /* NULL: it accepts nothing for a while */
	struct loop_timer *rest;
	struct admission admission;
	struct strangers *strangers;
};

static int64_t cpu_us(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

static void rest(struct remote *remote, int64_t ms)
{
	remote->watch = loop_watch_destroy(remote->watch);
	loop_timer_start(remote->rest, ms);
}

/* Accept one connection. 0, or -errno; -EAGAIN: none waits. */
static int accept_one(struct remote *remote)
{
	struct sockaddr_in peer = {0};
	socklen_t length = sizeof(peer);
	int fd = accept4(
		remote->fd, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) /* a peer that has left already is no reason to stop */
		return errno == ECONNABORTED || errno == EINTR ? 0 : -errno;
	strangers_take(remote->strangers, fd, &peer);
	return 0;
}

static void on_connect(void *arg)
{
	struct remote *remote = arg;
	int64_t begin_us = cpu_us(), rest_ms;
	int r = 0;

	for (int i = 0; i < ACCEPT_MAX && r == 0; i++)
		r = accept_one(remote);
	admission_worked(&remote->admission, loop_now_ms(), cpu_us() - begin_us);
	rest_ms = admission_rest_ms(&remote->admission, loop_now_ms());
	if (r < 0 && r != -EAGAIN) {
		/* For example without free descriptors: the port stays readable, and the loop would
		 * spin. */
		strangers_forget_silent(remote->strangers);
		rest_ms = NO_DESCRIPTORS_MS;
	}
	if (rest_ms > 0)
		rest(remote, rest_ms);
}

static void watch(void *arg)
{
	struct remote *remote = arg;

	remote->watch = loop_watch_create(remote->loop, remote->fd, on_connect, remote);
	loop_watch_set_last(remote->watch);
}

/* Let the kernel hold connections until data arrive. A TLS client sends at once, so a silent peer
 * costs nothing at first. */
static void defer_silent(int fd)
{
	static const int seconds = SILENT_IN_KERNEL_S;

	setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds));
}

static int choose_port(const struct remote_place *place, struct err *err)
{
	int port;

	if (!place->first)
		return port_choose(place->address, err);
	if (place->first == place->last)
		return place->first;
	port = port_choose_in(place->address, place->first, place->last, place->name, err);
	if (port != place->not_port)
		return port;
	return port < place->last
		? port_choose_in(place->address, port + 1, place->last, place->name, err)
		: port_choose_in(place->address, place->first, port - 1, place->name, err);
}

/* Another program may take the port between the search and its use. */
static int open_port(struct remote *remote, const struct remote_place *place, struct err *err)
{
	int r = -EADDRINUSE;

	for (int i = 0; i < PORT_TRIES && r == -EADDRINUSE; i++) {
		remote->port = choose_port(place, err);
		if (remote->port < 0)
			return remote->port;
		if (remote->port == place->not_port)
			r = err_set(err, -EADDRINUSE,
				"cannot listen at %s, port %d: it is for another server",
				place->address, place->not_port);
		else
			r = tcp_listen(place->address, remote->port, err);
		if (place->first && place->first == place->last)
			break;
	}
	return r;
}

struct remote *remote_create(struct loop *loop, const struct remote_place *place, remote_fn fn,
	void *arg, struct err *err)
{
	struct remote *remote = xcalloc(1, sizeof(*remote));
	struct knock_key knock;

	remote->loop = loop;
	remote->fd = -1;
	remote->secure = secure_create(SECURE_SERVER, place->certificate, place->key, err);
	if (!remote->secure || knock_key_read(place->key, &knock, err) < 0)
		return remote_destroy(remote);
	remote->fd = open_port(remote, place, err);
	if (remote->fd < 0)
		return remote_destroy(remote);
	defer_silent(remote->fd);
	admission_init(&remote->admission, loop_now_ms());
	remote->strangers =
		strangers_create(loop, &remote->admission, remote->secure, &knock, fn, arg);
	remote->rest = loop_timer_create(loop, watch, remote);
	watch(remote);
	return remote;
}

int remote_port(const struct remote *remote)
{
	return remote->port;
}

struct remote *remote_destroy(struct remote *remote)
{
	if (!remote)
		return NULL;
	strangers_destroy(remote->strangers);
	loop_watch_destroy(remote->watch);
	loop_timer_destroy(remote->rest);
	if (remote->fd >= 0)
		close(remote->fd);
	secure_destroy(remote->secure);
	free(remote);
	return NULL;
}
