/* check_port.c: tests of common/port.c. */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/port.h"

/* A listening socket at the port; -1 when it is taken. shared: as a server does it. */
static int listen_so(const char *address, int port, int shared)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &shared, sizeof(shared)), 0);
	ck_assert_int_eq(inet_pton(AF_INET, address, &name.sin_addr), 1);
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0 && listen(fd, 1) == 0)
		return fd;
	close(fd);
	return -1;
}

static int listen_at(const char *address, int port)
{
	return listen_so(address, port, 0);
}

/* The lowest port that the kernel gives to outgoing connections. */
static int first_outgoing(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	int first = 32768;

	if (file) {
		if (fscanf(file, "%d", &first) != 1)
			first = 32768;
		fclose(file);
	}
	return first;
}

START_TEST(chooses)
{
	static const char *const addresses[] = {"127.0.0.1", "127.9.8.7", "0.0.0.0"};
	int limit = first_outgoing();

	for (size_t i = 0; i < LENGTH(addresses); i++) {
		struct err err = ERR_INIT;
		int port = port_choose(addresses[i], &err), fd;

		ck_assert_msg(port > 1024, "%s", err.text);
		if (limit >= 32000) /* not where a site has widened the range */
			ck_assert_int_lt(port, limit);
		ck_assert_int_eq(err.code, 0);
		fd = listen_at(addresses[i], port); /* somebody else may have been faster */
		if (fd < 0)
			ck_assert_int_gt(port_choose(addresses[i], &err), 1024);
		else
			close(fd);
	}
}
END_TEST

/* A port that is held is not given again, wherever at the host it is held. */
START_TEST(avoids_what_is_taken)
{
	int ports[100], fds[100], held = 0;

	for (int tries = 0; tries < 200 && held < 100; tries++) {
		int port = port_choose("127.0.0.1", NULL);

		ck_assert_int_gt(port, 0);
		for (int i = 0; i < held; i++)
			ck_assert_int_ne(port, ports[i]);
		fds[held] = listen_at(held % 2 ? "0.0.0.0" : "127.0.0.1", port);
		if (fds[held] >= 0)
			ports[held++] = port;
	}
	ck_assert_int_eq(held, 100);
	for (int i = 0; i < held; i++)
		close(fds[i]);
}
END_TEST

static const char *const no_addresses[] = {"", "localhost", "::1", "127.0.0.1 ", " 127.0.0.1",
	"127.0.0", "127.0.0.1.1", "256.0.0.1", "127.0.0.1:80", "tcp://127.0.0.1"};

START_TEST(refuses_what_is_no_address)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(port_choose(no_addresses[_i], &err), -EINVAL);
	unit_assert_err(&err, -EINVAL, no_addresses[_i]);
	unit_assert_err(&err, -EINVAL, "IPv4");
	ck_assert_int_eq(port_choose(no_addresses[_i], NULL), -EINVAL);
}
END_TEST

/* An address of another host (TEST-NET-1, RFC 5737): that is said, not that its ports are taken. */
START_TEST(address_of_another_host)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(port_choose("192.0.2.1", &err), -EADDRNOTAVAIL);
	unit_assert_err(&err, -EADDRNOTAVAIL, "192.0.2.1 is not an address of this host");
	ck_assert_int_eq(port_choose("192.0.2.1", NULL), -EADDRNOTAVAIL);
	ck_assert_int_eq(port_next("192.0.2.1", 20000, &err), -EADDRNOTAVAIL);
	unit_assert_err(&err, -EADDRNOTAVAIL, "192.0.2.1 is not an address of this host");
}
END_TEST

/* What is free at first is taken from then on, one after the other; at last there is none. */
START_TEST(chooses_in_a_range)
{
	int fds[3] = {-1, -1, -1}, first = 0, count = 0;
	struct err err = ERR_INIT;

	for (int tries = 0; tries < 100 && count < 3; tries++) {
		first = port_choose("127.0.0.1", NULL);
		ck_assert_int_gt(first, 0);
		for (count = 0; count < 3; count++) {
			fds[count] = listen_at("127.0.0.1", first + count);
			if (fds[count] < 0)
				break;
		}
		for (int i = 0; i < count; i++)
			close(fds[i]);
	}
	for (int i = 0; i < 3; i++) {
		int port = port_choose_in("127.0.0.1", first, first + 2, "a", &err);

		ck_assert_msg(port >= first && port <= first + 2, "%s", err.text);
		ck_assert_int_eq(
			port_choose_in("127.0.0.1", first, first + 2, "a", &err), port);
		ck_assert_int_eq(port_choose_in("127.0.0.1", port, port, "a", &err), port);
		fds[i] = listen_at("127.0.0.1", port);
		ck_assert_int_ge(fds[i], 0);
		ck_assert_int_eq(
			port_choose_in("127.0.0.1", port, port, "a", &err), -EADDRINUSE);
		unit_assert_err(&err, -EADDRINUSE, "of 127.0.0.1 is in use");
		err = (struct err)ERR_INIT;
	}
	ck_assert_int_eq(port_choose_in("127.0.0.1", first, first + 2, "a", &err), -EADDRINUSE);
	unit_assert_err(&err, -EADDRINUSE, "of 127.0.0.1 are in use");
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	ck_assert_int_eq(port_choose_in("192.0.2.1", first, first, "a", &err), -EADDRNOTAVAIL);
	ck_assert_int_eq(port_choose_in("localhost", first, first, "a", &err), -EINVAL);
}
END_TEST

/* The one for whom it is held can listen there; whoever looks for a free port cannot. */
START_TEST(holds)
{
	int port, hold, server;

	do {
		port = port_choose("127.0.0.1", NULL);
		ck_assert_int_gt(port, 0);
		hold = port_hold("127.0.0.1", port);
	} while (hold == -EADDRINUSE); /* somebody else was faster */
	ck_assert_int_ge(hold, 0);
	ck_assert_int_eq(listen_at("127.0.0.1", port), -1);
	ck_assert_int_eq(listen_at("0.0.0.0", port), -1);
	server = listen_so("127.0.0.1", port, 1);
	ck_assert_int_ge(server, 0);
	ck_assert_int_eq(port_hold("127.0.0.1", port), -EADDRINUSE);
	close(hold);
	ck_assert_int_eq(listen_at("127.0.0.1", port), -1);
	close(server);
	server = listen_at("127.0.0.1", port);
	ck_assert_int_ge(server, 0);
	close(server);
	ck_assert_int_eq(port_hold("localhost", port), -EINVAL);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("port");
	TCase *tcase = tcase_create("port");

	tcase_add_test(tcase, chooses);
	tcase_add_test(tcase, avoids_what_is_taken);
	tcase_add_loop_test(tcase, refuses_what_is_no_address, 0, LENGTH(no_addresses));
	tcase_add_test(tcase, address_of_another_host);
	tcase_add_test(tcase, chooses_in_a_range);
	tcase_add_test(tcase, holds);
	suite_add_tcase(suite, tcase);
	return suite;
}
