/* reach.c: connects to dracod by a socket of this host, or by a port of dracod's host. */
#include "client/reach.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/json.h"
#include "common/knock.h"
#include "common/line.h"
#include "common/secure.h"
#include "common/tcp.h"
#include "common/trust.h"

#define CONNECT_MS   8000
#define DIAL_MS	     200 /* for the first connection; doubled for each further one */
#define DIAL_MAX_MS  1000
#define HANDSHAKE_MS 10000
#define PORT_TRIES   6
#define PAUSE_MS     50 /* wait before the second try; doubled for each further one */

int channel_open_socket(struct channel *channel, const char *path, struct err *err)
{
	channel->fd = trust_connect(path, err);
	if (channel->fd == -EPERM)
		return err_set(
			err, -EPERM, "%s: nothing is sent to what serves there", err->text);
	return channel->fd < 0 ? channel->fd : 0;
}

/* Make everything for the first message before connecting, because dracod waits for it. connect is
 * the content of connect.json. */
static int prepare(struct channel *channel, const json_t *connect, struct err *err)
{
	const char *key = json_get_text(connect, "key", "");
	char name[KNOCK_SIZE];
	struct knock_key knock;
	int r;

	channel->secure = secure_create(
		SECURE_CLIENT, json_get_text(connect, "certificate", ""), key, err);
	if (!channel->secure)
		return -EIO;
	r = knock_key_read(key, &knock, err);
	if (r < 0)
		return r;
	knock_make(&knock, name);
	channel->session = secure_session(channel->secure);
	secure_ask_for(channel->session, name);
	return 0;
}

/* While many connect at once, dracod's host drops some first packets of new connections. The kernel
 * would send them again after 1, 2 and 4 s; a new connection each time has better prospects. */
static int dial(const char *target, struct err *err)
{
	int64_t until_ms = clock_now_ms() + CONNECT_MS;
	int fd, wait_ms = DIAL_MS;

	do {
		fd = tcp_connect(target, wait_ms, err);
		wait_ms = wait_ms < DIAL_MAX_MS / 2 ? wait_ms * 2 : DIAL_MAX_MS;
	} while (fd == -ETIMEDOUT && clock_now_ms() < until_ms);
	return fd;
}

static int try_port(struct channel *channel, const json_t *connect, struct err *err)
{
	const char *target = json_get_text(connect, "daemon", "");
	int r = prepare(channel, connect, err);

	if (r < 0)
		return r;
	channel->fd = dial(target, err);
	if (channel->fd < 0)
		return channel->fd;
	tcp_keep_alive(channel->fd);
	r = secure_connect(channel->session, channel->fd, HANDSHAKE_MS, err);
	return r < 0 ? err_prefix(err, "%s", target) : 0;
}

/* If many clients connect at once, dracod drops some connections. Such a flood soon ends, so try
 * again. */
int channel_open_port(struct channel *channel, const json_t *connect, struct err *err)
{
	int pause_ms = PAUSE_MS, r;

	for (int i = 0;; i++) {
		r = try_port(channel, connect, err);
		if ((r != -ECONNRESET && r != -EPIPE) || i == PORT_TRIES - 1)
			return r;
		channel_close(channel);
		poll(NULL, 0, pause_ms);
		pause_ms *= 2;
	}
}

void channel_close(struct channel *channel)
{
	secure_session_free(channel->session);
	secure_destroy(channel->secure);
	if (channel->fd >= 0)
		close(channel->fd);
	*channel = (struct channel)CHANNEL_INIT;
}

static int failed(int r, struct err *err)
{
	return err_set(err, r, "cannot write to dracod: %s",
		r == -EPROTO ? secure_reason() : strerror(-r));
}

int channel_write(struct channel *channel, const char *text, size_t length, struct err *err)
{
	_cleanup_free_ char *line = NULL;
	size_t done = 0;
	int r;

	if (!channel->session) {
		r = line_write(channel->fd, text, length);
		return r < 0 ? failed(r, err) : 0;
	}
	line = xasprintf("%s\n", text);
	while (done < length + 1) {
		long n = secure_write(channel->session, line + done, length + 1 - done);
		struct pollfd ready = {.fd = channel->fd, .events = POLLOUT};

		if (n > 0)
			done += (size_t)n;
		else if (n == -EAGAIN)
			poll(&ready, 1, -1);
		else
			return failed(n == 0 ? -EPIPE : (int)n, err);
	}
	return 0;
}

bool channel_wait(struct channel *channel, int timeout_ms)
{
	struct pollfd ready = {.fd = channel->fd, .events = POLLIN};

	if (channel->session && secure_has_read(channel->session))
		return true;
	return poll(&ready, 1, timeout_ms) > 0;
}

long channel_read(void *arg, char *bytes, size_t size)
{
	struct channel *channel = arg;

	return channel->session ? secure_read(channel->session, bytes, size)
				: line_read_fd(&channel->fd, bytes, size);
}
