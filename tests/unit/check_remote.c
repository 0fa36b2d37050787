/* check_remote.c: tests of daemon/remote.c, with common/secure.c and common/tcp.c at the other end and
 * daemon/stream.c behind it: who gets in, who does not, and that lines pass both ways. */
#include "unit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/secure.h"
#include "common/tcp.h"
#include "daemon/loop.h"
#include "daemon/remote.h"
#include "daemon/stream.h"
#include "daemon/tls.h"

#define LONG_LINE 300000

static char *directory;
static struct tls *tls, *other_tls;
static struct loop *loop;
static struct remote *remote;
static struct stream *stream;
static struct loop_timer *look;
static pid_t child;
static int admitted, child_status;
static bool flush; /* answer as a daemon that ends does */

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

static void on_connect(void *arg, struct bufferevent *connection, const char *peer)
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

static void setup(void)
{
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN);
	directory = unit_directory();
	ck_assert_int_eq(tls_create(directory, "1", &tls, &err), 0);
	ck_assert_int_eq(tls_create(directory, "2", &other_tls, &err), 0);
	loop = loop_create(&err);
	look = loop_timer_create(loop, on_look, NULL);
	remote = remote_create(loop, "127.0.0.1", 0, 0, tls_certificate(tls), tls_key(tls),
		on_connect, NULL, &err);
	ck_assert_msg(remote != NULL, "%s", err.text);
	admitted = 0;
	flush = false;
}

static void teardown(void)
{
	stream = stream_destroy(stream);
	remote_destroy(remote);
	loop_timer_destroy(look);
	loop_destroy(loop);
	tls_destroy(tls);
	tls_destroy(other_tls);
	free(directory);
}

/* Run a client beside the loop, until it ends; returns its exit status. */
static int run(int (*client)(int fd))
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

static void make_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

/* Send one line and compare it with the answer. */
static int talk(struct ssl_st *session, int fd, size_t length)
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

/* Shake hands, and talk; frees session. */
static int meet(struct ssl_st *session, int fd, size_t length)
{
	struct err err = ERR_INIT;
	int r = secure_connect(session, fd, 10000, &err) < 0 ? 2 : talk(session, fd, length);

	secure_session_free(session);
	return r;
}

static int connect_with(struct tls *with, int fd, size_t length)
{
	struct err err = ERR_INIT;
	struct secure *secure =
		secure_create(SECURE_CLIENT, tls_certificate(with), tls_key(with), &err);
	int r = secure ? meet(secure_session(secure), fd, length) : 101;

	secure_destroy(secure);
	return r;
}

static int short_client(int fd)
{
	return connect_with(tls, fd, 10);
}

static int long_client(int fd)
{
	return connect_with(tls, fd, LONG_LINE);
}

static int other_client(int fd)
{
	return connect_with(other_tls, fd, 10);
}

/* The server leaves: to write fails, and does not end a program that does not ignore SIGPIPE. */
static int left_client(int fd)
{
	struct err err = ERR_INIT;
	struct secure *secure =
		secure_create(SECURE_CLIENT, tls_certificate(tls), tls_key(tls), &err);
	struct ssl_st *session = secure_session(secure);
	int r = secure_connect(session, fd, 10000, &err) < 0 ? 2 : talk(session, fd, 10);
	char byte;
	long n;

	signal(SIGPIPE, SIG_DFL);
	if (r == 0 && secure_read(session, &byte, 1) != 0)
		r = 7;
	do
		n = secure_write(session, "x", 1);
	while (r == 0 && n > 0);
	if (r == 0 && n != 0 && n != -EPIPE && n != -ECONNRESET)
		r = 8;
	secure_session_free(session);
	secure_destroy(secure);
	return r;
}

/* It believes every server, and has no certificate of its own. */
static int nobody_client(int fd)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	int r = meet(SSL_new(context), fd, 10);

	SSL_CTX_free(context);
	return r;
}

/* The right certificate, by a version of TLS that is too old. */
static int old_client(int fd)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	int r;

	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
	SSL_CTX_use_certificate_file(context, tls_certificate(tls), SSL_FILETYPE_PEM);
	SSL_CTX_use_PrivateKey_file(context, tls_key(tls), SSL_FILETYPE_PEM);
	r = meet(SSL_new(context), fd, 10);
	SSL_CTX_free(context);
	return r;
}

/* The end of the connection, and nothing before it. */
static int expect_end(int fd)
{
	char byte[256];
	ssize_t n;

	make_blocking(fd);
	do
		n = read(fd, byte, sizeof(byte));
	while (n > 0 && byte[0] != '{'); /* TLS may say good-bye; it answers nothing */
	return n > 0 ? 6 : 0;
}

static int plain_client(int fd)
{
	static const char text[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n";

	if (write(fd, text, strlen(text)) < 0)
		return 3;
	return expect_end(fd);
}

static int leaving_client(int fd)
{
	return close(fd) < 0;
}

START_TEST(lines)
{
	ck_assert_int_eq(run(short_client), 0);
	ck_assert_int_eq(admitted, 1);
}
END_TEST

START_TEST(long_lines)
{
	ck_assert_int_eq(run(long_client), 0);
	ck_assert_int_eq(admitted, 1);
}
END_TEST

START_TEST(flushed)
{
	flush = true;
	ck_assert_int_eq(run(short_client), 0);
	ck_assert_ptr_null(stream);
}
END_TEST

START_TEST(server_has_left)
{
	flush = true;
	ck_assert_int_eq(run(left_client), 0);
}
END_TEST

static int (*const strangers[])(int fd) = {other_client, nobody_client, old_client};

START_TEST(turned_away)
{
	int r = run(strangers[_i]);

	ck_assert_msg(r >= 2 && r <= 4, "%d", r); /* with TLS 1.3 they learn it late */
	ck_assert_int_eq(admitted, 0);
	ck_assert_int_eq(run(short_client), 0); /* the next one is not disturbed */
}
END_TEST

START_TEST(no_tls)
{
	ck_assert_int_eq(run(plain_client), 0);
	ck_assert_int_eq(run(leaving_client), 0);
	ck_assert_int_eq(admitted, 0);
	ck_assert_int_eq(run(short_client), 0);
}
END_TEST

/* Those who only connect are not kept in any number, and do not keep others out. */
START_TEST(too_many)
{
	char target[64], byte;
	int silent[40];

	snprintf(target, sizeof(target), "127.0.0.1:%d", remote_port(remote));
	for (size_t i = 0; i < LENGTH(silent); i++) {
		silent[i] = tcp_connect(target, 10000, NULL);
		ck_assert_int_ge(silent[i], 0);
	}
	ck_assert_int_eq(run(short_client), 0);
	ck_assert_int_eq(admitted, 1);
	ck_assert_int_eq(read(silent[0], &byte, 1), 0);
	ck_assert_int_eq(read(silent[39], &byte, 1), -1);
	ck_assert_int_eq(errno, EAGAIN);
	for (size_t i = 0; i < LENGTH(silent); i++)
		close(silent[i]);
}
END_TEST

/* A server with another certificate is not believed. */
static int wary_client(int fd)
{
	(void)fd;
	return connect_with(tls, fd, 10) == 2 ? 0 : 1;
}

START_TEST(wrong_server)
{
	struct err err = ERR_INIT;

	remote_destroy(remote);
	remote = remote_create(loop, "127.0.0.1", 0, 0, tls_certificate(other_tls),
		tls_key(other_tls), on_connect, NULL, &err);
	ck_assert_ptr_nonnull(remote);
	ck_assert_int_eq(run(wary_client), 0);
	ck_assert_int_eq(admitted, 0);
}
END_TEST

START_TEST(port_in_use)
{
	struct err err = ERR_INIT;
	struct remote *second = remote_create(loop, "127.0.0.1", remote_port(remote), 0,
		tls_certificate(tls), tls_key(tls), on_connect, NULL, &err);

	ck_assert_ptr_null(second);
	unit_assert_err(&err, -EADDRINUSE, "cannot listen at 127.0.0.1, port ");
	unit_assert_err(&err, -EADDRINUSE, "Address already in use");
}
END_TEST

START_TEST(port_of_another)
{
	struct err err = ERR_INIT;

	ck_assert_ptr_null(remote_create(loop, "127.0.0.1", 20000, 20000, tls_certificate(tls),
		tls_key(tls), on_connect, NULL, &err));
	unit_assert_err(&err, -EADDRINUSE, "port 20000: it is for another server");
}
END_TEST

START_TEST(no_certificate)
{
	_cleanup_free_ char *missing = xasprintf("%s/missing", directory);
	struct err err = ERR_INIT;

	ck_assert_ptr_null(remote_create(
		loop, "127.0.0.1", 0, 0, missing, missing, on_connect, NULL, &err));
	unit_assert_err(&err, -EIO, missing);
}
END_TEST

START_TEST(wrong_targets)
{
	static const char *const targets[] = {"", "1.2.3.4", "1.2.3.4:", "1.2.3.4:0",
		"1.2.3.4:65536", "name:80", ":80", "100.100.100.1000:80", "1.2.3.4:80x"};

	for (size_t i = 0; i < LENGTH(targets); i++) {
		struct err err = ERR_INIT;

		ck_assert_int_eq(tcp_connect(targets[i], 1000, &err), -EINVAL);
		unit_assert_err(&err, -EINVAL, targets[i]);
	}
}
END_TEST

/* The kernel asks a silent host often enough, and also gives up what was sent to it. */
START_TEST(kept_alive)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), idle, interval, count, user_ms;
	socklen_t length = sizeof(int);

	tcp_keep_alive(fd);
	ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, &length), 0);
	ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, &length), 0);
	ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, &length), 0);
	ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_ms, &length), 0);
	ck_assert_int_eq(idle + interval * count, TCP_GONE_S);
	ck_assert_int_eq(user_ms, TCP_GONE_S * 1000);
	close(fd);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("remote");
	TCase *tcase = tcase_create("remote");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, lines);
	tcase_add_test(tcase, long_lines);
	tcase_add_test(tcase, flushed);
	tcase_add_test(tcase, server_has_left);
	tcase_add_loop_test(tcase, turned_away, 0, LENGTH(strangers));
	tcase_add_test(tcase, no_tls);
	tcase_add_test(tcase, too_many);
	tcase_add_test(tcase, wrong_server);
	tcase_add_test(tcase, port_in_use);
	tcase_add_test(tcase, port_of_another);
	tcase_add_test(tcase, no_certificate);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("tcp");
	tcase_add_test(tcase, wrong_targets);
	tcase_add_test(tcase, kept_alive);
	suite_add_tcase(suite, tcase);
	return suite;
}
