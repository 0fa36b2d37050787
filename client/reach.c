/* reach.c: the way to dracod: a socket of this host, or a port of the one where it runs. */
#include "client/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/host.h"
#include "common/json.h"
#include "common/knock.h"
#include "common/line.h"
#include "common/paths.h"
#include "common/rendezvous.h"
#include "common/secure.h"
#include "common/tcp.h"
#include "common/trust.h"

#define CONNECT_MS   5000
#define HANDSHAKE_MS 10000
#define PORT_TRIES   6
#define PAUSE_MS     50 /* after the first; then twice as long each time */

static int open_socket(struct channel *channel, const char *path, struct err *err)
{
	channel->fd = trust_connect(path, err);
	if (channel->fd == -EPERM)
		return err_set(
			err, -EPERM, "%s: nothing is sent to what serves there", err->text);
	if (channel->fd == -EACCES)
		return err_set(err, channel->fd,
			"%s (XDG_RUNTIME_DIR must name a directory of yours; unset it to use /tmp)",
			err->text);
	return channel->fd < 0 ? channel->fd : 0;
}

/* What the first message shows is made before there is a connection: dracod waits for it. connect is what
 * connect.json says. */
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

static int try_port(struct channel *channel, const json_t *connect, struct err *err)
{
	const char *target = json_get_text(connect, "daemon", "");
	int r = prepare(channel, connect, err);

	if (r < 0)
		return r;
	channel->fd = tcp_connect(target, CONNECT_MS, err);
	if (channel->fd < 0)
		return channel->fd;
	tcp_keep_alive(channel->fd);
	r = secure_connect(channel->session, channel->fd, HANDSHAKE_MS, err);
	return r < 0 ? err_prefix(err, "%s", target) : 0;
}

/* Where many connect at once, dracod parts from some: that is over soon. */
static int open_port(struct channel *channel, const json_t *connect, struct err *err)
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

/* A dracod holds the lock of its state directory as long as it lives. */
static bool has_ended(const struct paths *paths)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	_cleanup_close_ int fd = open(paths->lock_file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
}

/* Say where dracod is, why it cannot be reached, and what to do. why is empty when it has no cluster. */
static int unreachable(const struct paths *paths, const json_t *daemon, const char *here,
	const char *why, struct err *err)
{
	const char *host = json_get_text(daemon, "host", "?");
	int pid = (int)json_get_integer(daemon, "pid", 0);

	if (has_ended(paths))
		return err_set(err, -ENOTCONN,
			"dracod \"%s\" ran on host %s (process %d) and has ended without a "
			"farewell: nobody holds %s any more\n"
			"  to go on from %s, remove %s and start it again: what is left of its "
			"cluster is ended then",
			paths->name, host, pid, paths->lock_file, here, paths->daemon_file);
	if (!*why)
		return err_set(err, -ENOTCONN,
			"dracod \"%s\" runs on host %s (process %d) and has no cluster now, so that "
			"it cannot be reached from %s\n"
			"  to start here, end it: ssh %s dracoctl --name %s shutdown",
			paths->name, host, pid, here, host, paths->name);
	return err_set(err, -EHOSTUNREACH,
		"dracod \"%s\" runs on host %s (process %d) and cannot be reached from %s: %s\n"
		"  use it there: ssh %s dracoctl --name %s\n"
		"  if that host is gone for good: remove %s",
		paths->name, host, pid, here, why, host, paths->name, paths->daemon_file);
}

static int open_elsewhere(struct channel *channel, const struct paths *paths,
	const json_t *daemon, const char *here, struct err *err)
{
	_cleanup_json_ json_t *connect = NULL;
	struct err why = ERR_INIT;
	int r = rendezvous_connect(paths, &connect, err);

	if (r < 0 && r != -ENOENT)
		return r;
	if (json_get_text(connect, "daemon", NULL)) {
		if (open_port(channel, connect, &why) == 0)
			return 0;
		channel_close(channel);
		err_set(&why, why.code,
			"%s (the setting remote_port can be a port that "
			"firewalls let through)",
			why.text);
	} else if (connect) {
		err_set(&why, -EHOSTUNREACH, "%s",
			json_get_text(connect, "no_daemon", "it has no port"));
	}
	return unreachable(paths, daemon, here, why.text, err);
}

int channel_open(struct channel *channel, const struct paths *paths, struct err *err)
{
	/* As dracod wrote it itself, because its environment may differ from ours. */
	_cleanup_json_ json_t *daemon = NULL;
	const char *socket;
	struct host here;
	int r;

	*channel = (struct channel)CHANNEL_INIT;
	r = rendezvous_daemon(paths, &daemon, err);
	if (r < 0 && r != -ENOENT)
		return r;
	socket = json_get_text(daemon, "socket", NULL);
	host_get(&here);
	if (socket && strcmp(json_get_text(daemon, "host", ""), here.name) != 0)
		return open_elsewhere(channel, paths, daemon, here.name, err);
	r = open_socket(channel, socket ? socket : paths->control_socket, err);
	if (r < 0)
		channel->fd = -1;
	return r;
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
