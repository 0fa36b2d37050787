/* port.c: a free TCP port. */
#include "common/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/err.h"

#define PORT_FIRST 20000
#define PORT_COUNT 12000
#define TRIES	   200

/* 0: the port is unused. Otherwise -errno. */
static int try_bind(const struct in_addr *host, int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr = *host, .sin_port = htons((uint16_t)port)};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return 0;
}

int port_choose(const char *address, struct err *err)
{
	struct in_addr host;
	unsigned start = 0;
	int r = -EADDRINUSE;

	if (inet_pton(AF_INET, address, &host) != 1)
		return err_set(err, -EINVAL, "%s is not an IPv4 address", address);
	if (getrandom(&start, sizeof(start), 0) != sizeof(start))
		start = (unsigned)getpid();
	for (unsigned i = 0; i < TRIES && r == -EADDRINUSE; i++) {
		int port = (int)(PORT_FIRST + (start + i) % PORT_COUNT);

		r = try_bind(&host, port);
		if (r == 0)
			return port;
	}
	if (r == -EADDRNOTAVAIL)
		return err_set(err, r, "%s is not an address of this host", address);
	if (r == -EADDRINUSE)
		return err_set(err, r, "no free port at %s among %d of %d to %d", address,
			TRIES, PORT_FIRST, PORT_FIRST + PORT_COUNT - 1);
	return err_set(err, r, "cannot use a port at %s: %s", address, strerror(-r));
}

/* 0: a server could listen at the port. Closing connections of an earlier server do not matter.
 * Otherwise -errno. */
static int try_listen(const struct in_addr *host, int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr = *host, .sin_port = htons((uint16_t)port)};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0)
		return -errno;
	return 0;
}

/* Where the search for a port begins: by FNV-1a of the name, from the user's number. */
static unsigned first_of(const char *name)
{
	unsigned hash = 2166136261U;

	for (const char *c = name; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619U;
	return hash + getuid();
}

int port_choose_in(const char *address, int first, int last, const char *name, struct err *err)
{
	unsigned count = (unsigned)(last - first) + 1, begin = first_of(name) % count;
	struct in_addr host;
	int r = -EADDRINUSE;

	if (inet_pton(AF_INET, address, &host) != 1)
		return err_set(err, -EINVAL, "%s is not an IPv4 address", address);
	for (unsigned i = 0; i < count && r == -EADDRINUSE; i++) {
		int port = first + (int)((begin + i) % count);

		r = try_listen(&host, port);
		if (r == 0)
			return port;
	}
	if (r == -EADDRNOTAVAIL)
		return err_set(err, r, "%s is not an address of this host", address);
	if (r != -EADDRINUSE)
		return err_set(err, r, "cannot listen at %s: %s", address, strerror(-r));
	if (first == last)
		return err_set(err, r,
			"port %d of %s is in use: end what listens there, or give another port or "
			"a range, such as %d-%d",
			first, address, first < 65520 ? first : 65520,
			first < 65520 ? first + 15 : 65535);
	return err_set(err, r,
		"all ports from %d to %d of %s are in use: give a range of more ports, or another "
		"one",
		first, last, address);
}

int port_next(const char *address, int port, struct err *err)
{
	int last = port + TRIES < 65535 ? port + TRIES : 65535;
	struct in_addr host;
	int r = -EADDRINUSE;

	if (inet_pton(AF_INET, address, &host) != 1)
		return err_set(err, -EINVAL, "%s is not an IPv4 address", address);
	for (int i = port; i <= last && r == -EADDRINUSE; i++) {
		r = try_listen(&host, i);
		if (r == 0)
			return i;
	}
	if (r == -EADDRNOTAVAIL)
		return err_set(err, r, "%s is not an address of this host", address);
	if (r == -EADDRINUSE)
		return err_set(err, r, "no free port at %s from %d to %d", address, port, last);
	return err_set(err, r, "cannot listen at %s, port %d: %s", address, port, strerror(-r));
}
