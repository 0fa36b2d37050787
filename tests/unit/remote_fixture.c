/* remote_fixture.c: a port of dracod (daemon/io/remote.c), who is served there, and clients
 * beside it. */
#include "remote_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/knock.h"
#include "common/secure.h"
#include "common/tcp.h"
#include "daemon/io/loop.h"
#include "daemon/io/remote.h"
#include "daemon/io/stream.h"
#include "daemon/io/tls.h"
#include "unit.h"

char *remote_directory;
struct tls *tls, *other_tls;
struct loop *loop;
struct remote *remote;
struct stream *stream;
static struct loop_timer *look;
static pid_t child;
static int child_status;
int admitted;
bool flush;
const char *name_to_ask;

static void on_line(void *owner, char *line, size_t length)
{
	(void)owner;
	(void)length;
	stream_send(stream, line);
	if (!flush)
		return;
	stream_flush(stream);
	stream = stream_destroy(stream);
}

static void on_closed(void *owner, const char *why)
{
	(void)owner;
	(void)why;
	stream = stream_destroy(stream);
}

void remote_on_connect(void *arg, struct bufferevent *connection, const char *peer)
{
	static const struct stream_ops ops = {on_line, on_closed};

	(void)arg;
	ck_assert_int_eq(strncmp(peer, "127.0.0.1:", 10), 0);
	admitted++;
	stream = stream_adopt(loop, connection, &ops, NULL);
}

static void on_look(void *arg)
{
	(void)arg;
	if (waitpid(child, &child_status, WNOHANG) == child)
		loop_exit(loop);
	else
		loop_timer_start(look, 10);
}

void remote_begin(struct tls *certificate)
{
	struct err err = ERR_INIT;

	remote = remote_create(loop,
		&(struct remote_place){.address = "127.0.0.1",
			.first = 0,
			.last = 0,
			.name = "a",
			.not_port = 0,
			.certificate = tls_certificate(certificate),
			.key = tls_key(certificate)},
		remote_on_connect, NULL, &err);
	ck_assert_msg(remote != NULL, "%s", err.text);
}

void remote_setup(void)
{
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN);
	remote_directory = unit_directory();
	ck_assert_int_eq(tls_create(remote_directory, "1", &tls, &err), 0);
	ck_assert_int_eq(tls_create(remote_directory, "2", &other_tls, &err), 0);
	loop = loop_create(&err);
	look = loop_timer_create(loop, on_look, NULL);
	remote_begin(tls);
	admitted = 0;
	flush = false;
	name_to_ask = NULL;
}

void remote_teardown(void)
{
	stream = stream_destroy(stream);
	remote_destroy(remote);
	loop_timer_destroy(look);
	loop_destroy(loop);
	tls_destroy(tls);
	tls_destroy(other_tls);
	free(remote_directory);
}

int remote_run(int (*client)(int fd))
{
	struct err err = ERR_INIT;
	char target[64];

	snprintf(target, sizeof(target), "127.0.0.1:%d", remote_port(remote));
	child = fork();
	if (child == 0) {
		int fd = tcp_connect(target, 10000, &err);

		_exit(fd < 0 ? 100 : client(fd));
	}
	loop_timer_start(look, 10);
	loop_run(loop);
	ck_assert(WIFEXITED(child_status));
	return WEXITSTATUS(child_status);
}

void make_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

int talk(struct ssl_st *session, int fd, size_t length)
{
	_cleanup_free_ char *sent = xcalloc(length + 1, 1), *got = xcalloc(length + 1, 1);
	size_t done = 0;

	memset(sent, 'x', length);
	sent[length - 1] = '\n';
	make_blocking(fd);
	while (done < length) {
		long n = secure_write(session, sent + done, length - done);

		if (n <= 0)
			return 3;
		done += (size_t)n;
	}
	for (done = 0; done < length;) {
		long n = secure_read(session, got + done, length - done);

		if (n <= 0)
			return 4;
		done += (size_t)n;
	}
	if (memcmp(sent, got, length) != 0)
		return 5;
	return 0;
}

int meet(struct ssl_st *session, int fd, size_t length)
{
	struct err err = ERR_INIT;
	int r = secure_connect(session, fd, 10000, &err) < 0 ? 2 : talk(session, fd, length);

	secure_session_free(session);
	return r;
}

int connect_with(struct tls *with, int fd, size_t length)
{
	struct err err = ERR_INIT;
	struct secure *secure =
		secure_create(SECURE_CLIENT, tls_certificate(with), tls_key(with), &err);
	struct ssl_st *session = secure ? secure_session(secure) : NULL;
	struct knock_key key;
	char name[KNOCK_SIZE] = "";
	int r;

	if (!session || knock_key_read(tls_key(with), &key, NULL) < 0)
		return 101;
	knock_make(&key, name);
	if (!name_to_ask || *name_to_ask)
		secure_ask_for(session, name_to_ask ? name_to_ask : name);
	r = meet(session, fd, length);
	secure_destroy(secure);
	return r;
}
