/* remote.c: a TCP port at which programs of this user connect from other hosts. Everybody in the network
 * reaches it: until a connection has shown the certificate it gets little time, and few are kept. */
#include "daemon/remote.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/log.h"
#include "common/queue.h"
#include "common/secure.h"
#include "common/tcp.h"
#include "daemon/loop.h"
#include "daemon/port.h"

#define STRANGERS_MAX	 32
#define HANDSHAKE_MS	 10000
#define PORT_TRIES	 8
#define REST_MS		 1000
#define WARN_INTERVAL_MS 60000

/* Who has not shown the certificate yet. */
struct stranger {
	TAILQ_ENTRY(stranger) link; /* remote.strangers */
	struct remote *remote;
	struct bufferevent *connection;
	struct loop_timer *deadline;
	char peer[64];
};

struct remote {
	struct loop *loop;
	struct secure *secure;
	int fd, port;
	struct loop_watch *watch;
	struct loop_timer *rest;
	TAILQ_HEAD(, stranger) strangers;
	int count;
	int64_t refused; /* since the last warning */
	int64_t no_warning_before_ms;
	remote_fn fn;
	void *arg;
};

static void stranger_free(struct stranger *stranger)
{
	TAILQ_REMOVE(&stranger->remote->strangers, stranger, link);
	stranger->remote->count--;
	loop_timer_destroy(stranger->deadline);
	if (stranger->connection)
		bufferevent_free(stranger->connection);
	free(stranger);
}

/* The log shall not grow as fast as someone can connect. */
static void refuse(struct stranger *stranger, const char *why)
{
	struct remote *remote = stranger->remote;
	int64_t now = loop_now_ms();

	remote->refused++;
	if (now >= remote->no_warning_before_ms) {
		log_warning("remote: %s turned away: %s (%" PRId64 " since the last such line)",
			stranger->peer, why, remote->refused);
		remote->refused = 0;
		remote->no_warning_before_ms = now + WARN_INTERVAL_MS;
	}
	stranger_free(stranger);
}

static void on_deadline(void *arg)
{
	refuse(arg, "it has not shown the certificate within 10 s");
}

static void on_event(struct bufferevent *connection, short what, void *arg)
{
	struct stranger *stranger = arg;
	struct remote *remote = stranger->remote;
	unsigned long code = bufferevent_get_openssl_error(connection);

	if (what & BEV_EVENT_CONNECTED) {
		stranger->connection = NULL;
		remote->fn(remote->arg, connection, stranger->peer);
		stranger_free(stranger);
	} else {
		refuse(stranger, code ? secure_text(code) : "it has left");
	}
}

static void admit(struct remote *remote, int fd, const char *peer)
{
	struct stranger *stranger = xcalloc(1, sizeof(*stranger));

	stranger->remote = remote;
	snprintf(stranger->peer, sizeof(stranger->peer), "%s", peer);
	/* Deferred: no callback comes from inside a call of ours. */
	stranger->connection = bufferevent_openssl_socket_new(loop_base(remote->loop), fd,
		secure_session(remote->secure), BUFFEREVENT_SSL_ACCEPTING,
		BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (!stranger->connection)
		abort(); /* only without memory */
	bufferevent_openssl_set_allow_dirty_shutdown(stranger->connection, 1);
	bufferevent_setcb(stranger->connection, NULL, NULL, on_event, stranger);
	stranger->deadline = loop_timer_create(remote->loop, on_deadline, stranger);
	loop_timer_start(stranger->deadline, HANDSHAKE_MS);
	TAILQ_INSERT_TAIL(&remote->strangers, stranger, link);
	if (++remote->count > STRANGERS_MAX)
		refuse(TAILQ_FIRST(&remote->strangers), "too many others are connecting");
}

static void on_connect(void *arg)
{
	struct remote *remote = arg;
	struct sockaddr_in peer = {0};
	socklen_t length = sizeof(peer);
	char address[INET_ADDRSTRLEN] = "?", text[64];
	int fd = accept4(
		remote->fd, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		/* Without descriptors the port stays readable: rest instead of spinning. */
		if (errno == EMFILE || errno == ENFILE) {
			remote->watch = loop_watch_destroy(remote->watch);
			loop_timer_start(remote->rest, REST_MS);
		}
		return;
	}
	tcp_keep_alive(fd);
	inet_ntop(AF_INET, &peer.sin_addr, address, sizeof(address));
	snprintf(text, sizeof(text), "%s:%d", address, ntohs(peer.sin_port));
	admit(remote, fd, text);
}

static void watch(void *arg)
{
	struct remote *remote = arg;

	remote->watch = loop_watch_create(remote->loop, remote->fd, on_connect, remote);
}

/* Between the search for a free port and its use somebody may take it. */
static int open_port(
	struct remote *remote, const char *address, int port, int not_port, struct err *err)
{
	int r = -EADDRINUSE;

	for (int i = 0; i < PORT_TRIES && r == -EADDRINUSE; i++) {
		remote->port = port ? port : port_choose(address, err);
		if (remote->port < 0)
			return remote->port;
		if (remote->port == not_port)
			r = err_set(err, -EADDRINUSE,
				"cannot listen at %s, port %d: it is for another server",
				address, not_port);
		else
			r = tcp_listen(address, remote->port, err);
		if (port)
			break;
	}
	return r;
}

struct remote *remote_create(struct loop *loop, const char *address, int port, int not_port,
	const char *certificate, const char *key, remote_fn fn, void *arg, struct err *err)
{
	struct remote *remote = xcalloc(1, sizeof(*remote));

	remote->loop = loop;
	remote->fn = fn;
	remote->arg = arg;
	remote->fd = -1;
	remote->no_warning_before_ms = loop_now_ms();
	TAILQ_INIT(&remote->strangers);
	remote->secure = secure_create(SECURE_SERVER, certificate, key, err);
	if (!remote->secure)
		return remote_destroy(remote);
	remote->fd = open_port(remote, address, port, not_port, err);
	if (remote->fd < 0)
		return remote_destroy(remote);
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
	while (!TAILQ_EMPTY(&remote->strangers))
		stranger_free(TAILQ_FIRST(&remote->strangers));
	loop_watch_destroy(remote->watch);
	loop_timer_destroy(remote->rest);
	if (remote->fd >= 0)
		close(remote->fd);
	secure_destroy(remote->secure);
	free(remote);
	return NULL;
}
