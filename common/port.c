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

/* Where to look for a port: at tries of count ports from first on, beginning with first + begin. */
struct span {
	int first;
	unsigned count, begin, tries;
	bool listens; /* as a server does, which minds no closing connections of an earlier one */
};

/* A descriptor of a socket that has the port, or -errno. shared: also where another socket that is
 * so, too, has the port and does not listen, or an earlier server's connections are closing. */
static int bind_port(const struct in_addr *host, int port, bool shared)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr = *host, .sin_port = htons((uint16_t)port)};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return -errno;
	if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* 0: the port is free. Otherwise -errno. */
static int try_port(const struct in_addr *host, int port, bool listens)
{
	_cleanup_close_ int fd = bind_port(host, port, listens);

	if (fd < 0)
		return fd;
	return listens && listen(fd, 1) < 0 ? -errno : 0;
}

/* The first free port, or -errno. err is left to the caller for -EADDRINUSE: none is free. */
static int search(const char *address, const struct span *span, struct err *err)
{
	struct in_addr host;
	int port = 0, r = -EADDRINUSE;

	if (inet_pton(AF_INET, address, &host) != 1)
		return err_set(err, -EINVAL, "%s is not an IPv4 address", address);
	for (unsigned i = 0; i < span->tries && r == -EADDRINUSE; i++) {
		port = span->first + (int)((span->begin + i) % span->count);
		r = try_port(&host, port, span->listens);
	}
	if (r == 0)
		return port;
	if (r == -EADDRNOTAVAIL)
		return err_set(err, r, "%s is not an address of this host", address);
	if (r != -EADDRINUSE)
		err_set(err, r, "cannot listen at %s, port %d: %s", address, port,
			strerror(-r));
	return r;
}

int port_hold(const char *address, int port)
{
	struct in_addr host;

	if (inet_pton(AF_INET, address, &host) != 1)
		return -EINVAL;
	return bind_port(&host, port, true);
}

int port_choose(const char *address, struct err *err)
{
	struct span span = {.first = PORT_FIRST, .count = PORT_COUNT, .tries = TRIES};
	unsigned begin;
	int r;

	if (getrandom(&begin, sizeof(begin), 0) != sizeof(begin))
		begin = (unsigned)getpid();
	span.begin = begin % PORT_COUNT;
	r = search(address, &span, err);
	if (r == -EADDRINUSE)
		err_set(err, r, "no free port at %s among %d of %d to %d", address, TRIES,
			PORT_FIRST, PORT_FIRST + PORT_COUNT - 1);
	return r;
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
	unsigned count = (unsigned)(last - first) + 1;
	struct span span = {.first = first,
		.count = count,
		.begin = first_of(name) % count,
		.tries = count,
		.listens = true};
	int r = search(address, &span, err);

	if (r != -EADDRINUSE)
		return r;
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
	unsigned count = (unsigned)(last - port) + 1;
	struct span span = {.first = port, .count = count, .tries = count, .listens = true};
	int r = search(address, &span, err);

	if (r == -EADDRINUSE)
		err_set(err, r, "no free port at %s from %d to %d", address, port, last);
	return r;
}
