/* check_strangers.c: tests of daemon/io/strangers.c, behind daemon/io/remote.c: whatever others
 * do at the port, the user's own programs are served. */
#include "unit.h"

#include <openssl/ssl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/knock.h"
#include "common/tcp.h"
#include "daemon/io/loop.h"
#include "daemon/io/remote.h"
#include "daemon/io/tls.h"
#include "daemon/policy/admission.h"
#include "hello_fixture.h"
#include "remote_fixture.h"

#define MANY 300

static int peers[MANY];

static void setup(void)
{
	remote_setup();
	for (size_t i = 0; i < MANY; i++)
		peers[i] = -1;
}

static void teardown(void)
{
	for (size_t i = 0; i < MANY; i++)
		if (peers[i] >= 0)
			close(peers[i]);
	remote_teardown();
}

/* Connect as often, and send the same bytes each time. */
static void connect_many(size_t count, const void *bytes, size_t size)
{
	char target[64];

	snprintf(target, sizeof(target), "127.0.0.1:%d", remote_port(remote));
	for (size_t i = 0; i < count; i++) {
		peers[i] = tcp_connect(target, 10000, NULL);
		ck_assert_int_ge(peers[i], 0);
		ck_assert_int_eq(send(peers[i], bytes, size, MSG_NOSIGNAL), (ssize_t)size);
	}
}

/* How many are still connected without having got anything, and how many have got something. */
static void count_peers(size_t *ret_silent, size_t *ret_answered)
{
	char byte;

	*ret_silent = *ret_answered = 0;
	for (size_t i = 0; i < MANY && peers[i] >= 0; i++) {
		ssize_t n = recv(peers[i], &byte, 1, MSG_PEEK);

		*ret_silent += n < 0 && errno == EAGAIN;
		*ret_answered += n > 0;
	}
}

static void on_settle(void *arg)
{
	struct loop_timer **timer = arg;
	size_t silent, answered;

	count_peers(&silent, &answered);
	if (silent == 0)
		loop_exit(loop);
	else
		loop_timer_start(*timer, 10);
}

/* Wait until all have got something, or are not connected any more. Returns how many have got
 * something. */
static size_t settle(void)
{
	struct loop_timer *timer = loop_timer_create(loop, on_settle, &timer);
	size_t silent, answered;

	loop_timer_start(timer, 0);
	loop_run(loop);
	loop_timer_destroy(timer);
	count_peers(&silent, &answered);
	return answered;
}

static int client(int fd)
{
	return connect_with(tls, fd, 10);
}

static void assert_served(void)
{
	int before = admitted;

	ck_assert_int_eq(remote_run(client), 0);
	ck_assert_int_eq(admitted, before + 1);
}

/* Those who begin, and go no further, are not kept in any number: the oldest goes first. */
START_TEST(beginnings)
{
	size_t silent, answered;
	char byte;

	connect_many(MANY, "\x16\x03\x01", 3);
	assert_served();
	count_peers(&silent, &answered);
	ck_assert_uint_eq(answered, 0);
	ck_assert_uint_gt(silent, 0);
	ck_assert_uint_le(silent, 256);
	ck_assert_int_eq(recv(peers[MANY - 1], &byte, 1, 0), -1);
	ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

/* Messages that are right, but of people who have not knocked: the first ones get a handshake. */
START_TEST(whole_messages)
{
	size_t answered, size;
	_cleanup_free_ unsigned char *hello = hello_make(NULL, 0, &size);

	connect_many(15, hello, size);
	assert_served();
	answered = settle();
	ck_assert_uint_ge(answered, GUESTS_BURST_EACH);
	ck_assert_uint_le(answered, GUESTS_BURST_EACH + 3); /* where the machine is slow */
}
END_TEST

START_TEST(other_bytes)
{
	connect_many(MANY, "GET / HTTP/1.0\r\n\r\n", 18);
	assert_served();
	ck_assert_uint_eq(settle(), 0);
}
END_TEST

/* So many that none of them stays for long. */
START_TEST(many_messages)
{
	size_t size;
	_cleanup_free_ unsigned char *hello = hello_make(NULL, 0, &size);

	connect_many(MANY, hello, size);
	assert_served();
}
END_TEST

/* What one client has sent does not help the next one, who has seen it in the network. */
START_TEST(sent_again)
{
	struct knock_key key;
	char name[KNOCK_SIZE];
	size_t size;
	unsigned char *hello;

	ck_assert_int_eq(knock_key_read(tls_key(tls), &key, NULL), 0);
	knock_make(&key, name);
	hello = hello_make(name, 0, &size);
	connect_many(20, hello, size);
	free(hello);
	assert_served();
	ck_assert_uint_eq(settle(), 1);
}
END_TEST

/* A proof of another key is none. */
START_TEST(wrong_proof)
{
	struct knock_key key;
	char name[KNOCK_SIZE];
	size_t size;
	unsigned char *hello;

	ck_assert_int_eq(knock_key_read(tls_key(other_tls), &key, NULL), 0);
	knock_make(&key, name);
	hello = hello_make(name, 0, &size);
	connect_many(15, hello, size);
	free(hello);
	assert_served();
	ck_assert_uint_le(settle(), GUESTS_BURST_EACH + 3);
}
END_TEST

/* Sends the first message in parts, with pauses. */
static int slow_client(int fd)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	BIO *out = BIO_new(BIO_s_mem());
	struct knock_key key;
	char name[KNOCK_SIZE], *bytes;
	SSL *session;
	size_t size;

	if (knock_key_read(tls_key(tls), &key, NULL) < 0 ||
		SSL_CTX_use_certificate_file(context, tls_certificate(tls), SSL_FILETYPE_PEM) <=
			0 ||
		SSL_CTX_use_PrivateKey_file(context, tls_key(tls), SSL_FILETYPE_PEM) <= 0)
		return 101;
	knock_make(&key, name);
	session = SSL_new(context);
	SSL_set_bio(session, BIO_new(BIO_s_mem()), out);
	SSL_set_tlsext_host_name(session, name);
	SSL_connect(session);
	size = (size_t)BIO_get_mem_data(out, &bytes);
	for (size_t sent = 0, part = 1; sent < size; sent += part, part *= 4) {
		part = part < size - sent ? part : size - sent;
		if (send(fd, bytes + sent, part, MSG_NOSIGNAL) != (ssize_t)part)
			return 102;
		usleep(20000);
	}
	SSL_CTX_free(context);	      /* session keeps it */
	return meet(session, fd, 10); /* sets fd in the place of the memory */
}

START_TEST(in_parts)
{
	ck_assert_int_eq(remote_run(slow_client), 0);
	ck_assert_int_eq(admitted, 1);
}
END_TEST

static double cpu_s(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static int half_client(int fd)
{
	size_t size;
	unsigned char *hello = hello_make(NULL, 0, &size);
	char byte;
	ssize_t n;

	make_blocking(fd);
	if (send(fd, hello, size / 2, MSG_NOSIGNAL) < 0 || shutdown(fd, SHUT_WR) < 0)
		return 102;
	n = recv(fd, &byte, 1, 0);
	free(hello);
	return n > 0 ? 103 : 0;
}

/* Who leaves in the middle is not waited for. */
START_TEST(half)
{
	double begin = cpu_s();

	ck_assert_int_eq(remote_run(half_client), 0);
	ck_assert(cpu_s() - begin < 1);
	ck_assert_int_eq(admitted, 0);
	assert_served();
}
END_TEST

static struct rlimit descriptors;

static void on_descriptors(void *arg)
{
	(void)arg;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &descriptors), 0);
	loop_exit(loop);
}

/* Without descriptors the loop does not spin, and once there are some, it goes on. */
START_TEST(no_descriptors)
{
	struct loop_timer *timer = loop_timer_create(loop, on_descriptors, NULL);
	struct rlimit none;
	double begin;

	connect_many(20, "\x16\x03\x01", 3);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &descriptors), 0);
	none = descriptors;
	none.rlim_cur = 4; /* fewer than there are */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	loop_timer_start(timer, 800);
	begin = cpu_s();
	loop_run(loop);
	ck_assert(cpu_s() - begin < 0.2);
	loop_timer_destroy(timer);
	assert_served();
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("strangers");
	TCase *tcase = tcase_create("strangers");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, beginnings);
	tcase_add_test(tcase, whole_messages);
	tcase_add_test(tcase, many_messages);
	tcase_add_test(tcase, other_bytes);
	tcase_add_test(tcase, sent_again);
	tcase_add_test(tcase, wrong_proof);
	tcase_add_test(tcase, in_parts);
	tcase_add_test(tcase, half);
	tcase_add_test(tcase, no_descriptors);
	suite_add_tcase(suite, tcase);
	return suite;
}
