/* check_remote.c: tests of daemon/io/remote.c, with common/secure.c and common/tcp.c at the
 * other end and daemon/io/stream.c behind it: who gets in, who does not, and that lines pass
 * both ways. */
#include "unit.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/secure.h"
#include "common/tcp.h"
#include "daemon/io/remote.h"
#include "daemon/io/stream.h"
#include "daemon/io/tls.h"

#include "remote_fixture.h"

#define LONG_LINE 300000

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
	ck_assert_int_eq(remote_run(short_client), 0);
	ck_assert_int_eq(admitted, 1);
}
END_TEST

/* A program that does not knock, such as one of an older version. */
START_TEST(guest)
{
	name_to_ask = "";
	ck_assert_int_eq(remote_run(short_client), 0);
	name_to_ask = "some.name";
	ck_assert_int_eq(remote_run(short_client), 0);
	ck_assert_int_eq(admitted, 2);
}
END_TEST

START_TEST(long_lines)
{
	ck_assert_int_eq(remote_run(long_client), 0);
	ck_assert_int_eq(admitted, 1);
}
END_TEST

START_TEST(flushed)
{
	flush = true;
	ck_assert_int_eq(remote_run(short_client), 0);
	ck_assert_ptr_null(stream);
}
END_TEST

START_TEST(server_has_left)
{
	flush = true;
	ck_assert_int_eq(remote_run(left_client), 0);
}
END_TEST

static int (*const strangers[])(int fd) = {other_client, nobody_client, old_client};

START_TEST(turned_away)
{
	int r = remote_run(strangers[_i]);

	ck_assert_msg(r >= 2 && r <= 4, "%d", r); /* with TLS 1.3 they learn it late */
	ck_assert_int_eq(admitted, 0);
	ck_assert_int_eq(remote_run(short_client), 0); /* the next one is not disturbed */
}
END_TEST

START_TEST(no_tls)
{
	ck_assert_int_eq(remote_run(plain_client), 0);
	ck_assert_int_eq(remote_run(leaving_client), 0);
	ck_assert_int_eq(admitted, 0);
	ck_assert_int_eq(remote_run(short_client), 0);
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
	remote_destroy(remote);
	remote_begin(other_tls);
	ck_assert_int_eq(remote_run(wary_client), 0);
	ck_assert_int_eq(admitted, 0);
}
END_TEST

START_TEST(port_in_use)
{
	struct err err = ERR_INIT;
	struct remote *second = remote_create(loop,
		&(struct remote_place){.address = "127.0.0.1",
			.first = remote_port(remote),
			.last = remote_port(remote),
			.name = "a",
			.not_port = 0,
			.certificate = tls_certificate(tls),
			.key = tls_key(tls)},
		remote_on_connect, NULL, &err);

	ck_assert_ptr_null(second);
	unit_assert_err(&err, -EADDRINUSE, "cannot listen at 127.0.0.1, port ");
	unit_assert_err(&err, -EADDRINUSE, "Address already in use");
}
END_TEST

/* One of a range, and not that of another server, even if it is where the search begins. */
START_TEST(port_of_a_range)
{
	struct remote_place place = {.address = "127.0.0.1",
		.first = 20000,
		.last = 20200,
		.name = "a",
		.certificate = tls_certificate(tls),
		.key = tls_key(tls)};
	struct err err = ERR_INIT;
	struct remote *one = remote_create(loop, &place, remote_on_connect, NULL, &err), *other;
	int port;

	ck_assert_msg(one != NULL, "%s", err.text);
	port = remote_port(one);
	ck_assert(port >= 20000 && port <= 20200);
	remote_destroy(one);
	place.not_port = port;
	other = remote_create(loop, &place, remote_on_connect, NULL, &err);
	ck_assert_msg(other != NULL, "%s", err.text);
	ck_assert_int_ne(remote_port(other), port);
	ck_assert(remote_port(other) >= 20000 && remote_port(other) <= 20200);
	remote_destroy(other);
}
END_TEST

START_TEST(port_of_another)
{
	struct err err = ERR_INIT;

	ck_assert_ptr_null(remote_create(loop,
		&(struct remote_place){.address = "127.0.0.1",
			.first = 20000,
			.last = 20000,
			.name = "a",
			.not_port = 20000,
			.certificate = tls_certificate(tls),
			.key = tls_key(tls)},
		remote_on_connect, NULL, &err));
	unit_assert_err(&err, -EADDRINUSE, "port 20000: it is for another server");
}
END_TEST

START_TEST(no_certificate)
{
	_cleanup_free_ char *missing = xasprintf("%s/missing", remote_directory);
	struct err err = ERR_INIT;

	ck_assert_ptr_null(remote_create(loop,
		&(struct remote_place){.address = "127.0.0.1",
			.first = 0,
			.last = 0,
			.name = "a",
			.not_port = 0,
			.certificate = missing,
			.key = missing},
		remote_on_connect, NULL, &err));
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

	tcase_add_checked_fixture(tcase, remote_setup, remote_teardown);
	tcase_add_test(tcase, lines);
	tcase_add_test(tcase, guest);
	tcase_add_test(tcase, long_lines);
	tcase_add_test(tcase, flushed);
	tcase_add_test(tcase, server_has_left);
	tcase_add_loop_test(tcase, turned_away, 0, LENGTH(strangers));
	tcase_add_test(tcase, no_tls);
	tcase_add_test(tcase, wrong_server);
	tcase_add_test(tcase, port_in_use);
	tcase_add_test(tcase, port_of_a_range);
	tcase_add_test(tcase, port_of_another);
	tcase_add_test(tcase, no_certificate);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("tcp");
	tcase_add_test(tcase, wrong_targets);
	tcase_add_test(tcase, kept_alive);
	suite_add_tcase(suite, tcase);
	return suite;
}
